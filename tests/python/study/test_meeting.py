"""A fit is one model in Python and on the command line: same numbers, same names, whichever made it."""

import contextlib
import io
import json
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from support import make_problem

import riata
from riata.cli.parser import main

pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

DATA = Path(__file__).parents[2] / "data" / "genotypes"
TINY, PHENO, COVAR = DATA / "tiny", DATA / "tiny.phe", DATA / "tiny.cov"
LOSSES = ("gaussian", "binomial", "poisson", "huber", "cox", "multinomial", "multigaussian")


def run(*arguments):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert main([str(argument) for argument in arguments]) == 0
    return said.getvalue()


def read(path):
    return pd.read_csv(path, sep="\t", comment="#")


def problem(loss):
    """Features, and a response with names: a label, a count, times and events, and so on."""
    X, y = make_problem("gaussian" if loss.startswith("multi") else loss)
    if loss == "multinomial":
        return X, pd.Series(np.array(["low", "middle", "top"])[np.digitize(y, [-1.0, 1.5])], name="level")
    if loss == "multigaussian":
        return X, pd.DataFrame({"length": y, "width": y - X[:, 7]})
    if loss == "cox":
        return X, pd.DataFrame(y, columns=["days", "died"])
    if loss == "binomial":
        return X, pd.Series(np.where(y > 0, "tumour", "healthy"), name="status")
    return X, pd.Series(y, name="amount")


def predictions(table):
    """The columns that hold numbers, but for ids and the linear predictor beside a mean."""
    names = [name for name in table.columns if name.startswith(("PREDICTION", "PROBABILITY", "RATE"))]
    return table[names or ["LINEAR_PREDICTOR"]].to_numpy()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", ["array", "frame", "sparse", "path"])
def test_a_model_of_python_is_one_for_the_command_line(tmp_path, loss, kind):
    X, y = problem(loss)
    (n, p), rule = X.shape, "1se" if kind == "sparse" else "min"
    names = [f"x{j}" for j in range(p)] if kind in ("array", "sparse") else [f"gene {j}" for j in range(p)]
    given = {"array": X, "sparse": sp.csc_array(X)}.get(kind, pd.DataFrame(X, columns=names))
    if kind == "path":
        fit = riata.fit_path(given, y, loss=loss, alphas=12, eps=0.1)
        alpha = fit.alphas[-1]
    else:
        fit = riata.cv_path(given, y, loss=loss, alphas=12, eps=0.1, cv=3, alpha_rule=rule)
        alpha = fit.alpha
    fit.save(tmp_path / "m.npz")
    table = pd.DataFrame(X, columns=names, index=[f"s{i}" for i in range(n)])[names[::-1]]
    table.to_csv(tmp_path / "new.csv", index_label="id")
    model = ["--model", tmp_path / "m.npz", "--matrix", tmp_path / "new.csv"]
    run("predict", *model, "--out", tmp_path / "p", "--quiet")
    scores = read(tmp_path / "p.scores.tsv")
    assert scores["ID"].tolist() == list(table.index)
    expected = fit.predict(given, alpha)
    assert_allclose(predictions(scores), expected.reshape(n, -1), rtol=1e-9, atol=1e-12)
    if loss == "multinomial":
        assert scores["CLASS"].tolist() == fit.predict(given, alpha, kind="class").tolist()
    found = riata.predict_samples(fit, table)
    assert_allclose(predictions(found), predictions(scores), rtol=1e-9, atol=1e-12)
    between = 0.5 * (fit.alphas[3] + fit.alphas[4])
    run("predict", *model, "--alpha", between, "--out", tmp_path / "b", "--quiet")
    assert_allclose(
        predictions(read(tmp_path / "b.scores.tsv")),
        fit.predict(given, between).reshape(n, -1),
        rtol=1e-9,
        atol=1e-12,
    )
    run("report", "--model", tmp_path / "m.npz", "--out", tmp_path / "r", "--quiet")
    hits = read(tmp_path / "r.hits.tsv")
    coef = fit.coef(alpha).reshape(p, -1)
    selected = np.flatnonzero(coef.any(axis=1))
    assert sorted(hits["FEATURE"]) == sorted(names[j] for j in selected)
    strongest = np.abs(coef[selected]).max(axis=1)
    order = hits.set_index("FEATURE").loc[[names[j] for j in selected]]
    assert_allclose(order["BETA"].astype(float).abs(), strongest, rtol=1e-9)
    assert_allclose(order["BETA_STD"].astype(float).abs(), strongest * X[:, selected].std(axis=0), rtol=1e-8)
    said = run("info", tmp_path / "m.npz")
    assert f"{len(selected):,} selected" in said
    assert f"samples     {n}" in said


