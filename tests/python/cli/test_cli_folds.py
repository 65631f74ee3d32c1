"""Folds of `riata cv`: families, given folds, order of time, repeats, and what is told of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from support import survival_times

import riata
from riata.cli.parser import main
from riata.study.fold_columns import read_times

DATA = Path(__file__).parents[2] / "data" / "genotypes"

pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")


def write_table(path, n=60, ids=None, **more):
    """A table of four features and a response, with more columns."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 4))
    y = X[:, 0] - X[:, 1] + 0.5 * rng.standard_normal(n)
    columns = {"id": [f"s{i}x" for i in range(n)] if ids is None else ids}
    columns |= {f"g{j}": X[:, j] for j in range(4)} | {"y": y} | more
    rows = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(rows) + "\n")
    return ["--matrix", str(path), "--alphas", "8"], X, y


def run(capsys, tmp_path, *arguments, name="out", code=0):
    out = str(tmp_path / name)
    assert main(["cv", *map(str, arguments), "--out", out]) == code
    printed = capsys.readouterr()
    if code:
        return printed.err
    return printed.out, riata.load(f"{out}.path.npz"), json.loads(Path(f"{out}.json").read_text())


def held_out_sets(cv):
    return {tuple(rows.tolist()) for rows in cv.folds}


def test_groups_are_never_parted(tmp_path, capsys):
    patient = [f"P{i // 3}" for i in range(60)]
    table, X, y = write_table(tmp_path / "t.csv", patient=patient)
    text, cv, record = run(capsys, tmp_path, *table, "--target", "y", "--cv", 5, "--fold-groups", "patient")
    assert all(len({patient[i] for i in rows}) * 3 == len(rows) for rows in cv.folds)
    assert cv.path.feature_names.tolist() == ["g0", "g1", "g2", "g3"]
    made = "5 folds drawn at random (seed 0), samples of one patient together (20 groups)"
    assert f"5-fold cross-validation: {made.removeprefix('5 folds ')}\n" in text
    assert record["cross_validation"]["made"] == made
    assert record["cross_validation"]["sizes"] == [12] * 5
    assert made in (tmp_path / "out.html").read_text()
    peer = riata.cv_path(X, y, cv=5, groups=np.array(patient), alphas=8)
    assert cv.mean_score == pytest.approx(peer.mean_score)


def test_families_of_genotypes(tmp_path, capsys):
    given = ["--bfile", DATA / "tiny", "--pheno", DATA / "tiny.phe", "--pheno-name", "height"]
    text, cv, _ = run(capsys, tmp_path, *given, "--fold-groups", "FID")
    fam = [line.split()[0] for line in (DATA / "tiny.fam").read_text().splitlines()]
    assert len(set(fam)) < len(fam)
    with np.load(tmp_path / "out.path.npz") as kept:
        families = kept["report_sample_fid"]
    parts = [set(families[rows].tolist()) for rows in cv.folds]
    assert len(parts) == 10
    assert sum(map(len, parts)) == len(set(families.tolist()))
    text, *_ = run(capsys, tmp_path, *given)
    assert "families (FID) have several members, who may be in different folds: --fold-groups FID" in text


def test_labels_that_are_missing_or_all_distinct(tmp_path, capsys):
    patient = ["NA" if i % 20 == 7 else f"P{i // 2}" for i in range(60)]
    table, *_ = write_table(tmp_path / "t.csv", patient=patient)
    text, cv, record = run(capsys, tmp_path, *table, "--target", "y", "--cv", 3, "--fold-groups", "patient")
    assert record["samples"]["dropped"] == {"patient (--fold-groups) missing": 3}
    assert sum(map(len, cv.folds)) == 57
    table, *_ = write_table(tmp_path / "t.csv", patient=[f"P{i}" for i in range(60)])
    text, *_ = run(capsys, tmp_path, *table, "--target", "y", "--cv", 3, "--fold-groups", "patient")
    assert "no two samples share a value of patient: --fold-groups keeps none together" in text


