"""What a fit writes, as PLINK 2 and the PGS Catalog's own reader (pgscatalog-core) take it.

`RIATA_PGS_PYTHON` names a Python that has pgscatalog-core, where it is not this one.
"""

import importlib.util
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from genotype_files import random_dosages, write_bgen, write_pgen
from numpy.testing import assert_allclose, assert_array_equal
from support import write_plink

import riata
from riata.cli.parser import main
from riata.genetics.score_file import read_weights

A_FEW = 20  # samples; PLINK 2 asks for 50, or for frequencies


def run(*arguments):
    assert main([str(argument) for argument in arguments]) == 0


def table(path):
    header, *rows = (
        line.split() for line in Path(path).read_text().splitlines() if not line.startswith("##")
    )
    return {name.lstrip("#"): np.array([row[k] for row in rows]) for k, name in enumerate(header)}


def counts(n, p, seed, missing=0.0):
    rng = np.random.default_rng(seed)  # or a generator
    X = rng.binomial(2, 0.4, (n, p)).astype(float)
    X[rng.random((n, p)) < missing] = np.nan
    return X


def place_by_sex(X, chrom, sex):
    """Haploid calls stored as homozygous; none on Y in women."""
    haploid = np.isin(chrom, ["MT"]) | (np.isin(chrom, ["X", "Y"]) & (sex == 1)[:, None])
    X = np.where(haploid, 2 * np.round(X / 2), X)
    return np.where((chrom == "Y") & (sex == 2)[:, None], np.nan, X)


def write(stem, X, variants, sex=None):
    """A fileset with these lines of the .bim: (chromosome, id, position, A1, A2), X the copies of A1."""
    write_plink(stem, X, sex=None if sex is None else list(sex))
    lines = (f"{chrom}\t{name}\t0\t{pos}\t{a1}\t{a2}\n" for chrom, name, pos, a1, a2 in variants)
    Path(f"{stem}.bim").write_text("".join(lines))
    return stem


def fit(out, stem, y, *arguments):
    """Fit `y`, at an alpha that leaves most variants in; the path and the record of the run."""
    pheno = Path(f"{stem}.pheno")
    lines = [f"f{i} i{i} {value}\n" for i, value in enumerate(y)]
    pheno.write_text("FID IID y\n" + "".join(lines))
    alpha = [] if "--alpha" in arguments else ["--alpha", 0.01]
    run("fit", "--bfile", stem, "--pheno", pheno, "--out", out, "--quiet", *alpha, *arguments)
    return riata.load(f"{out}.path.npz"), json.loads(Path(f"{out}.json").read_text())


def effect_of(X, seed=0):
    """A response that depends on every column, so that a fit selects it."""
    rng = np.random.default_rng(seed)
    filled = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
    return filled @ rng.uniform(0.5, 1.5, X.shape[1]) + 0.1 * rng.standard_normal(len(X))


