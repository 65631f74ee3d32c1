"""Simulated genotypes: what the arguments ask for is what the files hold."""

import re
import shutil
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import riata
from riata.cli.parser import main

SUFFIXES = ("bed", "bim", "fam", "pheno.txt", "truth.tsv")


def columns(path):
    """A text table with a header, as arrays of str by name."""
    header, *rows = (line.split("\t") for line in Path(path).read_text().splitlines())
    return {name: np.array([row[k] for row in rows]) for k, name in enumerate(header)}


def simulated(folder, n=203, p=1501, **options):
    return riata.open_genotypes(riata.simulate_genotypes(folder / "s", n, p, **options))


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """2,000 x 4,000 on two chromosomes, nothing missing: genotypes and their folder."""
    folder = tmp_path_factory.mktemp("large")
    return simulated(folder, 2_000, 4_000, n_chromosomes=2, missing=0.0, h2=0.3, seed=5), folder


def test_files_belong_together(tmp_path):
    geno = simulated(tmp_path, n_chromosomes=4)
    assert {path.name for path in tmp_path.iterdir()} == {f"s.{suffix}" for suffix in SUFFIXES}
    assert geno.shape == (203, 1501)
    assert [str(chrom) for chrom in dict.fromkeys(geno.variants.chrom)] == ["1", "2", "3", "4"]
    assert len(set(geno.variants.id)) == 1501
    for chrom in "1234":
        assert np.all(np.diff(geno.variants.pos[np.asarray(geno.variants.chrom) == chrom]) > 0)
    assert not np.any(np.asarray(geno.variants.a1) == np.asarray(geno.variants.a2))
    pheno = columns(tmp_path / "s.pheno.txt")
    assert list(pheno) == ["FID", "IID", "PHENO"]
    assert_array_equal(pheno["IID"], np.asarray(geno.samples.iid, dtype=str))
    assert_array_equal(pheno["PHENO"], np.asarray(geno.samples.phenotype, dtype=str))


@pytest.mark.parametrize("n", [2, 5, 6, 7, 8])
def test_padding_is_clear(tmp_path, n):
    simulated(tmp_path, n, 70, n_chromosomes=3, n_causal=0, h2=0.0, missing=0.3)
    last = np.frombuffer((tmp_path / "s.bed").read_bytes()[3:], dtype=np.uint8).reshape(70, -1)[:, -1]
    assert not np.any(last >> (2 * (n % 4 or 4)))


def test_frequencies_and_missing_calls(tmp_path):
    geno = simulated(tmp_path, 1_000, 3_000, maf_min=0.1, missing=0.04, seed=2)
    frequency = geno.allele_frequency()
    assert 0.05 < frequency.min() < 0.12
    assert frequency.max() < 0.6
    assert np.mean(frequency < 0.2) == pytest.approx(np.log(2) / np.log(5), abs=0.05)  # density 1/f
    # A standard error is 0.0001: the rate of all calls is far within 0.001.
    assert geno.missing_rate().mean() == pytest.approx(0.04, abs=0.001)
    assert geno.missing_rate().min() > 0.0


def test_ld_falls_with_distance_and_ends_with_the_chromosome(large):
    geno, _ = large
    X = geno.to_numpy()
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    first, second = X[:, :2_000], X[:, 2_000:]

    def r2(apart):
        return np.mean(np.mean(first[:, apart:] * first[:, :-apart], axis=0) ** 2)

    found = [r2(apart) for apart in (1, 10, 50, 200)]
    assert_allclose(found, [0.36, 0.11, 0.010, 0.0013], rtol=0.35)
    assert np.mean(np.mean(first * second, axis=0) ** 2) == pytest.approx(1 / 2_000, rel=0.1)


def test_heritability_is_that_of_these_samples(large):
    geno, folder = large
    truth = columns(folder / "s.truth.tsv")
    X = geno.to_numpy(truth["ID"])
    y = np.asarray(geno.samples.phenotype, dtype=float)
    genetic = X @ truth["BETA"].astype(float)
    assert len(truth["ID"]) == 100
    assert y.mean() == pytest.approx(0.0, abs=1e-8)
    assert y.var() == pytest.approx(1.0, abs=1e-8)
    assert genetic.var() == pytest.approx(0.3, rel=1e-6)
    assert np.corrcoef(genetic, y)[0, 1] ** 2 == pytest.approx(0.3, rel=1e-6)
    assert_allclose(X.mean(axis=0) / 2, truth["EAF"].astype(float))
    assert_allclose(truth["BETA"].astype(float) * X.std(axis=0), truth["BETA_STD"].astype(float), rtol=1e-8)
    places = {name: k for k, name in enumerate(geno.variants.id)}
    rows = [places[name] for name in truth["ID"]]
    for column, field in (
        ("CHROM", "chrom"),
        ("POS", "pos"),
        ("EFFECT_ALLELE", "a1"),
        ("OTHER_ALLELE", "a2"),
    ):
        assert_array_equal(truth[column], np.asarray(getattr(geno.variants, field))[rows].astype(str))


def test_cases_are_the_samples_of_highest_liability(tmp_path):
    options = {"n_samples": 400, "n_variants": 300, "h2": 1.0, "n_causal": 20, "missing": 0.0}
    case = riata.simulate_genotypes(tmp_path / "b", loss="binomial", prevalence=0.2, **options)
    liability = riata.simulate_genotypes(tmp_path / "g", **options)
    y, z = (np.asarray(riata.open_genotypes(bed).samples.phenotype, float) for bed in (case, liability))
    assert sorted(set(y)) == [1, 2]
    assert np.sum(y == 2) == 80
    assert z[y == 2].min() > z[y == 1].max()


