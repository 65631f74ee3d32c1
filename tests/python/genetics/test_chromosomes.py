"""Chromosomes by what they are called; what a name means is PLINK's, as its own codes show."""

import json
import pickle
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from genotype_files import random_copies, write_pgen
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support import write_plink

import riata
from riata.cli.parser import main
from riata.genetics.chromosomes import HUMAN, SPECIES, ChromosomeSet
from riata.study.loading import load_study
from riata.study.options import StudyOptions

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


@given(
    st.text("chrCHROomXYMTPA0129._ L", max_size=9), st.sampled_from([*SPECIES.values(), ChromosomeSet(50)])
)
def test_the_one_name_is_its_own_name(name, chromosomes):
    plain = chromosomes.plain(name)
    assert chromosomes.plain(plain) == plain
    assert chromosomes.kind(plain) == chromosomes.kind(name)
    assert chromosomes.order(plain) == chromosomes.order(name)
    for other in ("1", "X", "s2", "2L", "0"):
        one, two = chromosomes.order(plain), chromosomes.order(other)
        assert (one < two) + (one > two) + (one == two) == 1


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
    assert ChromosomeSet.guess(["1", "99", "100023"]) == HUMAN  # numbers of contigs
    guessed = ChromosomeSet.guess(["1", "23", "chr29", "X"])
    assert guessed == ChromosomeSet(29)
    assert [guessed.kind(name) for name in ("23", "26", "29", "X")] == [*["autosome"] * 3, "X"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("##chrSet=<ID=1,autosomePairCt=29,X,Y,M>\n", COW),
        ("##chrSet=<ID=1,autosomePairCt=38,X,Y,XY,M>", SPECIES["dog"]),
        ("##chrSet=<autosomePairCt=22,X,Y,XY,M,PAR1,PAR2>", HUMAN),
        ("##chrSet=<ID=1,haploidAutosomeCt=12>", SPECIES["rice"]),
        ("##chrSet=<ID=1,autosomePairCt=40,X>", ChromosomeSet(40, y=False, xy=False, mt=False)),
        ("##chrSet=<ID=1>", None),
        ("##fileformat=VCFv4.2", None),
    ],
)
def test_sets_that_plink_declares(line, expected):
    assert ChromosomeSet.of_header(line) == expected


def test_a_pvar_says_its_species(tmp_path):
    path = write_pgen(tmp_path / "t", random_copies(12, 3), chrom=23)
    assert riata.open_genotypes(path).chromosome_set == HUMAN
    pvar = tmp_path / "t.pvar"
    pvar.write_text("##chrSet=<ID=1,autosomePairCt=29,X,Y,M>\n" + pvar.read_text())
    geno = riata.open_genotypes(path)
    assert (geno.chromosome_set, geno.notes) == (COW, [])
    assert riata.open_genotypes(path, chr_set="cow").chromosome_set == COW
    with pytest.raises(
        ValueError, match=r"t\.pgen declares chromosomes 29 no-xy .*chr_set \(--chr-set\) says 38"
    ):
        riata.open_genotypes(path, chr_set="dog")
    other = write_pgen(tmp_path / "u", random_copies(12, 3), chrom=2)
    assert riata.open_genotypes([other, path]).chromosome_set == COW
    pvar = tmp_path / "u.pvar"
    pvar.write_text("##chrSet=<ID=1,autosomePairCt=31,X,Y>\n" + pvar.read_text())
    with pytest.raises(ValueError, match=r"t\.pgen declares .*u\.pgen 31 no-xy no-mt"):
        riata.open_genotypes([other, path])


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
    assert odd == ["chromosome 30 is not among those of --chr-set 19 no-xy"]
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


def switched_off(tmp_path):
    """Five variants, two of them switched off: 60 samples, and copies of A1."""
    copies = random_copies(60, 5, missing=0.05, seed=3).T
    pos = [100, -5, 300, 0, -1]
    return write_plink(tmp_path / "off", copies, chrom=["1", "1", "0", "2", "2"], pos=pos), copies


