"""The files that a name with @ stands for: taken in which order, and what is told of the others."""

from pathlib import Path

import numpy as np
import pytest
from genotype_files import random_copies, write_bgen, write_pgen
from support import write_plink

import riata
from riata.cli.parser import main
from riata.genetics.chromosomes import ChromosomeSet, ChromosomeWarning


def write(folder, labels, *, before="chr", chrom=None):
    """A fileset for each label, with a variant on the chromosome of that name, or on that `chrom` tells."""
    for k, label in enumerate(labels):
        there = (chrom or {}).get(label, [label])
        write_plink(folder / f"{before}{label}", random_copies(9, len(there), seed=k).T, chrom=there)
    return str(folder / f"{before}@")


def taken(geno):
    """What stands for the @ in each file."""
    return [Path(source.path).name.removesuffix(".bed").removeprefix("chr") for source in geno.sources]


def told(geno):
    return "\n".join(geno.notes)


@pytest.mark.parametrize(
    "labels",
    [
        [f"{k:02d}" for k in range(1, 23)],
        [*map(str, range(1, 23)), "X", "Y", "XY", "PAR1", "PAR2", "MT"],
        [*map(str, range(1, 27))],
        ["2L", "2R", "3L", "3R", "4", "X"],
        [f"{k}{genome}" for k in range(1, 8) for genome in ("A", "B", "D")],
        ["LG01", "LG02", "LG10"],
        ["scaffold_1", "scaffold_2", "scaffold_10", "scaffold_100"],
        ["I", "II", "III"],
        ["1", "2", "0"],
    ],
    ids=lambda labels: labels[0] + " to " + labels[-1],
)
def test_every_chromosome_on_disk_in_natural_order(tmp_path, labels):
    given = np.random.default_rng(0).permutation(labels)
    geno = riata.open_genotypes(write(tmp_path, given))
    assert taken(geno) == labels
    assert f"{len(labels)} files, of chromosome" in told(geno)
    assert len(geno.notes) == 1


@pytest.mark.parametrize(("species", "n"), [("cow", 29), ("dog", 38), ("horse", 31), (50, 50)])
def test_other_species(tmp_path, species, n):
    pattern = write(tmp_path, [*map(str, range(1, n + 1)), "X"])
    geno = riata.open_genotypes(pattern, chr_set=species)
    assert taken(geno) == [*map(str, range(1, n + 1)), "X"]
    assert geno.notes == [f"{pattern}: {n + 1} files, of chromosomes 1-{n}, X"]
    geno = riata.open_genotypes(pattern)
    assert f"numbered to {n}, beyond the human 26" in told(geno)
    assert geno.chromosome_set == ChromosomeSet(n)
    assert geno.shape == (9, n + 1)


def test_the_prefix_chr_may_belong_to_the_chromosome(tmp_path):
    write(tmp_path, ["1", "2", "X"])
    geno = riata.open_genotypes(tmp_path / "@.bed")
    assert taken(geno) == ["1", "2", "X"]
    assert told(geno).endswith("3 files, of chromosomes 1, 2, X")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["1", "01"], r"chr01\.bed and chr1\.bed are both of chromosome 1"),
        (["X", "23"], r"chr23\.bed and chrX\.bed are both of chromosome X"),
        (["2L", "chr2L"], "are both of chromosome 2L"),
    ],
)
def test_two_names_for_one_chromosome_are_refused(tmp_path, names, said):
    with pytest.raises(ValueError, match=said):
        riata.open_genotypes(write(tmp_path, names))


def test_a_number_and_a_letter_are_two_chromosomes_where_the_species_has_both(tmp_path):
    geno = riata.open_genotypes(write(tmp_path, ["23", "X"]), chr_set="cow")
    assert taken(geno) == ["23", "X"]


def test_what_is_no_chromosome_is_left_out_and_told(tmp_path):
    whole = ["1", "2", "3"]
    strange = {
        "1_backup": ["1"], "2.old": ["2"], "X-new": ["X"], "all": whole, "2024": whole, "_v2": whole,
        "copy3": ["3"], "6_GL000256v2_alt": ["6_GL000256v2_alt"],
    }  # fmt: skip
    geno = riata.open_genotypes(write(tmp_path, [*whole, *strange], chrom=strange))
    assert taken(geno) == whole
    said = told(geno)
    assert "left out " in said
    assert "chr1_backup.bed (its name goes on after chromosome 1)" in said
    assert "and 3 more" in said
    assert "chr2024.bed (it holds chromosomes 1-3)" in said


def test_a_copy_of_a_chromosome_under_another_name_is_left_out(tmp_path):
    geno = riata.open_genotypes(write(tmp_path, ["1", "2", "copy2"], chrom={"copy2": ["2"]}))
    assert taken(geno) == ["1", "2"]
    assert "chrcopy2.bed (it holds chromosome 2, as chr2.bed does by its name)" in told(geno)
    with pytest.raises(ValueError, match=r"chrcopyb\.bed and chrcopya\.bed|chrcopya\.bed and chrcopyb\.bed"):
        riata.open_genotypes(
            write(tmp_path / ".", ["copya", "copyb"], chrom={"copya": ["5"], "copyb": ["5"]})
        )