def test_effects_of_a_standard_deviation_without_standardising(tmp_path):
    X, y = make_problem()
    X = X * np.arange(1, X.shape[1] + 1)
    weights = np.arange(len(y)) % 3.0
    path = riata.fit_path(X, y, standardize=False, alphas=8, eps=0.2, sample_weight=weights)
    mean = np.average(X, axis=0, weights=weights)
    sd = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weights))
    assert_allclose(path.sd, sd, rtol=1e-12)
    path.save(tmp_path / "m.npz")
    run("report", "--model", tmp_path / "m.npz", "--out", tmp_path / "r", "--quiet")
    hits = read(tmp_path / "r.hits.tsv")
    where = [int(name[1:]) for name in hits["FEATURE"]]
    assert_allclose(hits["BETA_STD"], path.coef(path.alphas[-1])[where] * sd[where], rtol=1e-8)


def test_standard_deviations_are_those_of_the_columns_given():
    """Whatever the core works on in place of the columns: copies for groups that overlap, a basis."""
    X, y = make_problem()
    p = X.shape[1]
    sd = X.std(axis=0)
    plain = {"standardize": False, "alphas": 4, "eps": 0.3}
    groups = riata.penalties.GroupLasso([[0, 1, 2], [2, 3], [3, 4, 0]])
    assert_allclose(riata.fit_path(X, y, penalty=groups, **plain).sd, sd, rtol=1e-12)
    assert_allclose(riata.fit_path(X, y, fit_intercept=False, **plain).sd, sd, rtol=1e-12)
    near = X.copy()
    near[:, 1] = near[:, 0] + 1e-7 * near[:, 1]
    free = np.r_[0.0, 0.0, np.ones(p - 2)]
    assert_allclose(riata.fit_path(near, y, penalty_factor=free, **plain).sd, near.std(axis=0), rtol=1e-9)
    assert_allclose(riata.cv_path(sp.csc_array(X), y, cv=3, **plain).path.sd, sd, rtol=1e-9)
    assert riata.fit_path(X, y, alphas=4, eps=0.3).sd is None


def test_features_that_the_table_lacks_are_named(tmp_path, capsys):
    X, y = make_problem()
    riata.fit_path(X, y, alphas=5).save(tmp_path / "m.npz")
    pd.DataFrame(X).add_prefix("x").drop(columns="x0").to_csv(tmp_path / "new.csv", index_label="id")
    arguments = ["predict", "--model", tmp_path / "m.npz", "--matrix", tmp_path / "new.csv"]
    assert main([*map(str, arguments), "--out", str(tmp_path / "p"), "--quiet"]) == 2
    assert "features of the model: x0" in capsys.readouterr().err


@pytest.fixture(scope="module")
def genotypes():
    geno = riata.open_genotypes(TINY.with_suffix(".bed"))
    table = pd.read_csv(PHENO, sep=r"\s+", dtype={"FID": str, "IID": str})
    height = table.set_index("IID")["height"].reindex(list(geno.samples.iid))
    known = np.flatnonzero(height.notna().to_numpy() & (height != -9).to_numpy())
    return geno.subset(samples=known), height.iloc[known]