def test_a_column_that_makes_folds_is_no_phenotype(tmp_path, capsys):
    """Of two columns of a phenotype file one is left, and needs no name."""
    fam = [line.split() for line in (DATA / "tiny.fam").read_text().splitlines()]
    rng = np.random.default_rng(0)
    rows = [f"{f[0]} {f[1]} {i % 3} {rng.standard_normal()}" for i, f in enumerate(fam)]
    (tmp_path / "p.txt").write_text("\n".join(["FID IID site score", *rows]) + "\n")
    given = ["--bfile", DATA / "tiny", "--pheno", tmp_path / "p.txt", "--alphas", 5, "--folds", "site"]
    _, cv, record = run(capsys, tmp_path, *given)
    assert record["response"]["name"] == "score"
    assert [np.unique(rows % 3).tolist() for rows in cv.folds] == [[0], [1], [2]]


def test_given_folds(tmp_path, capsys):
    fold = np.random.default_rng(1).integers(1, 4, 60)
    table, *_ = write_table(tmp_path / "t.csv", fold=fold)
    text, cv, record = run(capsys, tmp_path, *table, "--target", "y", "--folds", "fold")
    assert held_out_sets(cv) == {tuple(np.flatnonzero(fold == k).tolist()) for k in (1, 2, 3)}
    assert "3-fold cross-validation: as column fold gives them\n" in text
    assert record["cross_validation"]["folds"] == 3
    assert cv.path.n_features == 4


@pytest.mark.parametrize("spell", ["{}", "{}-01-31", "{}Q2", "{}-06"])
def test_order_of_time(tmp_path, capsys, spell):
    """Ten rows a year, in random order: a year is never parted, nor tested before it is trained on."""
    year = np.random.default_rng(1).permutation(np.repeat(np.arange(1990, 1996), 10))
    table, X, y = write_table(tmp_path / "t.csv", when=[spell.format(k) for k in year])
    text, cv, record = run(capsys, tmp_path, *table, "--target", "y", "--time-order", "when")
    assert [set(year[rows].tolist()) for rows in cv.folds] == [{k} for k in range(1991, 1996)]
    assert "5 windows, not 10: when has 6 times" in text
    assert "5 expanding windows in order of when, each tested on what follows it" in text
    splits = [(np.flatnonzero(year < k), np.flatnonzero(year == k)) for k in range(1991, 1996)]
    peer = riata.cv_path(X, y, cv=splits, alphas=8)
    assert cv.scores == pytest.approx(peer.scores)
    assert record["evaluation"]["n"] == 50


def test_covariates_alone_see_no_future_either(tmp_path, capsys):
    """The level jumps half way: what is told of the covariates alone is a fit of the past."""
    n = 60
    rng = np.random.default_rng(0)
    table, _, y = write_table(tmp_path / "t.csv", n, t=np.arange(n))
    age = rng.standard_normal(n)
    level = np.where(np.arange(n) < 30, 0.0, 50.0)
    (tmp_path / "c.csv").write_text("IID,age\n" + "".join(f"s{i}x,{a}\n" for i, a in enumerate(age)))
    (tmp_path / "p.csv").write_text(
        "IID,z\n" + "".join(f"s{i}x,{v}\n" for i, v in enumerate(level + 2.0 * age + y))
    )
    given = ["--pheno", tmp_path / "p.csv", "--covar", tmp_path / "c.csv", "--drop", "y"]
    _, cv, record = run(capsys, tmp_path, *table, *given, "--cv", 5, "--time-order", "t")
    truth, alone, null = [], [], []
    for rows in cv.folds:
        past = np.arange(rows.min())
        fit = np.polyfit(age[past], (level + 2.0 * age + y)[past], 1)
        alone += np.polyval(fit, age[rows]).tolist()
        truth += (level + 2.0 * age + y)[rows].tolist()
        null += [(level + 2.0 * age + y)[past].mean()] * len(rows)
    truth, alone, null = np.array(truth), np.array(alone), np.array(null)
    r2 = 1.0 - np.sum((truth - alone) ** 2) / np.sum((truth - null) ** 2)
    assert record["evaluation"]["r2_covariates"]["value"] == pytest.approx(r2, rel=1e-6)


def test_repeats(tmp_path, capsys):
    table, X, y = write_table(tmp_path / "t.csv")
    text, cv, record = run(capsys, tmp_path, *table, "--target", "y", "--cv", 4, "--repeats", 3, "--seed", 7)
    peer = riata.cv_path(X, y, cv=4, repeats=3, random_state=7, alphas=8)
    assert cv.scores == pytest.approx(peer.scores)
    assert cv.se_score == pytest.approx(peer.se_score)
    assert "4-fold cross-validation: drawn 3 times at random (seed 7)\n" in text
    assert record["cross_validation"]["repeats"] == 3
    assert record["evaluation"]["n"] == 60
    assert record["evaluation"] == run(
        capsys, tmp_path, *table, "--target", "y", "--cv", 4, "--seed", 7, "--alpha", cv.alpha, name="one"
    )[2]["evaluation"] | {"part": record["evaluation"]["part"]}


