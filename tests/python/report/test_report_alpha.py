"""`riata report --alpha`: samples that the fits did not see are evaluated as by a run that asks for it."""

import json
from pathlib import Path

import numpy as np
import pytest
from support import survival_times

import riata
from riata.cli.parser import main

DATA = Path(__file__).parents[2] / "data" / "genotypes"

pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")


def write_study(folder, n=90):
    """A table of six features, a file of responses of every loss, one of covariates."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((n, 6))
    age = rng.standard_normal(n)
    eta = X[:, 0] - X[:, 1] + 0.5 * age
    times = survival_times(eta, rng)
    columns = {
        "IID": [f"s{i}x" for i in range(n)],
        "y": eta + rng.standard_normal(n),
        "status": np.where(eta + rng.logistic(size=n) > 0, "case", "control"),
        "kind": np.array(["a", "b", "c"])[np.digitize(eta + rng.logistic(size=n), [-1.0, 1.0])],
        "visits": rng.poisson(np.exp(0.3 * eta + 1.0)),
        "logt": rng.uniform(0.0, 1.0, n),
        "months": times[:, 0],
        "died": times[:, 1].astype(int),
        "part": np.array(["train", "train", "validation", "test"])[np.arange(n) % 4],
    }
    tables = {
        "x.csv": {"IID": columns["IID"]} | {f"g{j}": X[:, j] for j in range(6)},
        "y.csv": columns,
        "c.csv": {"IID": columns["IID"], "age": age},
    }
    for name, table in tables.items():
        rows = [",".join(table), *(",".join(map(str, row)) for row in zip(*table.values(), strict=True))]
        (folder / name).write_text("\n".join(rows) + "\n")
    files = {"--matrix": "x.csv", "--pheno": "y.csv"}
    return [text for flag, name in files.items() for text in (flag, str(folder / name))]


RESPONSES = {
    "gaussian": ("--pheno-name", "y", "--loss", "gaussian"),
    "huber": ("--pheno-name", "y", "--loss", "huber", "--huber-delta", "0.7"),
    "binomial": ("--pheno-name", "status", "--loss", "binomial"),
    "multinomial": ("--pheno-name", "kind", "--loss", "multinomial"),
    "poisson": ("--pheno-name", "visits", "--loss", "poisson", "--offset", "logt"),
    "cox": ("--time", "months", "--event", "died", "--loss", "cox"),
}


CASES = [(loss, way, True) for loss in RESPONSES for way in ("folds", "test", "cv and test", "validation")]


@pytest.mark.parametrize(
    ("loss", "way", "adjusted"), [*CASES, ("gaussian", "windows", True), ("binomial", "folds", False)]
)
def test_another_alpha_is_evaluated(tmp_path, capsys, loss, way, adjusted):
    study = [*write_study(tmp_path), *RESPONSES[loss], "--alphas", "9", "--eps", "0.05"]
    study += ["--covar", str(tmp_path / "c.csv")] if adjusted else []
    verb = "fit" if way in ("test", "validation") else "cv"
    study += {
        "folds": ["--cv", "4", "--repeats", "2"],
        "windows": ["--cv", "3", "--time-order", "logt"] if loss != "poisson" else ["--cv", "3"],
        "test": ["--split", "part"],
        "cv and test": ["--cv", "3", "--split", "part"],
        "validation": ["--split", "part", "--remove", str(tmp_path / "gone.txt")],
    }[way]
    if way == "validation":
        (tmp_path / "gone.txt").write_text("".join(f"s{i}x\n" for i in range(3, 90, 4)))
    model, alone, again = (str(tmp_path / name) for name in ("model", "alone", "again"))
    assert main([verb, *study, "--out", model]) == 0
    alphas = riata.load(f"{model}.path.npz").alphas
    alpha = str(0.3 * alphas[3] + 0.7 * alphas[4])
    assert main([verb, *study, "--alpha", alpha, "--out", alone]) == 0
    capsys.readouterr()
    assert main(["report", "--model", f"{model}.path.npz", "--alpha", alpha, "--out", again]) == 0
    wanted, found = (json.loads(Path(f"{out}.json").read_text())["evaluation"] for out in (alone, again))
    assert found["part"] == wanted["part"]
    assert "chose" not in found["part"]
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        table = isinstance(value, dict) and name != "classes"
        close = pytest.approx(value, rel=1e-9, abs=1e-12) if table else value
        assert found[name] == close
    assert ("_covariates" in "".join(found)) == adjusted
    assert wanted["part"] in capsys.readouterr().out
    assert main(["report", "--model", f"{model}.path.npz", "--out", again]) == 0
    same = json.loads(Path(f"{again}.json").read_text())["evaluation"]
    assert same == json.loads(Path(f"{model}.json").read_text())["evaluation"]


def test_genotypes(tmp_path):
    files = {"--bfile": "tiny", "--pheno": "tiny.phe", "--covar": "tiny.cov"}
    study = [text for flag, name in files.items() for text in (flag, str(DATA / name))]
    study += ["--pheno-name", "height", "--alphas", "12"]
    model, alone, again = (str(tmp_path / name) for name in ("model", "alone", "again"))
    assert main(["cv", *study, "--out", model]) == 0
    alpha = str(0.99 * riata.load(f"{model}.path.npz").alphas[5])
    assert main(["cv", *study, "--alpha", alpha, "--out", alone]) == 0
    assert main(["report", "--model", f"{model}.path.npz", "--alpha", alpha, "--out", again]) == 0
    wanted, found = (json.loads(Path(f"{out}.json").read_text())["evaluation"] for out in (alone, again))
    assert found["r2"] == pytest.approx(wanted["r2"], rel=1e-9)
    pages = [Path(f"{out}.html").read_text() for out in (alone, again)]
    part = [page[page.index("<h2>How predictions compare") :].split("</section>")[0] for page in pages]
    assert part[0] == part[1]