def test_negative_positions_switch_variants_off(tmp_path):
    path, copies = switched_off(tmp_path)
    geno = riata.open_genotypes(path)
    assert list(geno.variants.id) == ["rs0", "rs2", "rs3"]
    assert geno.left_out == [("negative position, which switches them off", 2)]
    assert_array_equal(geno.to_numpy(), copies[:, [0, 2, 3]])
    assert_array_equal(geno.counts()[:, 3], np.isnan(copies).sum(axis=0)[[0, 2, 3]])
    part = geno.subset(variants=["rs3"], samples=[1, 2])
    assert_array_equal(part.to_numpy(), copies[[1, 2]][:, [3]])
    assert part.left_out == geno.left_out
    y = np.random.default_rng(0).standard_normal(60)
    assert riata.fit_path(geno, y, alphas=3).coefs.shape == (3, 3)


def test_negative_positions_of_several_files(tmp_path):
    path, copies = switched_off(tmp_path)
    other = write_plink(tmp_path / "on", copies[:, :2], chrom=["3", "3"])
    geno = riata.open_genotypes([path, other])
    assert_array_equal(geno.to_numpy(), copies[:, [0, 2, 3, 0, 1]])


def test_nothing_is_switched_on(tmp_path):
    path = write_plink(tmp_path / "t", random_copies(9, 2).T, pos=[-1, -2])
    with pytest.raises(
        ValueError, match=r"t\.bed: all 2 variants at negative positions, which switch them off"
    ):
        riata.open_genotypes(path)


def test_negative_positions_are_not_fitted_and_told(tmp_path, capsys):
    path, copies = switched_off(tmp_path)
    rows = zip(range(60), np.nan_to_num(copies[:, 1] + copies[:, 2] / 2).tolist(), strict=True)
    (tmp_path / "y.txt").write_text("FID IID y\n" + "".join(f"f{i} i{i} {v}\n" for i, v in rows))
    pheno = ["--pheno", str(tmp_path / "y.txt"), "--eps", "0.01"]
    assert main(["fit", "--bfile", path, *pheno, "--out", str(tmp_path / "m")]) == 0
    assert "2 variants left out: negative position" in capsys.readouterr().out
    hits = (tmp_path / "m.hits.tsv").read_text() + (tmp_path / "m.weights.tsv").read_text()
    assert "rs2" in hits
    assert "rs1" not in hits
    assert "-5" not in [cell for line in hits.splitlines() for cell in line.split("\t")]
    model = ["--model", str(tmp_path / "m.path.npz"), "--bfile", path, "--out", str(tmp_path / "p")]
    assert main(["predict", *model]) == 0
    assert "note: 2 variants left out: negative position" in capsys.readouterr().out
    assert main(["info", path]) == 0
    said = capsys.readouterr().out
    assert "60 samples x 3 variants" in said
    assert "2 variants left out: negative position" in said