def test_a_model_of_genotypes_is_one_for_the_command_line(tmp_path, genotypes):
    geno, height = genotypes
    cv = riata.cv_path(geno, height, alphas=15, eps=0.1, cv=4)
    cv.save(tmp_path / "m.npz")
    run("predict", "--model", tmp_path / "m.npz", "--bfile", TINY, "--out", tmp_path / "p", "--quiet")
    scores = read(tmp_path / "p.scores.tsv")
    everybody = riata.open_genotypes(TINY.with_suffix(".bed"))
    assert scores["IID"].astype(str).tolist() == list(everybody.samples.iid)
    assert_allclose(scores["PREDICTION"], cv.predict(everybody), rtol=1e-9)
    found = riata.predict_samples(cv, TINY.with_suffix(".bed"))
    assert_allclose(found["PREDICTION"], scores["PREDICTION"], rtol=1e-9)
    assert found["IID"].tolist() == list(everybody.samples.iid)
    # the same fit by the command line itself
    study = ["--bfile", TINY, "--pheno", PHENO, "--pheno-name", "height", "--cv", 4]
    run("cv", *study, "--alphas", 15, "--eps", 0.1, "--out", tmp_path / "c", "--quiet")
    run("report", "--model", tmp_path / "m.npz", "--out", tmp_path / "r", "--quiet")
    mine, theirs = read(tmp_path / "r.hits.tsv"), read(tmp_path / "c.hits.tsv")
    assert mine["ID"].tolist() == theirs["ID"].tolist()
    for name in ("CHROM", "POS", "EFFECT_ALLELE", "OTHER_ALLELE", "RANK"):
        assert mine[name].tolist() == theirs[name].tolist()
    for name in ("BETA", "BETA_STD", "ENTRY_ALPHA"):
        assert_allclose(mine[name], theirs[name], rtol=1e-8)
    weights = read(tmp_path / "r.weights.tsv")
    assert_allclose(weights["effect_weight"], read(tmp_path / "c.weights.tsv")["effect_weight"], rtol=1e-8)
    assert mine["N"].isna().all()  # not kept in Python
    shares = [pd.read_csv(tmp_path / f"{name}.afreq", sep="\t") for name in "rc"]
    assert "OBS_CT" not in shares[0]
    assert_allclose(shares[0]["ALT_FREQS"], shares[1]["ALT_FREQS"], rtol=1e-8)


@pytest.mark.skipif(shutil.which("plink2") is None, reason="needs plink2")
def test_plink_scores_with_what_a_model_of_python_gives(tmp_path, genotypes):
    geno, height = genotypes
    cv = riata.cv_path(geno, height, alphas=15, eps=0.1, cv=4)
    cv.save(tmp_path / "m.npz")
    run("report", "--model", tmp_path / "m.npz", "--out", tmp_path / "r", "--quiet")
    command = json.loads((tmp_path / "r.json").read_text())["scoring"]["command"].replace("NEW", str(TINY))
    plink = subprocess.run(
        [*shlex.split(command), "--out", str(tmp_path / "k")], capture_output=True, text=True, check=False
    )
    assert plink.returncode == 0, plink.stdout + plink.stderr
    theirs = pd.read_csv(tmp_path / "k.sscore", sep="\t").iloc[:, -1]
    mine = riata.predict_samples(cv, TINY.with_suffix(".bed"))["PREDICTION"] - cv.intercept()
    assert_allclose(theirs, mine, rtol=1e-4, atol=1e-4)


def test_a_model_of_the_command_line_is_one_for_python(tmp_path):
    study = ["--bfile", TINY, "--pheno", PHENO, "--pheno-name", "height", "--covar", COVAR]
    run("cv", *study, "--cv", 4, "--alphas", 15, "--eps", 0.1, "--out", tmp_path / "c", "--quiet")
    predict = ["--bfile", TINY, "--covar", COVAR]
    model = tmp_path / "c.path.npz"
    run("predict", "--model", model, *predict, "--out", tmp_path / "p", "--quiet")
    scores = read(tmp_path / "p.scores.tsv")
    fit = riata.load(model)
    assert fit.path.study.response == "height"
    assert fit.path.study.covariates
    assert fit.path.study.alpha == fit.alpha
    assert fit.oof_link is not None
    covariates = pd.read_csv(COVAR, sep=r"\s+", dtype={"FID": str, "IID": str})
    geno = riata.open_genotypes(TINY.with_suffix(".bed"))
    for given in (COVAR, covariates, covariates.iloc[::-1]):
        found = riata.predict_samples(fit, geno, covariates=given)
        assert_allclose(found["PREDICTION"], scores["PREDICTION"], rtol=1e-12)
        assert found["IID"].tolist() == scores["IID"].astype(str).tolist()
    some = covariates[covariates["IID"].isin(found["IID"][3:9])]
    few = riata.predict_samples(fit, geno, covariates=some)
    assert few["IID"].tolist() == found["IID"][3:9].tolist()
    with pytest.raises(ValueError, match=r"the model has covariates .*: give them with covariates"):
        riata.predict_samples(fit, geno)
    # saved again from Python, nothing is lost
    fit.save(tmp_path / "again.npz")
    run("predict", "--model", tmp_path / "again.npz", *predict, "--out", tmp_path / "q", "--quiet")
    assert (tmp_path / "q.scores.tsv").read_text() == (tmp_path / "p.scores.tsv").read_text()
    run("report", "--model", tmp_path / "again.npz", "--out", tmp_path / "r", "--quiet")
    assert (tmp_path / "r.hits.tsv").read_text() == (tmp_path / "c.hits.tsv").read_text()
    assert_array_equal(riata.load(tmp_path / "again.npz").oof_link, fit.oof_link)


