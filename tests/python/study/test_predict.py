"""Scores of new samples: weights files, alleles the other way round, variants and levels that are missing."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import riata
from riata.cli.parser import main
from riata.genetics.score_file import read_weights
from riata.path.evaluation import evaluate

DATA = Path(__file__).parents[2] / "data" / "genotypes"
TINY, PHENO = DATA / "tiny", DATA / "tiny.phe"


def run(*arguments):
    return main([str(argument) for argument in arguments])


def read_tsv(path):
    rows = [line.split("\t") for line in Path(path).read_text().splitlines() if not line.startswith("#")]
    return {name: [row[k] for row in rows[1:]] for k, name in enumerate(rows[0])}


@pytest.fixture(scope="module")
def covariates(tmp_path_factory):
    """Ages, and towns as text."""
    samples = riata.open_genotypes(TINY).samples
    path = tmp_path_factory.mktemp("covariates") / "c.txt"
    towns = ["Rome", "Oslo", "Rome", "Kyiv", "Rome"]
    rows = [
        f"{f} {i} {30 + k % 17} {towns[k % 5]}"
        for k, (f, i) in enumerate(zip(samples.fid, samples.iid, strict=True))
    ]
    path.write_text("FID IID age town\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def height(tmp_path_factory, covariates):
    """A fit of height with covariates, and its prefix."""
    out = tmp_path_factory.mktemp("height") / "height"
    study = ["--bfile", TINY, "--pheno", PHENO, "--pheno-name", "height", "--covar", covariates]
    assert run("fit", *study, "--alphas", 20, "--eps", 0.1, "--out", out, "--quiet") == 0
    return out


def copy(tmp_path, edit):
    """The tiny fileset with an edited .bim; `edit` maps the cells of a line."""
    for suffix in ("bed", "fam"):
        (tmp_path / f"g.{suffix}").write_bytes(Path(f"{TINY}.{suffix}").read_bytes())
    rows = [line.split("\t") for line in Path(f"{TINY}.bim").read_text().splitlines()]
    (tmp_path / "g.bim").write_text("\n".join("\t".join(edit(row)) for row in rows) + "\n")
    return tmp_path / "g"


def scores(out):
    return np.array(read_tsv(f"{out}.scores.tsv")["SCORE"], dtype=float)


def test_classes_are_coded_as_in_the_fit(tmp_path, height, covariates):
    out = tmp_path / "p"
    arguments = ["--model", f"{height}.path.npz", "--bfile", TINY, "--covar", covariates, "--out", out]
    assert run("predict", *arguments, "--quiet") == 0
    table = read_tsv(f"{out}.scores.tsv")
    fit = riata.load(f"{height}.path.npz")
    assert list(fit.feature_names)[60:] == ["age", "town=Kyiv", "town=Oslo"]
    rows = dict(
        zip(
            [line.split()[1] for line in covariates.read_text().splitlines()[1:]],
            [line.split()[2:] for line in covariates.read_text().splitlines()[1:]],
            strict=True,
        )
    )
    beside = np.array(
        [[float(a), t == "Kyiv", t == "Oslo"] for a, t in (rows[name] for name in table["IID"])], dtype=float
    )
    expected = np.array(table["SCORE"], dtype=float) + fit.intercepts[-1] + beside @ fit.coefs[60:, -1]
    assert_allclose(np.array(table["PREDICTION"], dtype=float), expected, rtol=1e-8)


def test_an_unknown_level_is_refused(tmp_path, height, covariates, capsys):
    new = tmp_path / "new.txt"
    new.write_text(covariates.read_text().replace("Oslo", "Bonn"))
    arguments = ["--model", f"{height}.path.npz", "--bfile", TINY, "--covar", new, "--out", tmp_path / "p"]
    assert run("predict", *arguments) == 2
    assert "line 3: covariate town is 'Bonn', a level the model was not fitted to" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["new.txt"]


@pytest.mark.parametrize("suffix", ["weights.tsv", "score"])
def test_score_files_are_the_genetic_part(tmp_path, height, covariates, suffix):
    arguments = ["--model", f"{height}.path.npz", "--covar", covariates, "--bfile", TINY]
    assert run("predict", *arguments, "--out", tmp_path / "model", "--quiet") == 0
    arguments = ["--weights", f"{height}.{suffix}", "--bfile", TINY, "--out", tmp_path / "file"]
    assert run("predict", *arguments, "--quiet") == 0
    called = np.array(read_tsv(tmp_path / "file.scores.tsv")["MISSING_CALLS"], dtype=int) == 0
    assert_allclose(scores(tmp_path / "file")[called], scores(tmp_path / "model")[called], rtol=1e-7)


def test_weights_without_frequencies_take_those_of_the_cohort(tmp_path, height):
    out = tmp_path / "p"
    assert run("predict", "--weights", f"{height}.score", "--bfile", TINY, "--out", out, "--quiet") == 0
    weights = read_weights(f"{height}.score")
    geno = riata.open_genotypes(TINY)
    where = [list(geno.variants.id).index(name) for name in weights.id]
    X = geno.to_numpy(where)
    on_x = np.isin([geno.variants.chrom[j] for j in where], ["X", "23"])
    men = np.array(list(geno.samples.sex)) == "1"
    alleles = np.where(men[:, None] & on_x, 1.0, 2.0) * ~np.isnan(X)  # as in PLINK's frequencies
    X = np.where(np.isnan(X), np.nansum(X * alleles, axis=0) / alleles.sum(axis=0), X)
    assert_allclose(scores(out), X @ weights.weight, rtol=1e-8)


def test_alleles_the_other_way_round(tmp_path, height):
    swapped = copy(tmp_path, lambda row: [*row[:4], row[5], row[4]])  # the same calls, named the other way
    other = tmp_path / "score"
    rows = read_tsv(f"{height}.weights.tsv")
    lines = [
        f"{i}\t{o}\t{e}\t{-float(w)!r}"
        for i, e, o, w in zip(
            rows["rsID"], rows["effect_allele"], rows["other_allele"], rows["effect_weight"], strict=True
        )
    ]
    other.write_text("ID\teffect_allele\tother_allele\teffect_weight\n" + "\n".join(lines) + "\n")
    arguments = ["predict", "--bfile", TINY, "--quiet", "--weights"]
    assert run(*arguments, f"{height}.score", "--out", tmp_path / "a") == 0
    assert run(*arguments, other, "--out", tmp_path / "b") == 0
    assert np.ptp(scores(tmp_path / "a") - scores(tmp_path / "b")) < 1e-7  # 2 - x and a constant
    log = (tmp_path / "b.log").read_text()
    assert f"{len(lines)} variants name their alleles the other way round" in log
    either = sum(
        {e, o} in ({"A", "T"}, {"C", "G"})
        for e, o in zip(rows["effect_allele"], rows["other_allele"], strict=True)
    )
    assert (f"{either} of them are A/T or C/G" in log) == (either > 0)
    assert (
        run("predict", "--weights", f"{height}.score", "--bfile", swapped, "--quiet", "--out", tmp_path / "c")
        == 0
    )
    total = sum(map(float, rows["effect_weight"]))
    assert_allclose(scores(tmp_path / "c"), 2.0 * total - scores(tmp_path / "a"), rtol=1e-6, atol=1e-8)


def test_variants_by_position(tmp_path, height):
    rows = read_tsv(f"{height}.weights.tsv")
    names = ["chr_name", "chr_position", "effect_allele", "effect_weight"]
    lines = ["\t".join(cells) for cells in zip(*(rows[name] for name in names), strict=True)]
    pgs = tmp_path / "pgs.txt"
    pgs.write_text(
        "###PGS\n#pgs_name=x\n" + "\t".join(names) + "\n" + "\n".join(f"chr{line}" for line in lines) + "\n"
    )
    arguments = ["predict", "--bfile", TINY, "--quiet", "--weights"]
    assert run(*arguments, pgs, "--out", tmp_path / "a") == 0
    assert run(*arguments, f"{height}.score", "--out", tmp_path / "b") == 0
    assert_allclose(scores(tmp_path / "a"), scores(tmp_path / "b"), rtol=1e-9)


def test_missing_variants_stand_at_their_mean(tmp_path, height, covariates, capsys):
    fit = riata.load(f"{height}.path.npz")
    rows = read_tsv(f"{height}.hits.tsv")
    gone, changed = rows["ID"][:2]

    def edit(row):
        if row[1] == changed:
            return [*row[:4], "CCC", "GGG"]
        return [row[0], "other", row[2], "9", *row[4:]] if row[1] == gone else row

    new = copy(tmp_path, edit)
    arguments = ["predict", "--model", f"{height}.path.npz", "--covar", covariates, "--bfile"]
    assert run(*arguments, new, "--out", tmp_path / "p") == 2
    said = capsys.readouterr().err
    assert f"variant {changed} has alleles CCC and GGG, but the model counts" in said
    assert "--allow-missing lets the mean stand in" in said
    assert run(*arguments, new, "--out", tmp_path / "p", "--allow-missing") == 0
    missing = read_tsv(tmp_path / "p.missing.tsv")
    reasons = dict(zip(missing["ID"], missing["REASON"], strict=True))
    assert reasons == {gone: "not in it", changed: "has alleles CCC and GGG"}
    assert "2 of" in capsys.readouterr().out
    assert json.loads((tmp_path / "p.json").read_text())["missing_variants"] == 2

    assert run(*arguments, TINY, "--out", tmp_path / "q", "--quiet") == 0
    where = [int(name.removeprefix("rs")) - 1 for name in (gone, changed)]
    X = riata.open_genotypes(TINY).to_numpy(where)
    centred = np.where(np.isnan(X), 0.0, X - fit.mean[where])
    expected = scores(tmp_path / "q") - centred @ fit.coefs[where, -1]
    assert_allclose(scores(tmp_path / "p"), expected, rtol=1e-7)


def test_the_other_strand_is_told_but_not_taken(tmp_path, height, covariates, capsys):
    flip = str.maketrans("ACGT", "TGCA")
    name = next(
        i
        for i, e, o in zip(
            *(read_tsv(f"{height}.hits.tsv")[k] for k in ("ID", "EFFECT_ALLELE", "OTHER_ALLELE")), strict=True
        )
        if {e, o} not in ({"A", "T"}, {"C", "G"})
    )
    new = copy(
        tmp_path, lambda row: [*row[:4], *(a.translate(flip) for a in row[4:])] if row[1] == name else row
    )
    arguments = ["predict", "--model", f"{height}.path.npz", "--covar", covariates, "--bfile", new]
    assert run(*arguments, "--out", tmp_path / "p") == 2
    assert "which may be the other strand" in capsys.readouterr().err


def test_how_good_the_score_is(tmp_path, height, covariates, capsys):
    out = tmp_path / "p"
    arguments = ["--model", f"{height}.path.npz", "--bfile", TINY, "--covar", covariates, "--pheno", PHENO]
    assert run("predict", *arguments, "--out", out) == 0
    table = read_tsv(f"{out}.scores.tsv")
    phenotypes = read_tsv(PHENO)
    value = dict(zip(phenotypes["IID"], phenotypes["height"], strict=True))
    value = {name: "nan" if cell in ("NA", "-9") else cell for name, cell in value.items()}
    y = np.array([float(value.get(name, "nan")) for name in table["IID"]])
    link = np.array(table["PREDICTION"], dtype=float)
    known = np.isfinite(y)
    found = json.loads(Path(f"{out}.json").read_text())["evaluation"]
    expected = evaluate(y[known], link[known])
    assert found["n"] == known.sum() == 42
    assert found["r2"]["value"] == pytest.approx(expected.measures["r2"].value)
    assert found["r2_increment"]["value"] == pytest.approx(
        found["r2"]["value"] - found["r2_covariates"]["value"]
    )
    told = capsys.readouterr().out
    assert "samples scored: 42\n" in told
    assert (
        told.count("note: 42 of the 42 samples compared go by the id of a sample of the fit: if they are")
        == 1
    )
    weights = ["--weights", f"{height}.score", "--bfile", TINY, "--pheno", PHENO, "--pheno-name", "disease"]
    assert run("predict", *weights, "--loss", "binomial", "--out", out, "--quiet") == 0
    found = json.loads(Path(f"{out}.json").read_text())["evaluation"]
    assert set(found) == {"part", "loss", "n", "n_cases", "nothing_selected", "auc"}


MODEL = ["--model", "MODEL"]
PLAIN = ["--weights", "WEIGHTS", "--loss", "gaussian"]
BAD = {
    "neither": (["--bfile", TINY], "exactly one of --model and --weights"),
    "both": ([*MODEL, "--weights", "w", "--bfile", TINY], "exactly one of --model and --weights"),
    "alpha of weights": (["--weights", "w", "--alpha", "1", "--bfile", TINY], "--alpha is for --model"),
    "weights of a table": (["--weights", "w", "--matrix", "t.csv"], "--weights is for genotypes"),
    "loss of a model": ([*MODEL, "--loss", "gaussian", "--bfile", TINY], "a model knows its own"),
    "sample of a bed": ([*MODEL, "--sample", "s", "--bfile", TINY], "--sample is for --bgen"),
    "name without a file": (
        [*PLAIN, "--pheno-name", "y", "--bfile", TINY],
        "column 'y' needs --pheno FILE; ",
    ),
    "covariates without a file": ([*MODEL, "--bfile", TINY], "give them with --covar FILE"),
    "alpha too small": (
        [*MODEL, "--alpha", "1e-9", "--bfile", TINY],
        "--alpha 1e-09 lies outside the fitted path, which goes from",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_requests(tmp_path, capsys, height, case):
    arguments, message = BAD[case]
    given = {"MODEL": f"{height}.path.npz", "WEIGHTS": f"{height}.weights.tsv"}
    arguments = [given.get(item, item) for item in arguments]
    assert run("predict", *arguments, "--out", tmp_path / "p") == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rs1 A 0.5\n", "a score file needs columns for the variant .* the first line has rs1, A, 0.5"),
        ("ID A1\nrs1 A\n", "a score file needs columns"),
        ("ID A1 BETA\n", "no rows below the header"),
        ("ID A1 BETA\nrs1 A x\n", "line 2: 'x' is not a number"),
        ("ID A1 BETA\nrs1 A NA\n", "line 2: the weight of rs1 is missing"),
        ("ID A1 BETA\nrs1 . 1\n", "line 2: the effect allele of rs1 is missing"),
        ("ID A1 BETA\nrs1 A 1\nrs1 A 2\n", "line 3: variant rs1 is listed more than once"),
    ],
)
def test_bad_score_files(tmp_path, text, message):
    path = tmp_path / "w.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_weights(path)


def test_row_numbers_are_no_names_of_the_samples_of_a_fit(tmp_path, capsys):
    rng = np.random.default_rng(0)
    for name in ("train", "test"):
        X = rng.standard_normal((50, 5))
        table = np.c_[np.arange(1, 51), X, X[:, 0] + 0.3 * rng.standard_normal(50)]
        head = "id,a,b,c,d,e,y"
        np.savetxt(tmp_path / f"{name}.csv", table, delimiter=",", comments="", header=head, fmt="%.9g")
    fit = ["cv", "--matrix", tmp_path / "train.csv", "--target", "y", "--out", tmp_path / "m"]
    assert main([*map(str, fit)]) == 0
    score = [
        "predict",
        "--model",
        tmp_path / "m.path.npz",
        "--matrix",
        tmp_path / "test.csv",
        "--out",
        tmp_path / "s",
    ]
    capsys.readouterr()
    assert main([*map(str, score)]) == 0
    told = capsys.readouterr().out
    assert "samples scored: 50" in told
    assert "by the id of a sample of the fit" not in told