NAMES = [
    "1",
    "chr2",
    "03",
    "Chr4",
    "5",
    "22",
    "23",
    "24",
    "25",
    "26",
    "0",
    "2L",
    "PAR1",
    "scaffold_7",
    "HLA-A",
]


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("1-4,X", ["1", "chr2", "03", "Chr4", "23"]),
        ("chr01-chr4", ["1", "chr2", "03", "Chr4"]),
        ("1-03", ["1", "chr2", "03"]),
        ("22-26", ["22", "23", "24", "25", "26", "PAR1"]),  # the pseudo-autosomal regions are part of XY
        ("X-MT", ["23", "24", "25", "26", "PAR1"]),
        ("22-Y", ["22", "23", "24"]),
        ("chrX", ["23"]),
        ("M", ["26"]),
        ("XY", ["25"]),
        ("par1", ["PAR1"]),
        ("2L", ["2L"]),
        ("chr2L", ["2L"]),
        ("0", ["0"]),
        ("scaffold_7", ["scaffold_7"]),
        ("HLA-A", ["HLA-A"]),
    ],
)
def test_chromosomes_asked_for_in_any_spelling(tmp_path, asked, kept):
    path = write_plink(tmp_path / "t", random_copies(20, len(NAMES), seed=1).T, chrom=NAMES)
    (tmp_path / "y.txt").write_text("IID y\n" + "".join(f"i{i} {i % 7}\n" for i in range(20)))
    study = load_study(StudyOptions(bfile=path, pheno=str(tmp_path / "y.txt"), chrom=tuple(asked.split(","))))
    assert list(study.features["chrom"]) == kept
    assert study.left_out == [("not on the chromosomes of --chr", len(NAMES) - len(kept))]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("4-1", "--chr: the range 4-1 must go upwards"),
        ("7", "--chr: no variant on chromosome 7; there are 1, 2, 2L, 3-5, 22, X, Y, XY, PAR1, MT, HLA-A"),
        ("1,chr_2", "--chr: no variant on chromosome chr_2; there are"),
        ("1,SCAFFOLD_7", "--chr: no variant on chromosome SCAFFOLD_7; there are"),
        ("7-9", "--chr: no variant on chromosome 7-9; there are"),
        ("1-", "--chr: no variant on chromosome 1-; there are"),
    ],
)
def test_chromosomes_that_are_not_there(tmp_path, asked, said):
    path = write_plink(tmp_path / "t", random_copies(20, len(NAMES), seed=1).T, chrom=NAMES)
    (tmp_path / "y.txt").write_text("IID y\n" + "".join(f"i{i} {i % 7}\n" for i in range(20)))
    with pytest.raises(ValueError, match=said):
        load_study(StudyOptions(bfile=path, pheno=str(tmp_path / "y.txt"), chrom=tuple(asked.split(","))))


def test_a_chromosome_that_is_not_there_beside_others_is_told(tmp_path):
    path = write_plink(tmp_path / "t", random_copies(20, 3, seed=1).T, chrom=["1", "2", "23"])
    (tmp_path / "y.txt").write_text("IID y\n" + "".join(f"i{i} {i % 7}\n" for i in range(20)))
    options = StudyOptions(bfile=path, pheno=str(tmp_path / "y.txt"), chrom=("1-2", "3", "Y-MT"))
    study = load_study(options)
    assert "--chr: no variant on chromosome 3, Y-MT" in study.join.notes
    cow = load_study(replace(options, chrom=("23",), chr_set=("cow",)))
    assert list(cow.features["chrom"]) == ["23"]
    with pytest.raises(ValueError, match="--chr: no variant on chromosome X; there are 1, 2, 23"):
        load_study(replace(options, chrom=("X",), chr_set=("cow",)))


def test_the_species_on_the_command_line(tmp_path, capsys):
    """Calls that Hardy-Weinberg rules out in men: 23 is X in humans, and 30 in cattle."""
    path = write_plink(tmp_path / "t", in_disequilibrium(3), chrom=["1", "23", "30"], sex=[1] * 80)
    (tmp_path / "y.txt").write_text("IID y\n" + "".join(f"i{i} {i % 7}\n" for i in range(80)))
    for words, untested in (("human", "rs1"), ("cow", "rs2"), ("29 no-xy", "rs2")):
        command = ["cv", "--bfile", path, "--chr-set", *words.split(), "--pheno", str(tmp_path / "y.txt")]
        command += ["--hwe", "1e-6", "--cv", "2", "--alphas", "2", "--out", str(tmp_path / "m"), "--quiet"]
        assert main(command) == 0
        excluded = [line.split("\t")[2] for line in (tmp_path / "m.excluded.tsv").read_text().splitlines()]
        assert excluded == ["ID", *(name for name in ("rs0", "rs1", "rs2") if name != untested)]
    assert json.loads((tmp_path / "m.json").read_text())["options"]["chr_set"] == ["29", "no-xy"]
    command[4:6] = ["-30"]
    assert main([*command[:-2], str(tmp_path / "haploid"), "--quiet"]) == 0
    assert not (tmp_path / "haploid.excluded.tsv").exists()
    assert main(["info", path, "--chr-set", "cow"]) == 0
    assert "chromosomes  1, 23, X of --chr-set 29 no-xy" in capsys.readouterr().out
    for wrong in (["info", "--model", str(tmp_path / "m.path.npz")], ["info", "--matrix", "x.tsv"]):
        assert main([*wrong, "--chr-set", "cow"]) == 2
        assert "--chr-set is for genotypes" in capsys.readouterr().err
    assert main(["info", path, "--chr-set", "unicorn"]) == 2
    assert "chr_set must be one of human, cow" in capsys.readouterr().err