def test_several_phenotypes_with_missing_values(tmp_path, capsys):
    given = ["--bfile", DATA / "tiny", "--pheno", DATA / "tiny.phe", "--pheno-name", "height,code"]
    fam = [line.split() for line in (DATA / "tiny.fam").read_text().splitlines()]
    (tmp_path / "c.txt").write_text(
        "FID IID age site\n" + "".join(f"{f[0]} {f[1]} {i % 7} {'abc'[i % 3]}\n" for i, f in enumerate(fam))
    )
    given += ["--covar", tmp_path / "c.txt", "--loss", "gaussian", "--alphas", 6]
    out = str(tmp_path / "out")
    assert main(["cv", *map(str, given), "--folds", "site", "--out", out]) == 0
    for name in ("height", "code"):
        alone = run(
            capsys, tmp_path, *[name if g == "height,code" else g for g in given], "--folds", "site", name="a"
        )
        joint = riata.load(f"{out}.{name}.path.npz")
        record = json.loads(Path(f"{out}.{name}.json").read_text())
        assert record["features"]["covariates"] == ["age"]  # the site makes folds, and is no covariate
        assert record["cross_validation"]["made"] == "3 folds as column site gives them"
        assert held_out_sets(joint) == held_out_sets(alone[1])
        if name == "code":  # which all samples have: the others' missing calls stand at other means
            assert joint.mean_score == pytest.approx(alone[1].mean_score, rel=1e-5)


def test_survival_times_and_split(tmp_path, capsys):
    rng = np.random.default_rng(3)
    times = survival_times(rng.standard_normal(90), rng)
    part = np.where(np.arange(90) % 3 == 0, "test", "train")
    group = np.arange(90) // 6
    table, *_ = write_table(
        tmp_path / "t.csv", 90, months=times[:, 0], died=times[:, 1].astype(int), part=part, clinic=group
    )
    given = ["--loss", "cox", "--time", "months", "--event", "died", "--split", "part", "--drop", "y"]
    text, cv, record = run(capsys, tmp_path, *table, *given, "--cv", 4, "--fold-groups", "clinic")
    kept = group[part == "train"]
    assert all(np.isin(kept, kept[rows]).sum() == len(rows) for rows in cv.folds)
    assert "balanced by event, samples of one clinic together (15 groups)" in text
    assert record["evaluation"]["part"] == "test part"


def test_classes_smaller_than_ten_folds(tmp_path, capsys):
    label = np.where(np.arange(60) < 7, "case", "control")
    table, *_ = write_table(tmp_path / "t.csv", status=label)
    given = [*table, "--target", "status", "--loss", "binomial", "--drop", "y"]
    text, cv, _ = run(capsys, tmp_path, *given)
    assert len(cv.folds) == 7
    assert "note: 7 folds, not 10: there are only 7 samples of class case\n" in text
    text, cv, _ = run(capsys, tmp_path, *given, "--cv", 10)
    assert len(cv.folds) == 10
    assert "note: there are 7 samples of class case: some of the 10 folds hold none of them\n" in text
    error = run(capsys, tmp_path, *given, "--cv", 10, "--scoring", "auc", code=2)
    assert error == (
        "riata: error: --cv 10 is more than there are samples of class case, 7: give --cv 7 or fewer, or "
        "another --scoring than auc\n"
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--cv", "80"], "--cv 80 is more than there are samples, 60: give --cv 60 or fewer"),
        (["--fold-groups", "half", "--cv", "3"], "--cv 3 is more than there are groups of half, 2: give"),
        (["--fold-groups", "one"], "--cv must be at least 2, but there is only 1 group of one"),
        (["--folds", "one"], "--folds one must hold at least two values, it has 1"),
        (["--time-order", "half", "--cv", "2"], "--cv 2 must be less than the number of times in half, 2"),
        (["--time-order", "word"], "--time-order word must hold numbers, or dates that begin with the year"),
        (["--folds", "half", "--cv", "2"], "--cv must be left out with --folds"),
        (["--folds", "half", "--repeats", "2"], "--repeats is for folds that are drawn at random, not for"),
        (["--folds", "half", "--time-order", "one"], "--folds and --time-order are ways to make the folds"),
        (["--fold-groups", "none"], "t.csv has g0, g1, g2, g3, y"),
    ],
)  # fmt: skip
def test_folds_that_cannot_be_made(tmp_path, capsys, more, message):
    table, *_ = write_table(
        tmp_path / "t.csv", half=np.arange(60) % 2, one=np.ones(60), word=["3/4/1999"] * 60
    )
    drop = [name for name in ("half", "one", "word") if name not in more]
    error = run(capsys, tmp_path, *table, "--target", "y", "--drop", ",".join(drop), *more, code=2)
    assert message in error
    assert error.count("\n") == 1


