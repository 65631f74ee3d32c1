"""Chromosomes by what they are called; what a name means is PLINK's, as its own codes show."""

import pickle

import numpy as np
import pytest
from genotype_files import random_copies
from numpy.testing import assert_array_equal
from support import write_plink

import riata
from riata.chromosomes import HUMAN, SPECIES, ChromosomeSet

COW = SPECIES["cow"]


@pytest.mark.parametrize("name", ["1", "01", "001", "chr1", "Chr1", "CHR1", "cHr1", "chr01", " 1", "1.0"])
def test_spellings_of_an_autosome(name):
    assert HUMAN.plain(name) == "1"
    assert HUMAN.kind(name) == "autosome"


@pytest.mark.parametrize(
    ("names", "plain", "kind"),
    [
        (["X", "x", "0X", "chrX", "CHRx", "chr0X", "23", "chr23"], "X", "X"),
        (["Y", "y", "0Y", "chrY", "24"], "Y", "Y"),
        (["XY", "xy", "25", "chrXY"], "XY", "XY"),
        (["PAR1", "par1", "chrPAR1", "27"], "PAR1", "XY"),
        (["PAR2", "chrPar2", "28"], "PAR2", "XY"),
        (["MT", "M", "mt", "m", "Mt", "0M", "chrM", "chrMT", "26", "chr26"], "MT", "MT"),
        (["0", "00", "chr0", "", " "], "0", "unplaced"),
        (["2L", "chr2L"], "2L", "other"),
        (["LG01"], "LG01", "other"),
        (["chrUn_gl000220"], "Un_gl000220", "other"),
        (["chromosome1"], "chromosome1", "other"),
        (["chr"], "chr", "other"),
        (["29"], "29", "other"),
    ],
)
def test_names_in_humans(names, plain, kind):
    assert {HUMAN.plain(name) for name in names} == {plain}
    assert {HUMAN.kind(name) for name in names} == {kind}
    assert HUMAN.plain(plain) == plain  # the one name is its own


@pytest.mark.parametrize(
    ("species", "after"),
    [
        ("human", {"22": "22", "23": "X", "24": "Y", "25": "XY", "26": "MT", "27": "PAR1", "28": "PAR2"}),
        ("cow", {"23": "23", "29": "29", "30": "X", "31": "Y", "32": "32", "33": "MT", "34": "34"}),
        ("dog", {"38": "38", "39": "X", "40": "Y", "41": "XY", "42": "MT", "43": "PAR1"}),
        ("horse", {"31": "31", "32": "X", "33": "Y", "34": "34"}),
        ("mouse", {"19": "19", "20": "X", "21": "Y", "22": "22"}),
        ("sheep", {"26": "26", "27": "X", "28": "Y", "29": "29"}),
        ("rice", {"12": "12", "13": "13", "X": "X"}),
    ],
)
def test_numbers_after_the_autosomes_of_a_species(species, after):
    """What plink2 --SPECIES --output-chr MT writes for each number."""
    chromosomes = ChromosomeSet.of(species)
    assert {name: chromosomes.plain(name) for name in after} == after


def test_kinds_in_other_species():
    assert [COW.kind(name) for name in ("23", "24", "26", "30", "Y", "32", "33", "XY", "PAR1")] == [
        *["autosome"] * 3, "X", "Y", "other", "MT", "other", "other",
    ]  # fmt: skip
    assert {SPECIES["rice"].kind(name) for name in ("X", "Y", "MT", "13")} == {"other"}


def test_reading_order():
    names = [
        "scaffold_10",
        "MT",
        "X",
        "10",
        "2",
        "0",
        "chr3",
        "Y",
        "XY",
        "HLA-A*01",
        "scaffold_2",
        "PAR2",
        "PAR1",
    ]
    assert sorted(names, key=HUMAN.order) == [
        "2", "chr3", "10", "X", "Y", "XY", "PAR1", "PAR2", "MT", "HLA-A*01", "scaffold_2", "scaffold_10", "0",
    ]  # fmt: skip
    wheat = ["7D", "10A", "2B", "2A", "1D"]
    assert sorted(wheat, key=HUMAN.order) == ["1D", "2A", "2B", "7D", "10A"]
    assert sorted(["33", "30", "23", "29"], key=COW.order) == ["23", "29", "30", "33"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("cow", COW),
        ("Cow", COW),
        (COW, COW),
        (29, ChromosomeSet(29)),
        (np.int64(29), ChromosomeSet(29)),
        ("29 no-xy", COW),
        ("29 no-xy no-mt", ChromosomeSet(29, xy=False, mt=False)),
        (-12, SPECIES["rice"]),
        ("-12", SPECIES["rice"]),
    ],
)
def test_sets_by_what_they_are_called(given, expected):
    assert ChromosomeSet.of(given) == expected