def plink_sums(command, new, out, label=""):
    words = [word.replace("NEW", str(new)).replace("CLASS", label) for word in shlex.split(command)]
    done = subprocess.run([*words, "--out", str(out), "--threads", "1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return table(f"{out}.sscore")["SCORE1_SUM"].astype(float)


def predicted(out, new, prefix):
    run("predict", "--model", f"{prefix}.path.npz", "--bfile", new, "--out", out, "--quiet")
    return table(f"{out}.scores.tsv")["SCORE"].astype(float)


def score_of(path, X, alpha=0.01):
    """The genetic part by hand: missing calls at the means of the fit."""
    return np.where(np.isnan(X), path.mean[: X.shape[1]], X) @ path.coef(alpha)[: X.shape[1]]


@pytest.fixture
def sexes(tmp_path):
    """A fileset with X, Y and MT, and a smaller one of others, whose alleles are in part the other way."""
    chrom = np.array(["1", "1", "X", "X", "Y", "Y", "XY", "MT", "MT"])
    variants = [(name, f"rs{j}", 3_000_000 + j, "A", "G") for j, name in enumerate(chrom)]
    sex = 1 + np.arange(80) % 2
    X = place_by_sex(counts(80, 9, 1, 0.05), chrom, sex)
    old = write(tmp_path / "old", X, variants, sex)
    others = np.arange(A_FEW) % 3  # also of unknown sex, without calls on Y
    Z = place_by_sex(counts(A_FEW, 9, 2, 0.08), chrom, others)
    Z[(others == 0)[:, None] & (chrom == "Y")] = np.nan
    turned = np.arange(9) % 2 == 1
    new = write(
        tmp_path / "new",
        np.where(turned, 2 - Z, Z),
        [(*row[:3], *row[:2:-1]) if turn else row for row, turn in zip(variants, turned, strict=True)],
        others,
    )
    return X, old, Z, new


@pytest.mark.parametrize("counted", ["A1", "A2"])
def test_printed_command_makes_our_sums_on_every_chromosome(tmp_path, plink2, sexes, counted):
    """For men, women and samples of unknown sex, with missing calls, below 50 samples, a blank in a name."""
    X, old, Z, new = sexes
    out = tmp_path / "my study" / "m"
    path, record = fit(out, old, effect_of(X), "--counted-allele", counted)
    assert np.all(path.coef(0.01) != 0.0)
    sums = plink_sums(record["scoring"]["command"], new, tmp_path / "z")
    assert_allclose(sums, score_of(path, Z if counted == "A1" else 2 - Z), rtol=5e-6, atol=1e-5)
    assert_allclose(sums, predicted(tmp_path / "p", new, out), rtol=5e-6, atol=1e-5)
    assert any("PLINK counts Y in men alone" in note for note in record["scoring"]["notes"])


ALLELES = [("A", "G"), ("G", "C"), ("AT", "A"), ("<DEL>", "C"), ("a", "t"), ("*", "A"), ("ACGT" * 8, "A")]


@pytest.mark.parametrize("seed", range(6))
def test_random_filesets(tmp_path, plink2, seed):
    """Chromosomes, ids, alleles and missing calls of any kind, and alleles the other way round in the new."""
    rng = np.random.default_rng(seed)
    order = ["1", "2", "10", "X", "Y", "XY", "MT"]
    chrom = np.array(["1", *sorted(rng.choice(order, 7), key=order.index)])
    names = [".", "rs1", "x", "rs9", *(f"1:{j}" for j in range(4))]
    variants = [
        (name, names[rng.integers(8)], 3_000_000 + j, *ALLELES[rng.integers(7)])
        for j, name in enumerate(chrom)
    ]
    sex, others = rng.integers(1, 3, 80), rng.integers(0, 3, 30)
    X = place_by_sex(counts(80, 8, rng, 0.05), chrom, sex)
    Z = place_by_sex(counts(30, 8, rng, 0.1), chrom, others)
    Z[(others == 0)[:, None] & (chrom == "Y")] = np.nan
    turned = rng.random(8) < 0.5
    old = write(tmp_path / "old", X, variants, sex)
    lines = [(*row[:3], *row[:2:-1]) if turn else row for row, turn in zip(variants, turned, strict=True)]
    new = write(tmp_path / "new", np.where(turned, 2 - Z, Z), lines, others)
    path, record = fit(tmp_path / "m", old, effect_of(X), "--alpha", 0.05)
    sums = plink_sums(record["scoring"]["command"], new, tmp_path / "z")
    assert_allclose(sums, score_of(path, Z, 0.05), rtol=1e-5, atol=1e-4)
    assert_allclose(sums, predicted(tmp_path / "p", new, tmp_path / "m"), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("kind", ["pgen", "bgen"])
def test_dosages(tmp_path, plink2, kind):
    """To the precision of PLINK's dosages, 1/16384."""
    pytest.importorskip("pgenlib" if kind == "pgen" else "bgen")
    dosages = random_dosages(80, 6, missing=0.1 if kind == "pgen" else 0.0, seed=5)
    new, X = tmp_path / "new", dosages.T.astype(float)
    if kind == "pgen":
        write_pgen(new, dosages, dosages=True)
    else:
        write_bgen(new, dosages, bits=16)
        samples = "".join(f"i{k} i{k} 0\n" for k in range(80))
        Path(f"{new}.sample").write_text("ID_1 ID_2 missing\n0 0 0\n" + samples)
    pheno = tmp_path / "p.txt"
    names = [f"i{k}" for k in range(80)]
    pheno.write_text("IID y\n" + "".join(f"{i} {v}\n" for i, v in zip(names, effect_of(X), strict=True)))
    genotypes = ["--pfile", new] if kind == "pgen" else ["--bgen", f"{new}.bgen"]
    run("fit", *genotypes, "--pheno", pheno, "--out", tmp_path / "m", "--alpha", 0.01, "--quiet")
    path, record = riata.load(tmp_path / "m.path.npz"), json.loads((tmp_path / "m.json").read_text())
    sums = plink_sums(record["scoring"]["command"], new, tmp_path / "z")
    assert_allclose(sums, score_of(path, X), atol=2e-4)


def test_variants_on_y_alone(tmp_path, plink2, sexes):
    """There is no other variant to add the mean of Y, so it is told."""
    X, old, Z, new = sexes
    path, record = fit(tmp_path / "m", old, effect_of(X), "--chr", "Y")
    told = next(note for note in record["scoring"]["notes"] if "all variants are on Y: add" in note)
    mean = float(told.split("add ")[1].split(" ")[0])
    sums = plink_sums(record["scoring"]["command"], new, tmp_path / "z")
    assert_allclose(sums + mean, score_of(path, Z[:, 4:6]), rtol=5e-6, atol=1e-5)


def test_frequencies_are_those_of_the_fit(tmp_path, sexes):
    X, old, _, _ = sexes
    fit(tmp_path / "m", old, effect_of(X))
    afreq = table(tmp_path / "m.afreq")
    column = [int(name.removeprefix("rs")) for name in afreq["ID"]]
    assert sorted(column) == list(range(9))
    assert_allclose(afreq["ALT_FREQS"].astype(float), np.nanmean(X, axis=0)[column] / 2)
    assert set(afreq["ALT"]) == {"A"}
    assert set(afreq["REF"]) == {"G"}


@pytest.mark.parametrize(
    ("chr_set", "chrom"),
    [("cow", ["1", "29", "X", "MT"]), ("dog", ["23", "38", "X", "Y"]), ("rice", ["1", "2", "7", "12"])],
)
def test_other_species(tmp_path, plink2, chr_set, chrom):
    variants = [(name, f"v{j}", 100 + j, "A", "G") for j, name in enumerate(chrom)]
    X = 2.0 * (counts(60, 4, 3, 0.1) > 1)
    stem = write(tmp_path / "s", X, variants, np.ones(60, dtype=int))
    path, record = fit(tmp_path / "m", stem, effect_of(X), "--chr-set", chr_set)
    sums = plink_sums(record["scoring"]["command"], stem, tmp_path / "z")
    assert_allclose(sums, score_of(path, X), rtol=5e-6, atol=1e-5)


def test_contigs(tmp_path, plink2):
    X = counts(60, 3, 4, 0.1)
    variants = [("scaffold_7", "a", 5, "A", "G"), ("chrUn_1", "b", 5, "A", "G"), ("3", "c", 5, "A", "G")]
    stem = write(tmp_path / "s", X, variants)
    path, record = fit(tmp_path / "m", stem, effect_of(X))
    assert "--allow-extra-chr" in record["scoring"]["command"]
    sums = plink_sums(record["scoring"]["command"], stem, tmp_path / "z")
    assert_allclose(sums, score_of(path, X), rtol=5e-6, atol=1e-5)


BLANK = [("1", "rs1", 100, "A", "G"), ("1", ".", 200, "AT", "A"), ("01", ".", 200, "C", "G")]
REPEATED = [("1", "rs1", 100, "A", "G"), ("chr2", "rs1", 100, "G", "A"), ("X", ".", 200, "C", "T")]


@pytest.mark.parametrize("variants", [BLANK, REPEATED], ids=["blank", "repeated"])
def test_ids_that_do_not_tell_variants_apart(tmp_path, plink2, variants):
    X = counts(60, 3, 5, 0.1)
    stem = write(tmp_path / "s", X, variants)
    path, record = fit(tmp_path / "m", stem, effect_of(X))
    told = (
        "3 selected variants share their id with another"
        if variants is REPEATED
        else "2 selected variants have no id"
    )
    assert record["scoring"]["notes"][0].startswith(told)
    sums = plink_sums(record["scoring"]["command"], stem, tmp_path / "z")
    assert_allclose(sums, score_of(path, X), rtol=5e-6, atol=1e-5)


def test_an_id_that_an_unselected_variant_has_too(tmp_path, plink2):
    """PLINK refuses a weight for an id that it finds twice, whichever of the two was selected."""
    X = counts(60, 2, 6)
    stem = write(tmp_path / "s", X, [("1", "rs1", 100, "A", "G"), ("1", "rs1", 300, "A", "G")])
    path, record = fit(tmp_path / "m", stem, 1.5 * X[:, 1], "--alpha", 0.1)
    assert np.flatnonzero(path.coef(0.1)).tolist() == [1]
    sums = plink_sums(record["scoring"]["command"], stem, tmp_path / "z")
    assert_allclose(sums, score_of(path, X, 0.1), rtol=5e-6, atol=1e-5)


@pytest.mark.parametrize("turned", [True, False], ids=["turned", "same"])
def test_a_variant_listed_twice(tmp_path, plink2, turned):
    """Its alleles the other way round or not; an elastic net selects both."""
    X = counts(60, 2, 7)
    X[:, 1] = 2 - X[:, 0] if turned else X[:, 0]
    second = ("G", "A") if turned else ("A", "G")
    stem = write(tmp_path / "s", X, [("1", "rs1", 100, "A", "G"), ("1", "rs1", 100, *second)])
    path, record = fit(tmp_path / "m", stem, X[:, 0] * 1.5, "--alpha", 0.1, "--l1-ratio", 0.5)
    assert len(np.flatnonzero(path.coef(0.1))) == 2
    weights = read_weights(tmp_path / "m.weights.tsv")
    copies = np.where(weights.effect == "A", X[:, :1], 2 - X[:, :1])
    assert_allclose(copies @ weights.weight, score_of(path, X, 0.1))
    sums = plink_sums(record["scoring"]["command"], stem, tmp_path / "z")
    assert_allclose(sums, score_of(path, X, 0.1), rtol=5e-6, atol=1e-5)


def test_blank_and_unplaced_variants_are_left_out_and_told(tmp_path, plink2):
    X = counts(60, 2, 8)
    stem = write(tmp_path / "s", X, [("1", "rs1", 100, "A", "G"), ("0", ".", 0, "A", "G")])
    path, record = fit(tmp_path / "m", stem, effect_of(X))
    assert any("1 of them has no place either and is left out" in note for note in record["scoring"]["notes"])
    sums = plink_sums(record["scoring"]["command"], stem, tmp_path / "z")
    assert_allclose(sums, X[:, 0] * path.coef(0.01)[0], rtol=5e-6, atol=1e-5)


def test_variants_without_a_place(tmp_path, plink2):
    """Their frequencies are read as those of others; there are too few samples for PLINK to estimate any."""
    X = counts(A_FEW, 2, 8, 0.2)
    stem = write(tmp_path / "s", X, [("0", "a", 0, "A", "G"), ("1", "b", 100, "A", "G")])
    path, record = fit(tmp_path / "m", stem, effect_of(X))
    sums = plink_sums(record["scoring"]["command"], stem, tmp_path / "z")
    assert_allclose(sums, score_of(path, X), rtol=5e-6, atol=1e-5)


def test_a_file_for_each_class(tmp_path, plink2, sexes):
    X, old, Z, new = sexes
    score = effect_of(X)
    cuts = np.quantile(score, [0.3, 0.6])
    labels = np.array(["low", "middle", "very high"])[np.searchsorted(cuts, score)]
    pheno = tmp_path / "classes.tsv"
    pheno.write_text("FID\tIID\ty\n" + "".join(f"f{i}\ti{i}\t{label}\n" for i, label in enumerate(labels)))
    run("fit", "--bfile", old, "--pheno", pheno, "--loss", "multinomial", "--out", tmp_path / "m", "--quiet")
    path, command = riata.load(tmp_path / "m.path.npz"), json.loads((tmp_path / "m.json").read_text())
    coef = np.asarray(path.coef(path.alphas[-1]))
    expected = np.where(np.isnan(Z), path.mean, Z) @ coef
    for k, label in enumerate(["low", "middle", "very_high"]):
        sums = plink_sums(command["scoring"]["command"], new, tmp_path / "z", label)
        assert_allclose(sums, expected[:, k], rtol=5e-6, atol=1e-5)


# Score files applied as PLINK 2 does


def applied(out, weights, new, *arguments):
    run("predict", "--weights", weights, "--bfile", new, "--out", out, "--quiet", *arguments)
    return table(f"{out}.scores.tsv")["SCORE"].astype(float)


def test_our_score_files_are_read_back(tmp_path, sexes):
    """`PREFIX.score` makes the model's sums; `PREFIX.weights.tsv` PLINK's, with no copies on Y in women."""
    X, old, Z, new = sexes
    path, _ = fit(tmp_path / "m", old, effect_of(X))
    women = np.arange(A_FEW) % 3 != 1
    called = ~np.isnan(Z[:, [0, 1, 2, 3, 6, 7, 8]]).any(axis=1)  # PREFIX.score knows no frequencies
    sums = applied(tmp_path / "s", tmp_path / "m.score", new)
    men = ~women & ~np.isnan(Z).any(axis=1)
    assert men.sum() > 1
    assert (women & called).sum() > 1
    assert_allclose(sums[men | (women & called)], score_of(path, Z)[men | (women & called)], rtol=1e-9)
    sums = applied(tmp_path / "w", tmp_path / "m.weights.tsv", new)
    on_y = path.mean[4:6] @ path.coef(0.01)[4:6]
    assert_allclose(sums, score_of(path, Z) - np.where(women, on_y, 0.0), rtol=1e-9)


@pytest.mark.parametrize("kind", ["additive", "dominant", "recessive"])
def test_weights_by_effect_type(tmp_path, plink2, sexes, kind):
    """PLINK has the modifiers for a whole file, and not on haploid chromosomes and X."""
    _, _, _, new = sexes
    rows = range(9) if kind == "additive" else [0, 1, 6]
    lines = [f"rs{j}\t{'AG'[j % 3 == 0]}\t{j + 1}\t{kind}\n" for j in rows]
    score, afreq = tmp_path / "s.txt", tmp_path / "f"
    score.write_text("ID\tA1\tBETA\teffect_type\n" + "".join(lines))
    plink2("--bfile", new, "--freq")
    (tmp_path / "out.afreq").rename(afreq)
    modifier = [] if kind == "additive" else [kind]
    plink2(
        "--bfile",
        new,
        "--read-freq",
        afreq,
        "--score",
        score,
        1,
        2,
        3,
        "header",
        *modifier,
        "cols=+scoresums",
    )
    theirs = table(tmp_path / "out.sscore")["SCORE1_SUM"].astype(float)
    frequencies = table(afreq)
    of_alt = dict(zip(frequencies["ID"], frequencies["ALT_FREQS"].astype(float), strict=True))
    alt = dict(zip(frequencies["ID"], frequencies["ALT"], strict=True))
    told = []
    for line in lines:
        name, allele = line.split("\t")[:2]
        told.append(f"{line.rstrip()}\t{of_alt[name] if alt[name] == allele else 1 - of_alt[name]:.12g}\n")
    score.write_text("ID\tA1\tBETA\teffect_type\tEAF\n" + "".join(told))
    assert_allclose(applied(tmp_path / "p", score, new), theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["additive", "dominant", "recessive"])
def test_weights_by_effect_type_of_dosages(tmp_path, plink2, kind):
    """At most one copy, and what is above one: a line between whole copies."""
    pytest.importorskip("pgenlib")
    dosages = random_dosages(60, 6, missing=0.1, seed=3)
    write_pgen(tmp_path / "d", dosages, dosages=True)
    rows = [f"rs{j}\t{'AG'[j % 2]}\t{j - 2.5}\t{kind}" for j in range(6)]
    score = tmp_path / "s.txt"
    score.write_text("ID\tA1\tBETA\teffect_type\n" + "".join(f"{row}\n" for row in rows))
    modifier = [] if kind == "additive" else [kind]
    plink2("--pfile", tmp_path / "d", "--score", score, 1, 2, 3, "header", *modifier, "cols=+scoresums")
    theirs = table(tmp_path / "out.sscore")["SCORE1_SUM"].astype(float)
    run("predict", "--weights", score, "--pfile", tmp_path / "d", "--out", tmp_path / "p", "--quiet")
    ours = table(tmp_path / "p.scores.tsv")["SCORE"].astype(float)
    assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)


def test_one_copy_of_one_is_as_two_of_two(tmp_path, capsys):
    """Where PLINK refuses: dominant and recessive weights of men on X and Y, and on MT."""
    chrom = ["X", "Y", "MT"]
    variants = [(name, f"r{j}", 3_000_000 + j, "A", "G") for j, name in enumerate(chrom)]
    X = np.array([[2, 2, 2], [0, 0, 0], [1, np.nan, 2], [2, np.nan, 0], [0, np.nan, 0], [1, np.nan, 0]])
    stem = write(tmp_path / "s", X, variants, [1, 1, 2, 2, 2, 2])
    score = tmp_path / "s.txt"
    score.write_text("ID A1 BETA is_recessive\nr0 A 1 TRUE\nr1 A 10 TRUE\nr2 A 100 FALSE\n")
    run("predict", "--weights", score, "--bfile", stem, "--out", tmp_path / "p")
    assert "2 weights on X, Y, MT or haploid chromosomes are not additive" in capsys.readouterr().out
    assert_allclose(table(tmp_path / "p.scores.tsv")["SCORE"].astype(float), [111, 0, 100, 1, 0, 0])


def test_absent_variants_stand_at_the_mean_of_their_copies(tmp_path, sexes):
    """Twice the frequency times the weight; once on MT, and once in men alone on Y, which is told."""
    _, _, _, new = sexes
    score = tmp_path / "s.txt"
    score.write_text(
        "ID CHR POS A1 A2 BETA EAF\nrs0 1 3000000 A G 0 0.5\n"
        "a 1 5 A G 1 0.25\nb MT 5 A G 10 0.25\nc Y 5 A G 100 0.25\n"
    )
    men = np.arange(A_FEW) % 3 == 1
    sums = applied(tmp_path / "p", score, new, "--allow-missing")
    assert_allclose(sums, 0.5 + 2.5 + np.where(men, 25.0, 0.0))
    notes = json.loads((tmp_path / "p.json").read_text())["notes"]
    assert "7 samples are of unknown sex: variants on Y add nothing to them, as in PLINK" in notes


def test_named_by_place(tmp_path):
    X = counts(60, 3, 5)
    stem = write(tmp_path / "s", X, REPEATED)
    path, _ = fit(tmp_path / "m", stem, effect_of(X))
    assert_allclose(applied(tmp_path / "p", tmp_path / "m.score", stem), score_of(path, X), rtol=1e-9)


# The PGS Catalog's reader

READ = """
import json, pathlib, sys
from pgscatalog.core import ScoringFile
from pgscatalog.core.cli.format import format_and_write
file = ScoringFile(sys.argv[1])
format_and_write(file, file.genome_build, False, pathlib.Path(sys.argv[2]), {})
names = ("rsID", "chr_name", "chr_position", "effect_allele", "other_allele", "effect_weight",
         "allelefrequency_effect", "variant_description")
rows = [variant.model_dump() for variant in file.normalise()]
print(json.dumps({"id": file.pgs_id, "name": file.header.pgs_name, "trait": file.header.trait_reported,
                  "build": None if file.genome_build is None else str(file.genome_build),
                  "rows": [[row[name] for name in names] for row in rows]}))
"""


@pytest.fixture(scope="session")
def catalog(tmp_path_factory):
    """A function that reads a scoring file with the PGS Catalog's own tool."""
    python = os.environ.get("RIATA_PGS_PYTHON")
    if python is None:
        if importlib.util.find_spec("pgscatalog") is None:
            pytest.skip("pgscatalog-core is not installed")
        python = sys.executable

    def read(path, normalised=None):
        if normalised is None:  # the tool sets the mode of what it writes: never of a device
            normalised = tmp_path_factory.mktemp("catalog") / "normalised.txt"
        command = [python, "-c", READ, str(path), str(normalised)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return read


def test_catalog_reads_what_we_write(tmp_path, catalog):
    X = counts(60, 6, 9)
    variants = [
        ("1", "rs1", 100, "A", "G"),
        ("chr2", "2:200:AT:A", 200, "AT", "A"),
        ("X", "ss3", 300, "C", "<DEL>"),
        ("0", "rs4", 0, "c", "t"),
        ("MT", "mine", 500, "A", "G"),
        ("7", ".", 600, "A", "G"),
    ]
    stem = write(tmp_path / "s", X, variants)
    path, _ = fit(tmp_path / "my score=1", stem, effect_of(X), "--genome-build", "hg19")
    read = catalog(tmp_path / "my score=1.weights.tsv")
    assert (read["id"], read["name"], read["trait"]) == ("my_score_1", "my score:1", "y")
    assert read["build"] == "GRCh37"
    beta = path.coef(0.01)
    rows = {row[0] or row[7] or row[2]: row for row in read["rows"]}
    assert rows.keys() == {"rs1", "ID=2:200:AT:A", "ss3", "rs4", "ID=mine", 600}
    assert rows["rs1"][1:5] == ["1", 100, "A", "G"]
    assert rows["ID=2:200:AT:A"][1:5] == ["2", 200, "AT", "A"]
    assert rows["ss3"][1:5] == ["X", 300, "C", "<DEL>"]
    assert rows["rs4"][1:5] == [None, None, "C", "T"]
    assert rows["ID=mine"][1:5] == ["MT", 500, "A", "G"]
    assert float(rows["rs1"][5]) == beta[0]
    assert float(rows["ID=mine"][5]) == 2 * beta[4]  # one copy there, not two
    assert rows["rs1"][6] == pytest.approx(X[:, 0].mean() / 2)


def test_what_the_catalog_makes_of_a_file_is_read(tmp_path, catalog):
    """Its normalised form, in which flags have become effect types and harmonised places places."""
    text = (
        "#pgs_id=PGS1\n#trait_reported=t\n#genome_build=GRCh37\n"
        "#HmPOS_build=GRCh38\n#HmPOS_date=2022-07-29\n"
        "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\tis_dominant\tis_recessive\t"
        "hm_source\thm_rsID\thm_chr\thm_pos\thm_inferOtherAllele\n"
        "rs1\t1\t10\tA\tG\t0.1\tTrue\tFalse\tENSEMBL\trs1\t1\t20\t\n"
        "rs2\t1\t11\tAC\tA\t-2.5\tFalse\tTrue\tENSEMBL\trs2\tX\t21\t\n"
        "rs3\t2\t12\tC\tT\t3e-5\tFalse\tFalse\tENSEMBL\trs3\t2\t22\t\n"
    )
    (tmp_path / "w.txt").write_text(text)
    catalog(tmp_path / "w.txt", normalised := tmp_path / "normalised.txt")
    ours, theirs = read_weights(tmp_path / "w.txt"), read_weights(normalised)
    for name in ("chrom", "pos", "effect", "other", "weight", "by_copies"):
        assert_array_equal(getattr(theirs, name), getattr(ours, name))
    assert ours.pos.tolist() == [20, 21, 22]


def test_what_the_catalog_cannot_name_is_told(tmp_path, catalog):
    X = counts(60, 3, 10)
    variants = [("1", "rs1", 100, "A", "G"), ("0", "Affx-1", 0, "A", "G"), ("3", "x", -5, "A", "G")]
    stem = write(tmp_path / "s", X, variants)
    path, record = fit(tmp_path / "m", stem, effect_of(X))
    text = (tmp_path / "m.weights.tsv").read_text()
    selected = np.flatnonzero(path.coef(0.01))
    assert [row[0] for row in catalog(tmp_path / "m.weights.tsv")["rows"]] == ["rs1"]
    assert len(selected) == 2
    assert "##LEFT OUT: 1 variant without an rs number and a place: " in text
    assert "#variants_number=1\n" in text
    told = "1 variant without an rs number and a place is left out of the PGS Catalog's format"
    assert any(told in note for note in record["scoring"]["notes"])


def test_trait_with_an_equals_sign(tmp_path, catalog):
    X = counts(60, 2, 11)
    stem = write(tmp_path / "s", X, [("1", "rs1", 1, "A", "G"), ("1", "rs2", 2, "A", "G")])
    pheno = tmp_path / "p.txt"
    rows = "".join(f"f{i} i{i} {value}\n" for i, value in enumerate(effect_of(X)))
    pheno.write_text("FID IID a=b\n" + rows)
    run("fit", "--bfile", stem, "--pheno", pheno, "--out", tmp_path / "m", "--quiet")
    read = catalog(tmp_path / "m.weights.tsv")
    assert read["trait"] == "a:b"
    assert read["build"] is None
    assert len(read["rows"]) == 2


def test_genome_build_is_one_that_readers_know(tmp_path, capsys):
    arguments = ["fit", "--bfile", "x", "--genome-build", "GRCm38", "--out", str(tmp_path / "m")]
    assert main(arguments) == 2
    assert (
        "expected one of NR, GRCh37, GRCh38, NCBI36, hg18, hg19, hg38 (for any other, NR), got 'GRCm38'"
        in (capsys.readouterr().err)
    )