def test_filters_that_need_a_sex_tell_when_there_is_none(tmp_path):
    path = write_plink(
        tmp_path / "t", random_copies(20, 3, seed=1).T, chrom=["1", "23", "24"], sex=[1, 0] * 10
    )
    (tmp_path / "y.txt").write_text("IID y\n" + "".join(f"i{i} {i % 7}\n" for i in range(20)))
    options = StudyOptions(bfile=path, pheno=str(tmp_path / "y.txt"), hwe=1e-6, geno=0.5, maf=0.01)
    assert load_study(options).join.notes == ["--hwe: not on X, no woman (sex 2) is among the samples"]
    (tmp_path / "men.txt").write_text("".join(f"f{i} i{i}\n" for i in range(0, 20, 2)))
    notes = load_study(replace(options, remove=str(tmp_path / "men.txt"))).join.notes
    assert notes[1:] == ["--geno and --maf: not on Y, no man (sex 1) is among the samples"]
    assert load_study(replace(options, chr_set=("rice",))).join.notes == [
        "chromosome 23, 24 is not among those of --chr-set -12"
    ]


def test_negative_positions_of_a_pvar(tmp_path):
    copies = random_copies(12, 4, seed=2)
    path = write_pgen(tmp_path / "t", copies)
    pvar = tmp_path / "t.pvar"
    pvar.write_text(pvar.read_text().replace("\t101\t", "\t-101\t"))
    geno = riata.open_genotypes(path)
    assert_array_equal(geno.to_numpy(), copies[[0, 2, 3]].T)
    assert geno.subset(variants=[1]).to_numpy()[:, 0].tolist() == pytest.approx(
        copies[2].tolist(), nan_ok=True
    )


def test_sites_that_are_listed_under_two_names_of_a_chromosome(tmp_path):
    path = write_plink(
        tmp_path / "t", random_copies(9, 4).T, chrom=["1", "chr1", "01", "2"], pos=[5, 5, 6, 5]
    )
    assert riata.open_genotypes(path).qc()["duplicate_site"].tolist() == [False, True, False, False]


def test_a_report_draws_chromosomes_by_their_one_name(tmp_path):
    names = ["01", "chr2", "2", "23", "scaffold_7"]
    copies = random_copies(40, 5, missing=0, seed=4).T
    path = write_plink(tmp_path / "t", copies, chrom=names)
    rows = "".join(f"i{i} {v}\n" for i, v in enumerate(copies.sum(axis=1)))
    (tmp_path / "y.txt").write_text("IID y\n" + rows)
    prefix = tmp_path / "m"
    command = ["fit", "--bfile", path, "--pheno", str(tmp_path / "y.txt"), "--out", str(prefix), "--quiet"]
    assert main(command) == 0
    report = ["report", "--model", f"{prefix}.path.npz", "--bfile", path, "--out", str(tmp_path / "again")]
    assert main([*report, "--quiet"]) == 0
    for page in (prefix, tmp_path / "again"):
        chart = Path(f"{page}.html").read_text().partition("Where they lie")[2]
        assert re.findall(r'text-anchor="middle">(1|2|X|01|chr2|23)</text>', chart)[:3] == ["1", "2", "X"]
    hits = (tmp_path / "m.hits.tsv").read_text().splitlines()
    assert {line.split("\t")[0] for line in hits} == {"CHROM", *names}