@pytest.mark.parametrize("loss", ["binomial", "multinomial"])
def test_classes_of_the_command_line_are_those_of_python(tmp_path, loss):
    X, y = problem(loss)
    frame = pd.DataFrame(X).add_prefix("g")
    frame.assign(status=y).to_csv(tmp_path / "t.csv", index_label="id")
    case = ["--case", "healthy"] if loss == "binomial" else []
    run("cv", "--matrix", tmp_path / "t.csv", "--target", "status", "--loss", loss, *case, "--cv", 3,
        "--alphas", 10, "--eps", 0.1, "--out", tmp_path / "c", "--quiet")  # fmt: skip
    fit = riata.load(tmp_path / "c.path.npz")
    run("predict", "--model", tmp_path / "c.path.npz", "--matrix", tmp_path / "t.csv", "--out",
        tmp_path / "p", "--quiet")  # fmt: skip
    scores = read(tmp_path / "p.scores.tsv")
    said = fit.predict(frame, fit.path.study.alpha, kind="class")
    if loss == "binomial":
        assert fit.path.classes.tolist() == ["tumour", "healthy"]
        assert_array_equal(said, np.where(scores["PROBABILITY"] > 0.5, "healthy", "tumour"))
    else:
        assert fit.path.classes.tolist() == ["low", "middle", "top"]
        assert said.tolist() == scores["CLASS"].tolist()


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox", "poisson", "multinomial"])
@pytest.mark.parametrize("made_by", ["cv", "python"])
def test_predict_finds_the_response_where_the_fit_did(tmp_path, loss, made_by):
    X, y = problem(loss)
    frame = pd.DataFrame(X).add_prefix("g")
    table = pd.concat([pd.DataFrame(y), frame], axis=1)
    names = list(pd.DataFrame(y).columns)
    table.to_csv(tmp_path / "t.csv", index_label="id")
    if made_by == "python":
        riata.cv_path(frame, y, loss=loss, alphas=10, eps=0.1, cv=3).save(tmp_path / "c.path.npz")
    else:
        target = ["--time", "days", "--event", "died"] if loss == "cox" else ["--target", names[0]]
        run("cv", "--matrix", tmp_path / "t.csv", *target, "--loss", loss, "--cv", 3, "--alphas", 10,
            "--eps", 0.1, "--out", tmp_path / "c", "--quiet")  # fmt: skip
    predict = ["predict", "--model", tmp_path / "c.path.npz", "--quiet", "--matrix"]
    run(*predict, tmp_path / "t.csv", "--out", tmp_path / "p")
    found = json.loads((tmp_path / "p.json").read_text())["evaluation"]
    assert found["n"] == len(X)
    frame.to_csv(tmp_path / "x.csv", index_label="id")
    pd.DataFrame(y).to_csv(tmp_path / "y.csv", index_label="IID")
    given = [] if loss == "cox" else ["--pheno-name", names[0]]
    run(*predict, tmp_path / "x.csv", "--pheno", tmp_path / "y.csv", *given, "--out", tmp_path / "q")
    assert json.loads((tmp_path / "q.json").read_text())["evaluation"] == found
    run(*predict, tmp_path / "x.csv", "--out", tmp_path / "r")
    assert json.loads((tmp_path / "r.json").read_text())["evaluation"] is None
    # a response that cannot be compared is told, and the scores are written all the same
    table.assign(**dict.fromkeys(names, np.nan)).to_csv(tmp_path / "e.csv", index_label="id")
    run(*predict, tmp_path / "e.csv", "--out", tmp_path / "e")
    record = json.loads((tmp_path / "e.json").read_text())
    assert record["evaluation"] is None
    assert "not compared with a response" in " ".join(record["samples"]["notes"])


