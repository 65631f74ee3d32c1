"""The paragraph of methods: true for every loss, penalty and door."""

import html
import json
from pathlib import Path

import numpy as np
import pytest
from several_outputs import make_outputs
from support import make_problem

import riata
from riata.cli.parser import main
from riata.report.methods import CITATION

DATA = Path(__file__).parents[2] / "data" / "genotypes"
CITED = Path(__file__).parents[3] / "CITATION.cff"

pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

MODELS = {
    "gaussian": "y was modelled by linear regression, with an L1 (lasso) penalty",
    "binomial": "The probability of 1 against 0 was modelled by logistic regression, with an L1",
    "poisson": "y was modelled by Poisson regression with a log link, with an L1",
    "huber": "Huber's loss, which grows linearly from a residual of 1.345 on, with an L1",
    "cox": "y was modelled by Cox's proportional hazards model, with an L1",
    "multinomial": "y, of 3 classes, was modelled by multinomial logistic regression, with an L1 (lasso)",
    "multigaussian": "3 responses were modelled by one linear regression, with an L1/L2 penalty that admits "
    "a feature for all responses together",
}


@pytest.mark.parametrize("loss", MODELS)
def test_every_loss(loss):
    X, y = make_outputs(loss, 60) if loss.startswith("multi") else make_problem(loss, 60, 8)
    cv = riata.cv_path(X, y, loss=loss, cv=4, alphas=6, eps=0.1)
    text = cv.methods()
    assert MODELS[loss] in text
    assert "The fit was to 60 samples" in text
    assert f"{X.shape[1]} features were candidates." in text
    assert "Cross-validation was by 4 folds drawn at random (seed 0)" in text
    assert f"Reported is alpha {cv.alpha:.4g}, the best cross-validation score. The same held-out" in text
    assert ("balanced by" in text) == (loss in ("binomial", "cox", "multinomial"))
    assert ("not on the intercept" in text) == (loss != "cox")
    assert ("with an event" in text) == (loss == "cox")
    assert text.endswith(f"Software: {CITATION.format(riata.__version__)}.")
    alone = cv.path.methods()
    assert "Reported is alpha" in alone
    assert "not validated. " in alone
    assert "ross-validation" not in alone


P = riata.penalties
GROUPS = np.arange(60) // 6
PENALTIES = [
    (P.ElasticNet(0.5), "an elastic net penalty with L1 share 0.5", "shrunk"),
    (P.ElasticNet(0.0), "an L2 (ridge) penalty", "Ridge selects nothing"),
    (P.GroupLasso(GROUPS), "a group lasso penalty", "10 groups"),
    (P.SparseGroupLasso(GROUPS, l1_ratio=0.3), "a sparse group lasso penalty with L1 share 0.3", "10 groups"),
    (P.MCP(gamma=2.5), "the minimax concave penalty with gamma 2.5", "a KKT violation over alpha"),
    (P.SCAD(), "the smoothly clipped absolute deviation penalty with gamma 3.7", "a KKT violation"),
    (P.SLOPE(0.2), "(SLOPE, Bogdan et al. 2015), its weights those of a share 0.2", "no error rate is cl"),
]


@pytest.mark.parametrize(("penalty", "name", "more"), PENALTIES)
def test_every_penalty(penalty, name, more):
    X, y = make_problem()
    text = riata.fit_path(X, y, penalty=penalty, alphas=5, eps=0.1).methods()
    assert name in text
    assert more in text
    assert ("shrunk towards zero" in text) == (not isinstance(penalty, (P.MCP, P.SCAD, P.SLOPE)))
    assert "effects of one standard deviation" in text


def test_what_was_given_is_told():
    X, y = make_problem("poisson", 40, 8)
    factor = np.array([0.0, 0.0, 2.0, 1.0, 1.0, 1.0, 1.0, np.inf])
    path = riata.fit_path(
        X, y, loss="poisson", penalty_factor=factor, sample_weight=np.arange(40.0), offset=np.ones(40),
        standardize=False, fit_intercept=False, alphas=4, eps=0.1,
    )  # fmt: skip
    text = path.methods(0.5 * (path.alphas[1] + path.alphas[2]))
    for told in (
        "with an offset, with an L1",
        "39 samples, which were weighted",
        "7 features were candidates (set aside: 1 excluded); 2 of them were not penalised",
        "on coefficients in the units of the data, times a factor for each of them",
        ", as asked.",
    ):
        assert told in text
    assert "intercept" not in text


def test_nested():
    X, y = make_problem()
    cv = riata.cv_path(X, y, cv=4, nested=3, alphas=6, eps=0.1)
    text = cv.methods()
    assert "nested cross-validation with 3 outer folds alpha was chosen anew within each" in text
    assert "somewhat too good" not in text
    assert "nested" not in cv.methods(cv.alphas[1])


def test_the_command_line(tmp_path, capsys):
    out = str(tmp_path / "out")
    study = ["--bfile", DATA / "tiny", "--pheno", DATA / "tiny.phe", "--covar", DATA / "tiny.cov"]
    given = [*map(str, study), "--pheno-name", "disease", "--loss", "binomial", "--alphas", "8"]
    assert main(["cv", *given, "--cv", "4", "--fold-groups", "FID", "--out", out]) == 0
    record = json.loads(Path(f"{out}.json").read_text())
    text = record["methods"]
    n = record["samples"]["analysed"]
    lost = "; ".join(f"{count:,} {why}" for why, count in record["samples"]["dropped"].items())
    for told in (
        f"The fit was to {n} samples of 46 (left out: {lost})",
        "58 variants were candidates (set aside: 1 monomorphic; 1 all calls missing)",
        "as counts of allele A1, missing calls at the mean; adjusted, without penalty, for age, sex.",
        "4 folds drawn at random (seed 0), balanced by class, samples of one FID together",
    ):
        assert told in text
    printed = capsys.readouterr().out
    assert " ".join(text.split()) in " ".join(printed.split())
    assert text in html.unescape(Path(f"{out}.html").read_text())
    again = str(tmp_path / "again")
    assert main(["report", "--model", f"{out}.path.npz", "--out", again]) == 0
    assert json.loads(Path(f"{again}.json").read_text())["methods"] == text
    assert riata.load(f"{out}.path.npz").methods() == text


def test_a_test_part(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    rows = ["id,a,b,c,y,part"]
    rows += [f"s{i}x,{x[0]},{x[1]},{x[2]},{x[0]},{('train', 'test')[i % 2]}" for i, x in enumerate(X)]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    out = str(tmp_path / "out")
    table = ["--matrix", str(tmp_path / "t.csv"), "--target", "y", "--split", "part", "--alphas", "4"]
    assert main(["cv", *table, "--cv", "3", "--out", out]) == 0
    text = json.loads(Path(f"{out}.json").read_text())["methods"]
    assert "Predictions were judged on 20 samples, the test part, that had no part in the fit" in text
    assert "somewhat too good" not in text


def test_the_citation_is_that_of_the_project():
    title = next(line for line in CITED.read_text().splitlines() if line.startswith("title:"))
    assert title.split('"')[1] in CITATION