def test_linkage_groups_that_were_numbered(tmp_path):
    pattern = write(tmp_path, ["LG01", "LG02"], chrom={"LG01": ["1"], "LG02": ["2"]})
    assert taken(riata.open_genotypes(pattern)) == ["LG01", "LG02"]


def test_a_gap_in_the_numbers_is_told(tmp_path, capsys):
    pattern = write(tmp_path, [str(k) for k in range(1, 22) if k != 7])
    with pytest.warns(ChromosomeWarning, match=r"chr@: there is no file of chromosome 7, 22"):
        geno = riata.open_genotypes(pattern)
    assert geno.shape == (9, 20)
    assert main(["info", "--bfile", pattern]) == 0
    said = capsys.readouterr()
    assert "20 files, of chromosomes 1-6, 8-21" in said.out
    assert "there is no file of chromosome 7, 22" in said.out
    assert said.err == ""


def test_a_few_chromosomes_are_no_gap(tmp_path):
    assert len(riata.open_genotypes(write(tmp_path, ["21", "22"])).notes) == 1


def test_a_file_that_holds_another_chromosome_is_told(tmp_path):
    strange = {"2": ["3"], "X": ["PAR1", "X", "25"], "XY": ["23"], "Y": ["1", "Y"], "3": ["3", "0", "Un"]}
    pattern = write(tmp_path, ["1", *strange], chrom=strange)
    assert riata.open_genotypes(pattern).notes[1:] == [
        f"{pattern}: chr2.bed holds chromosome 3, chrY.bed holds chromosome 1, Y"
    ]


def test_names_that_hold_an_at_sign(tmp_path):
    write(tmp_path, ["2024"], before="cohort@", chrom={"2024": ["1"]})
    write(tmp_path, ["1", "2"], before="cohort@2024_chr")
    for name in ("cohort@2024", "cohort@2024.bed"):
        assert riata.open_genotypes(tmp_path / name).shape == (9, 1)
    assert riata.open_genotypes(tmp_path / "cohort@2024_chr@").shape == (9, 2)
    (tmp_path / "a@b").mkdir()
    assert riata.open_genotypes(write(tmp_path / "a@b", ["1", "2"])).shape == (9, 2)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"chr@: no such file for any chromosome in place of @$"):
        riata.open_genotypes(tmp_path / "chr@")
    with pytest.raises(FileNotFoundError, match=r"nowhere: no such folder"):
        riata.open_genotypes(tmp_path / "nowhere" / "chr@")
    pattern = write(tmp_path, ["1_old"])
    with pytest.raises(FileNotFoundError, match=r"in place of @; left out chr1_old\.bed \(its name goes on"):
        riata.open_genotypes(pattern)


@pytest.mark.parametrize("lost", [".bed", ".bim", ".fam"])
def test_an_incomplete_fileset_is_named(tmp_path, lost):
    pattern = write(tmp_path, ["1", "2", "3"])
    Path(f"{tmp_path}/chr3{lost}").unlink()
    said = (
        r"chr3\.bed: no such file, but .*chr3\.bim is there"
        if lost == ".bed"
        else rf"chr3\{lost}: no such file"
    )
    with pytest.raises(FileNotFoundError, match=said):
        riata.open_genotypes(pattern)


def test_other_formats(tmp_path, capsys):
    for k in (1, 2, 10):
        write_pgen(tmp_path / f"p{k:02d}", random_copies(9, 4, seed=k), chrom=k)
        write_bgen(tmp_path / f"b{k}_v3", random_copies(9, 4, seed=k), chrom=f"{k:02d}")
    for flag, name in (("--pfile", "p@"), ("--bgen", "b@_v3"), ("--bgen", "b@_v3.bgen")):
        assert main(["info", flag, str(tmp_path / name)]) == 0
        assert "3 files, of chromosomes 1, 2, 10" in capsys.readouterr().out
    assert main(["info", str(tmp_path / "p@")]) == 0
    assert "p01.pgen and 2 more: 9 samples x 12 variants" in capsys.readouterr().out


def test_a_fit_tells_which_files_it_took(tmp_path, capsys):
    pattern = write(tmp_path, ["01", "02", "02_old"])
    rows = "".join(f"f{i} i{i} {i * i % 7}\n" for i in range(9))
    (tmp_path / "y.txt").write_text("FID IID y\n" + rows)
    command = [
        "fit",
        "--bfile",
        pattern,
        "--pheno",
        tmp_path / "y.txt",
        "--alphas",
        3,
        "--out",
        tmp_path / "m",
    ]
    assert main([str(word) for word in command]) == 0
    said = capsys.readouterr().out
    assert "chr@.bed: 2 files, of chromosomes 1, 2" in said
    assert "left out chr02_old.bed (its name goes on after chromosome 2)" in said
    command = ["predict", "--model", tmp_path / "m.path.npz", "--bfile", pattern, "--out", tmp_path / "p"]
    assert main([str(word) for word in command]) == 0
    assert "chr@.bed: 2 files, of chromosomes 1, 2" in capsys.readouterr().out