def test_a_class_that_a_given_fold_holds_alone(tmp_path, capsys):
    label = np.where(np.arange(60) < 20, "case", "control")
    table, *_ = write_table(tmp_path / "t.csv", status=label, site=np.arange(60) // 20)
    given = [*table, "--target", "status", "--loss", "binomial", "--drop", "y", "--folds", "site"]
    error = run(capsys, tmp_path, *given, code=2)
    assert error.startswith("riata: error: --folds: y of the training rows of split 0 must hold two classes")
    assert "cv:" not in error


def test_a_first_window_without_a_class(tmp_path, capsys):
    """Events begin late: as many windows as leave some of them in the first, and no more."""
    when, case = np.arange(60), np.where(np.arange(60) % 7 == 6, "case", "control")
    table, *_ = write_table(tmp_path / "t.csv", when=when, status=case)
    given = [*table, "--target", "status", "--loss", "binomial", "--drop", "y", "--time-order", "when"]
    text, cv, _ = run(capsys, tmp_path, *given)
    assert len(cv.folds) == 8
    assert cv.folds[0].min() == 7  # 60 / 9 samples, rounded, of which the seventh is the first case
    assert "note: 8 windows, not 10: the first of more would hold no sample of class case\n" in text
    error = run(capsys, tmp_path, *given, "--cv", 9, code=2)
    assert error == (
        "riata: error: --time-order when: the first of 9 windows holds no sample of class case: give --cv 8 "
        "or fewer\n"
    )
    last = np.where(when == 59, "case", "control")
    table, *_ = write_table(tmp_path / "t.csv", when=when, status=last)
    error = run(capsys, tmp_path, *given, code=2)
    assert "the first of 10 windows holds no sample of class case: which no number of windows chang" in error


def test_outer_folds_that_cannot_be_fitted(tmp_path, capsys):
    when, case = np.arange(60), np.where(np.arange(60) % 7 == 6, "case", "control")
    table, *_ = write_table(tmp_path / "t.csv", when=when, status=case)
    given = [*table, "--target", "status", "--loss", "binomial", "--drop", "y", "--time-order", "when"]
    error = run(capsys, tmp_path, *given, "--nested", code=2)
    assert error.startswith("riata: error: --nested: within outer fold 0, y of the training rows of split 0 ")
    assert error.endswith("; give another --nested or --cv\n")


def test_names_that_look_like_dates_or_repeat(tmp_path, capsys):
    dates = [f"{1990 + i // 4}Q{i % 4 + 1}" for i in range(60)]
    table, *_ = write_table(tmp_path / "t.csv", ids=dates)
    text, *_ = run(capsys, tmp_path, *table, "--target", "y")
    assert "names of samples look like dates (1990Q1, 1990Q2 and 58 more), but folds are drawn at ran" in text
    table, *_ = write_table(tmp_path / "t.csv", ids=[f"P{i // 2}_t{i % 2}" for i in range(60)])
    text, *_ = run(capsys, tmp_path, *table, "--target", "y")
    assert "names of samples repeat (P0_t0, P0_t1): if these are of one patient, give a column" in text
    for prefix in ("s_", "", "GSM"):
        table, *_ = write_table(tmp_path / "t.csv", ids=[f"{prefix}{i}" for i in range(60)])
        text, *_ = run(capsys, tmp_path, *table, "--target", "y")
        assert "names of samples" not in text


def test_columns_that_tell_when_or_who(tmp_path, capsys):
    """Told of where they are features; not where they are used for the folds, or do not fall in order."""
    year = np.arange(60) // 4 + 1990
    table, *_ = write_table(tmp_path / "t.csv", Year=year, subject_id=np.arange(60) % 20)
    text, _, record = run(capsys, tmp_path, *table, "--target", "y")
    assert "column Year rises from sample to sample, but folds are drawn at random" in text
    assert "column subject_id repeats, and is taken for a feature: if it names whose samples" in text
    assert sum("--time-order Year" in note for note in record["samples"]["notes"]) == 1
    assert "--time-order Year keeps it from them" in (tmp_path / "out.html").read_text()
    text, *_ = run(capsys, tmp_path, *table, "--target", "y", "--time-order", "Year")
    assert "rises" not in text
    assert "repeats" not in text
    table, *_ = write_table(tmp_path / "t.csv", year=np.roll(year, 9))
    text, *_ = run(capsys, tmp_path, *table, "--target", "y")
    assert "rises" not in text


def test_times_are_read_in_their_order():
    cells = ["1999-12-31", "2000-01-01 12:30", "2000-01-01 12:31:05", "2000Q2", "2000-04-02", "2000M05",
             "2000W23", "2000/07/01", "2001"]  # fmt: skip
    assert np.all(np.diff(read_times(cells, "")) > 0.0)
    assert read_times(["1999", "-3", "2e3"], "").tolist() == [1999.0, -3.0, 2000.0]
    for cell in ("1999-13-01", "03/04/1999", "spring"):
        with pytest.raises(ValueError, match="where must hold numbers, or dates that begin with the year"):
            read_times(["1999-01-01", cell], "where")


def test_patience_ends_a_grid_and_nothing_that_was_asked_for(tmp_path, capsys):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((80, 40))
    y = X[:, 0] - X[:, 1] + 1.5 * rng.standard_normal(80)
    names = [f"g{j}" for j in range(40)]
    rows = [",".join(["id", *names, "y"]), *(",".join(map(str, (f"s{i}", *X[i], y[i]))) for i in range(80))]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    table = ["--matrix", tmp_path / "t.csv", "--target", "y", "--cv", 5, "--eps", 1e-3]

    text, cv, record = run(capsys, tmp_path, *table)
    peer = riata.cv_path(X, y, cv=5, eps=1e-3, patience=10)
    assert cv.path.stop_reason == "patience"
    assert len(cv.path) == len(peer.path) < 100
    assert "where the path ended: held-out samples had scored worse" in " ".join(text.split())
    assert record["options"]["patience"] is None
    _, whole, _ = run(capsys, tmp_path, *table, "--patience", "off")
    assert len(whole.path) == 100
    assert (whole.alpha_min, whole.alpha_1se) == (cv.alpha_min, cv.alpha_1se)
    _, two, _ = run(capsys, tmp_path, *table, "--patience", 2)
    assert len(two.path) == len(cv.path) - 8

    last = peer.path.alpha_max * 2e-3
    _, cv, _ = run(capsys, tmp_path, *table, "--alpha", last)
    assert len(cv.path) == 100
    given = ",".join(f"{alpha:.6g}" for alpha in whole.path.alphas[::4])
    _, cv, _ = run(capsys, tmp_path, *table, "--alphas", given)
    assert len(cv.path) == 25
    _, cv, _ = run(capsys, tmp_path, *table, "--alphas", given, "--patience", 2)
    assert cv.path.stop_reason == "patience"


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "never"])
def test_bad_patience(tmp_path, capsys, text):
    table, *_ = write_table(tmp_path / "t.csv")
    told = run(capsys, tmp_path, *table, "--target", "y", "--patience", text, code=2)
    assert f"expected a whole number >= 1, or off, got '{text}'" in told


def test_a_run_with_other_patience_is_not_gone_on_with(tmp_path, capsys, monkeypatch):
    table, *_ = write_table(tmp_path / "t.csv", n=40)
    asked = [*table, "--target", "y", "--cv", 3]
    fit = riata.cv_path

    def cut_short(*args, **arguments):
        fit(*args, **arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(riata, "cv_path", cut_short)
    assert "--resume goes on" in run(capsys, tmp_path, *asked, code=130)
    monkeypatch.undo()
    told = run(capsys, tmp_path, *asked, "--patience", "off", "--resume", code=2)
    assert "--patience was 10, is off" in told
    assert "--patience was 10, is off" in run(capsys, tmp_path, *asked, "--alpha", "0.5", "--resume", code=2)
    run(capsys, tmp_path, *asked, "--resume")