def test_seed_decides_and_genotypes_ignore_the_phenotype(tmp_path):
    def bytes_of(name, **options):
        riata.simulate_genotypes(tmp_path / name, 50, 400, **options)
        return {suffix: (tmp_path / f"{name}.{suffix}").read_bytes() for suffix in SUFFIXES}

    once = bytes_of("a", seed=1)
    assert bytes_of("b", seed=1) == once
    other, trait = bytes_of("c", seed=2), bytes_of("d", seed=1, h2=0.1, loss="binomial")
    assert all(other[suffix] != once[suffix] for suffix in SUFFIXES)
    assert trait["bed"] == once["bed"]
    assert trait["bim"] == once["bim"]
    assert trait["fam"] != once["fam"]
    whole = riata.open_genotypes(riata.simulate_genotypes(tmp_path / "e", 50, 400, seed=1, missing=0.0))
    some = riata.open_genotypes(tmp_path / "a").to_numpy()
    assert_array_equal(some[~np.isnan(some)], whole.to_numpy()[~np.isnan(some)])


def test_memory_does_not_grow_with_the_variants(tmp_path):
    def peak(p):
        tracemalloc.start()
        riata.simulate_genotypes(tmp_path / "m", 100, p, n_chromosomes=1)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(10)
    assert peak(40_000) < 1.2 * peak(10_000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_samples": 1}, "n_samples must be >= 2, got 1"),
        ({"n_variants": 0}, "n_variants must be >= 1, got 0"),
        ({"n_chromosomes": 23}, "n_chromosomes must be <= 22, got 23"),
        ({"maf_min": 0.6}, "maf_min must be >= 0.015625 and <= 0.5, got 0.6"),
        ({"missing": 1.0}, "missing must be >= 0 and < 1, got 1.0"),
        ({"ld": -0.1}, "ld must be >= 0 and < 1, got -0.1"),
        ({"block": 0}, "block must be >= 1, got 0"),
        ({"h2": 1.1}, "h2 must be >= 0 and <= 1, got 1.1"),
        ({"n_causal": 31}, "n_causal must be <= n_variants = 30, got 31"),
        ({"n_causal": 0}, "h2 must be 0 without causal variants"),
        ({"loss": "poisson"}, "loss must be one of"),
        ({"loss": "binomial", "prevalence": 0.01}, "prevalence must leave cases and controls among 20"),
        ({"seed": -1}, "seed must be >= 0, got -1"),
    ],
)
def test_bad_arguments(tmp_path, options, message):
    sizes = {"n_samples": 20, "n_variants": 30}
    with pytest.raises(ValueError, match=re.escape(message)):
        riata.simulate_genotypes(tmp_path / "s", **{**sizes, **options})
    assert list(tmp_path.iterdir()) == []


def test_too_small_a_disk_is_told_before_writing(tmp_path, monkeypatch):
    before = tmp_path / "s.truth.tsv"
    before.write_text("of an earlier run")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000))
    with pytest.raises(OSError, match=r"s\.bed: about .* bytes will be written, but only 1,000 are free"):
        riata.simulate_genotypes(tmp_path / "s", 100, 1_000)
    assert [path.name for path in tmp_path.iterdir()] == ["s.truth.tsv"]
    assert before.read_text() == "of an earlier run"


def test_command_line(tmp_path, capsys):
    sizes = ["--samples", "60", "--variants", "300", "--seed", "4"]
    given = ["--chromosomes", "2", "--maf-min", "0.1", "--missing", "0.02", "--ld", "0.9", "--block", "20"]
    trait = ["--h2", "0.7", "--causal", "5", "--loss", "binomial", "--prevalence", "0.4"]
    assert main(["simulate", *sizes, *given, *trait, "--out", str(tmp_path / "cli")]) == 0
    assert "cli.bed and its .bim and .fam: 60 samples x 300 variants" in capsys.readouterr().out
    riata.simulate_genotypes(
        tmp_path / "py", 60, 300, seed=4, n_chromosomes=2, maf_min=0.1, missing=0.02, ld=0.9, block=20,
        h2=0.7, n_causal=5, loss="binomial", prevalence=0.4,
    )  # fmt: skip
    for suffix in SUFFIXES:
        assert (tmp_path / f"cli.{suffix}").read_bytes() == (tmp_path / f"py.{suffix}").read_bytes()
    assert main(["simulate", *sizes, "--h2", "1.5", "--out", str(tmp_path / "x")]) == 2
    assert "--h2: must lie in [0, 1], got 1.5" in capsys.readouterr().err


def test_genotypes_that_were_not_simulated_are_not_replaced(tmp_path):
    riata.simulate_genotypes(tmp_path / "x", 10, 20)
    riata.simulate_genotypes(tmp_path / "x", 12, 20)  # a simulation may be
    assert riata.open_genotypes(tmp_path / "x").shape == (12, 20)
    (tmp_path / "x.truth.tsv").unlink()
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(OSError, match=r"x\.bed exists and was not simulated .*: choose another name"):
        riata.simulate_genotypes(tmp_path / "x", 10, 20)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