@pytest.mark.parametrize("chromosomes", [*SPECIES.values(), ChromosomeSet(5, x=False, mt=False)], ids=str)
def test_words_of_a_set_are_read_back(chromosomes):
    assert ChromosomeSet.of(str(chromosomes)) == chromosomes
    assert pickle.loads(pickle.dumps(chromosomes)) == chromosomes


@pytest.mark.parametrize("given", ["cat", "", "0", "29 no-z", "cow no-xy", "2.5"])
def test_words_that_mean_no_set(given):
    with pytest.raises(ValueError, match=r"chr_set must be one of human, cow.*or a number of autosomes"):
        ChromosomeSet.of(given)


@pytest.mark.parametrize("given", [True, 2.5, ["cow"]])
def test_things_that_are_no_set(given):
    with pytest.raises(
        TypeError, match="chr_set must be a species, a number of autosomes or a ChromosomeSet"
    ):
        ChromosomeSet.of(given)


def test_impossible_sets():
    with pytest.raises(ValueError, match="autosomes must be at least 1, got 0"):
        ChromosomeSet(0)
    with pytest.raises(ValueError, match="a haploid set has no X"):
        ChromosomeSet(12, haploid=True)


def test_a_guess_is_human_until_numbers_go_beyond():
    assert ChromosomeSet.guess(["1", "chr23", "26", "X", "KI270728.1"]) == HUMAN
    assert ChromosomeSet.guess([]) == HUMAN
    guessed = ChromosomeSet.guess(["1", "23", "chr29", "X"])
    assert guessed == ChromosomeSet(29)
    assert [guessed.kind(name) for name in ("23", "26", "29", "X")] == [*["autosome"] * 3, "X"]


def in_disequilibrium(p, n=80):
    """Calls that Hardy-Weinberg rules out: everybody has one copy, but for one sample."""
    copies = np.ones((n, p))
    copies[0] = 0
    return copies


def test_genotypes_know_their_chromosomes(tmp_path):
    prefix = write_plink(tmp_path / "t", random_copies(3, 12), chrom=["1", "23", "30"])
    geno = riata.open_genotypes(prefix, chr_set="cow")
    assert geno.chromosome_set == COW
    assert geno.subset(variants=[0], samples=[1, 2]).chromosome_set == COW
    assert pickle.loads(pickle.dumps(geno)).chromosome_set == COW
    guessed = riata.open_genotypes(prefix)
    assert guessed.chromosome_set == ChromosomeSet(30)
    assert "chromosomes are numbered to 30, beyond the human 26: all" in guessed.subset(samples=[0]).notes[0]
    assert riata.open_genotypes(prefix, chr_set="human").chromosome_set == HUMAN
    assert riata.open_genotypes(prefix, chr_set=29).notes == []
    odd = riata.open_genotypes(prefix, chr_set="mouse").notes
    assert odd == ["chromosome 30 is none that chr_set (--chr-set) 19 no-xy knows"]
    with pytest.raises(ValueError, match="chr_set must be one of"):
        riata.open_genotypes(prefix, chr_set="unicorn")


@pytest.mark.parametrize(
    ("chr_set", "untested"),
    [
        ("human", ["23", "24", "26", "X", "MT"]),  # there are men only
        ("cow", ["X", "MT"]),
        (None, ["X", "MT"]),
        ("rice", ["1", "12"]),
    ],
)
def test_hardy_weinberg_by_species(tmp_path, chr_set, untested):
    names = ["1", "12"] if chr_set == "rice" else ["1", "23", "24", "26", "29", "X", "MT"]
    prefix = write_plink(tmp_path / "t", in_disequilibrium(len(names)), chrom=names, sex=[1] * 80)
    geno = riata.open_genotypes(prefix, chr_set=chr_set)
    p = geno.qc()["hwe_p"]
    assert_array_equal([name for name, value in zip(names, p, strict=True) if np.isnan(value)], untested)
    assert np.all(np.isnan(p) | (p < 1e-6))