def test_predict_samples_does_with_a_frame_what_predict_does_with_its_file(tmp_path):
    """Means for missing values, features of one name, covariates and the response among the columns."""
    rng = np.random.default_rng(2)
    X, y = make_problem()
    X = X.copy()
    X[rng.random(X.shape) < 0.03] = np.nan
    names = [f"g{j}" for j in range(X.shape[1])]
    names[7] = names[3]
    first = pd.DataFrame({"size": y, "town": rng.choice(["Rome", "Oslo", "Kyiv"], len(y)), "age": y**2})
    table = pd.concat([first, pd.DataFrame(X, columns=names)], axis=1)
    table.index = [f"s{i}" for i in range(len(y))]
    table.to_csv(tmp_path / "t.csv", index_label="id", float_format="%.17g")
    study = ["--matrix", tmp_path / "t.csv", "--target", "size", "--covar", "age,town", "--impute", "mean"]
    run("cv", *study, "--duplicates", "mean", "--cv", 4, "--alphas", 12, "--out", tmp_path / "c", "--quiet")
    run("predict", "--model", tmp_path / "c.path.npz", "--matrix", tmp_path / "t.csv", "--out",
        tmp_path / "p", "--quiet")  # fmt: skip
    scores = read(tmp_path / "p.scores.tsv")
    fit = riata.load(tmp_path / "c.path.npz")
    masked = table.convert_dtypes()  # numbers with a mask
    for given in (table, masked, tmp_path / "t.csv"):
        found = riata.predict_samples(fit, given)
        assert found["ID"].tolist() == scores["ID"].tolist()
        assert_allclose(found["PREDICTION"].astype(float), scores["PREDICTION"], rtol=1e-12)
    apart = riata.predict_samples(fit, table.drop(columns=["age", "town"]), covariates=table[["town", "age"]])
    assert_allclose(apart["PREDICTION"], scores["PREDICTION"], rtol=1e-12)


def test_predict_samples_fills_gaps_where_asked():
    X, y = make_problem()
    frame = pd.DataFrame(X).add_prefix("g")
    path = riata.fit_path(frame, y, alphas=5)
    new = frame.head(4).copy()
    new.loc[1, "g0"] = np.nan
    with pytest.raises(ValueError, match=r"values in g0, .* \(in Python impute='mean'\)"):
        riata.predict_samples(path, new)
    found = riata.predict_samples(path, new, impute="mean")
    filled = new.fillna({"g0": frame["g0"].mean()})
    assert_allclose(found["PREDICTION"], path.predict(filled, path.alphas[-1]), rtol=1e-12)


def test_predict_samples_says_what_it_needs():
    X, y = make_problem()
    path = riata.fit_path(pd.DataFrame(X).add_prefix("g"), y, alphas=5)
    with pytest.raises(TypeError, match=r"data must be a DataFrame, an AnnData, riata\.Genotypes or a file"):
        riata.predict_samples(path, X)
    with pytest.raises(ValueError, match="data lacks 1 of the"):
        riata.predict_samples(path, pd.DataFrame(X[:, 1:]).rename(columns=lambda j: f"g{j + 1}"))
    frame = pd.DataFrame(X).add_prefix("g")
    with pytest.raises(ValueError, match=r"data: text where the model needs numbers, in g0$"):
        riata.predict_samples(path, frame.assign(g0="high"))
    with pytest.raises(ValueError, match="impute must be 'mean' or None, got 'median'"):
        riata.predict_samples(path, frame, impute="median")
    with pytest.raises(ValueError, match="covariates must be left out: the model has none"):
        riata.predict_samples(path, pd.DataFrame(X).add_prefix("g"), covariates=pd.DataFrame({"age": y}))
    with pytest.raises(TypeError, match="must be a RegularizationPath, a CVPath or a file of one, got int"):
        riata.predict_samples(3, pd.DataFrame(X))
