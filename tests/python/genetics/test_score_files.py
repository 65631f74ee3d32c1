"""Score files as others write them: what each column means, and what cannot be applied."""

import gzip

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from riata.genetics.score_file import read_weights

CATALOG = "#format_version=2.0\n#pgs_id=PGS999999\n#trait_reported=t\n#genome_build=GRCh37\n"


@pytest.fixture
def read(tmp_path):
    """Weights of a file with this text."""

    def read_text(text):
        path = tmp_path / "w.txt"
        path.write_text(text)
        return read_weights(path)

    return read_text


def table(header, *rows):
    """Lines of cells, given between blanks, with tabs between them; a dash is an empty cell."""
    lines = ["\t".join("" if cell == "-" else cell for cell in row.split(" ")) for row in (header, *rows)]
    return "\n".join(lines) + "\n"


def test_weights_that_are_not_additive(read):
    """By the PGS Catalog's definitions: dominant with at least one copy, recessive with two."""
    weights = read(
        CATALOG
        + table(
            "rsID effect_allele effect_weight is_dominant is_recessive "
            "dosage_0_weight dosage_1_weight dosage_2_weight",
            "rs1 A 2 FALSE FALSE - - -",
            "rs2 A 3 True False - - -",
            "rs3 A -5 0 1 - - -",
            "rs4 A - FALSE FALSE 0.5 -1 4.5",
            "rs5 A 7 - - 0 7 14",
        )
    )
    expected = [[0, 2, 4], [0, 3, 3], [0, 0, -5], [0.5, -1, 4.5], [0, 7, 14]]
    assert_array_equal(weights.by_copies, expected)
    assert_array_equal(weights.weight, [2, 3, -5, 2, 7])
    assert any("3 of 5 weights are not additive" in note for note in weights.notes)


def test_effect_types_of_combined_files(read):
    header = (
        "chr_name chr_position effect_allele other_allele effect_weight "
        "effect_type is_duplicated accession row_nr"
    )
    weights = read(
        table(
            header,
            "1 10 A C 2 additive FALSE S 0",
            "1 11 A C 2 recessive True S 1",
            "1 12 A C 2 dominant False S 2",
        )
    )
    assert_array_equal(weights.by_copies, [[0, 2, 4], [0, 0, 2], [0, 2, 2]])
    assert weights.name == "S"
    with pytest.raises(
        ValueError, match="line 2: effect_type must be additive, dominant or recessive, got 'nonadd"
    ):
        read(table(header, "1 10 A C 2 nonadditive FALSE S 0"))
    with pytest.raises(ValueError, match="2 scores in one file, S, T"):
        read(table(header, "1 10 A C 2 additive FALSE S 0", "1 11 A C 2 additive FALSE T 0"))


def test_flags_that_are_false_change_nothing(read):
    flags = "is_haplotype is_diplotype is_interaction is_dominant is_recessive"
    weights = read(table(f"rsID effect_allele effect_weight {flags}", "rs1 A 1 FALSE False 0 F -"))
    assert weights.by_copies is None


@pytest.mark.parametrize(
    ("extra", "cells", "message"),
    [
        (
            "is_haplotype",
            "TRUE",
            r"w.txt, line 2: is_haplotype is TRUE \(1 of 1 rows\): only weights of single",
        ),
        ("is_diplotype", "1", "line 2: is_diplotype is TRUE"),
        ("is_interaction", "true", "line 2: is_interaction is TRUE"),
        ("is_dominant", "maybe", "line 2: is_dominant must be TRUE or FALSE, got 'maybe'"),
        (
            "is_dominant is_recessive",
            "TRUE TRUE",
            r"line 2: the weight is both dominant and recessive \(is_recessive\)",
        ),
        (
            "is_dominant effect_type",
            "TRUE additive",
            r"both dominant and additive \(effect_type\)",
        ),
        ("dosage_0_weight dosage_1_weight dosage_2_weight", "0 1 -", "line 2: .* must be given together"),
        (
            "dosage_0_weight dosage_1_weight dosage_2_weight",
            "0 1 4",
            "line 2: effect_weight 1 and dosage_0_weight",
        ),
        ("inclusion_criteria", "if_rs2_is_AA", "line 2: inclusion_criteria 'if_rs2_is_AA' cannot be applied"),
        ("allelefrequency_effect", "1.5", "line 2: the frequency of A must be from 0 to 1, got 1.5"),
        ("chr_position", "100.5", "line 2: chr_position must be a whole number, got 100.5"),
        ("chr_position", "inf", "line 2: chr_position must be a whole number, got inf"),
    ],
)
def test_what_cannot_be_applied_is_refused(read, extra, cells, message):
    with pytest.raises(ValueError, match=message):
        read(table(f"rsID effect_allele effect_weight {extra}", f"rs1 A 1 {cells}"))


HARMONISED = (
    "rsID chr_name chr_position effect_allele other_allele effect_weight "
    "hm_source hm_rsID hm_chr hm_pos hm_inferOtherAllele"
)


def test_harmonised_columns_come_before_the_authors(read):
    weights = read(
        CATALOG
        + "#HmPOS_build=GRCh38\n#HmPOS_date=2022-07-29\n"
        + table(
            HARMONISED,
            "rs1 1 100 A G 1 ENSEMBL rs1 1 200 -",
            "rs2 1 300 A - 2 ENSEMBL rs22 2 400 C/T",
            "rs3 1 500 A G 3 Unknown - - - -",
            "- 1 600 A G 4 liftover - 1 700 -",
            "- 1 800 A G 5 Unknown - - - -",
        )
    )
    assert weights.id.tolist() == ["rs1", "rs22", "rs3", "", ""]
    assert weights.chrom.tolist() == ["1", "2", "", "1", ""]
    assert weights.pos.tolist() == [200, 400, -1, 700, -1]
    assert weights.other.tolist() == ["G", "C,T", "G", "G", "G"]
    assert (weights.name, weights.build) == ("PGS999999", "GRCh38")
    assert weights.label(4) == "line 12"
    told = " | ".join(weights.notes)
    assert "2 of 5 variants have no harmonised position: found by rsID alone; 1 of them" in told
    assert "PGS999999: harmonised positions of build GRCh38" in told


def test_positions_that_were_not_mapped_are_not_used(read):
    weights = read(
        table(
            HARMONISED + " hm_code", "rs1 1 100 A G 1 ENSEMBL rs1 1 200 - -4", "rs2 1 1 A G 1 x rs2 1 2 - 5"
        )
    )
    assert weights.pos.tolist() == [-1, 2]


def test_build_and_name_of_the_header(read):
    weights = read(CATALOG + table("rsID chr_name chr_position effect_allele effect_weight", "rs1 1 5 A 1"))
    assert (weights.name, weights.build) == ("PGS999999", "GRCh37")
    assert weights.notes == ("PGS999999: positions of build GRCh37",)
    assert weights.lines.tolist() == [6]


def test_odd_spellings(read):
    """METAL writes small letters, spreadsheets 1.0 and 01; other alleles may be several."""
    weights = read(
        table(
            "ID CHR POS A1 A2 BETA",
            "rs1 1.0 100.0 a g 1",
            "rs2 01 200 a t/g 1",
            "rs3 0X 1e3 <del> T,A 1",
            "rs4 chr2 0 at 0 1",
            "rs5 0 7 a . 1",
            "rs6 10 -5 * c 1",
        )
    )
    assert weights.chrom.tolist() == ["1", "1", "X", "", "", ""]
    assert weights.pos.tolist() == [100, 200, 1000, -1, -1, -1]
    assert weights.effect.tolist() == ["A", "A", "<DEL>", "AT", "A", "*"]
    assert weights.other.tolist() == ["G", "T,G", "T,A", "", "", "C"]


def test_metal_weights_are_not_its_numbers_of_samples(read):
    header = "MarkerName Allele1 Allele2 Freq1 {} P-value"
    weights = read(table(header.format("Effect"), "rs1 a g 0.3 0.5 1e-8"))
    assert (weights.effect[0], weights.other[0], weights.weight[0], weights.frequency[0]) == (
        "A",
        "G",
        0.5,
        0.3,
    )
    with pytest.raises(ValueError, match="a score file needs columns"):
        read(table(header.format("Weight"), "rs1 a g 0.3 10000 1e-8"))


def test_partner_of_a1_is_the_allele_it_is_not(read):
    weights = read(
        table(
            "#CHROM POS ID REF ALT A1 TEST OBS_CT BETA",
            "1 10 rs1 A G A ADD 9 1",
            "1 20 rs2 A G G ADD 9 1",
            "1 30 rs3 A G,T G ADD 9 1",
            "1 30 rs3 A G,T T ADD 9 2",
        )
    )
    assert weights.other.tolist() == ["G", "A", "A,T", "A,G"]
    weights = read(table("#CHROM POS ID REF ALT A1 OMITTED BETA", "1 10 rs1 A G A G 1"))
    assert weights.other.tolist() == ["G"]
    assert read(table("#ID A1 AX BETA", "rs1 A G,T 1")).other.tolist() == ["G,T"]
    assert read(table("#ID REF A1 BETA", "rs1 A A 1", "rs2 A G 1")).other.tolist() == ["", "A"]
    assert read(table("#ID REF ALT BETA", "rs1 A G 1")).other.tolist() == ["A"]
    with pytest.raises(ValueError, match="line 2: the effect allele C is neither REF A nor ALT G"):
        read(table("#CHROM POS ID REF ALT A1 BETA", "1 10 rs1 A G C 1"))


def test_association_files_name_their_tests(read):
    header = "#CHROM POS ID REF ALT A1 TEST BETA"
    weights = read(table(header, "1 1 rs1 A G G ADD 1", "1 1 rs1 A G G AGE 9", "1 2 rs2 A G G ADD 2"))
    assert weights.weight.tolist() == [1, 2]
    assert weights.lines.tolist() == [2, 4]
    assert weights.notes == ("1 row about covariates (TEST): left out",)
    assert_array_equal(read(table(header, "1 1 rs1 A G G DOM 2")).by_copies, [[0, 2, 2]])
    assert_array_equal(read(table(header, "1 1 rs1 A G G REC 2")).by_copies, [[0, 0, 2]])
    for test in ("DOMDEV", "HET", "ADDxAGE"):
        with pytest.raises(ValueError, match=f"line 3: TEST {test} is a part of another model than ADD"):
            read(table(header, "1 1 rs1 A G G ADD 1", f"1 1 rs1 A G G {test} 1"))


def test_odds_ratios_become_their_logarithms(read):
    weights = read(table("#ID A1 OR", "rs1 A 2"))
    assert weights.weight[0] == np.log(2.0)
    assert weights.notes == ("1 of 1 weight is the logarithm of OR",)
    mixed = read(table("rsID effect_allele effect_weight OR", "rs1 A 0.5 9", "rs2 A - 4"))
    assert mixed.weight.tolist() == [0.5, np.log(4.0)]
    with pytest.raises(ValueError, match="line 2: OR must be > 0, got 0"):
        read(table("#ID A1 OR", "rs1 A 0"))


def test_harmonised_files_of_the_gwas_catalog(read):
    """Turned to the forward strand, and in another build, beside the columns of the authors."""
    weights = read(
        table(
            "hm_variant_id hm_rsid hm_chrom hm_pos hm_other_allele hm_effect_allele hm_beta hm_odds_ratio "
            "hm_code variant_id chromosome base_pair_location effect_allele other_allele beta odds_ratio",
            "1_20_A_G rs1 1 20 A G 0.5 NA 10 rs1 1 10 C T -0.5 NA",
            "1_30_C_T rs2 1 30 C T NA 2 10 rs2 1 15 T C NA 2",
        )
    )
    assert weights.pos.tolist() == [20, 30]
    assert weights.effect.tolist() == ["G", "T"]
    assert weights.other.tolist() == ["A", "C"]
    assert weights.weight.tolist() == [0.5, np.log(2.0)]


def test_rows_of_one_variant(read):
    """Different alleles, or a dominant and a recessive part, add up; the same twice is refused."""
    assert len(read(table("ID A1 A2 BETA", "rs1 A G 1", "rs1 G A 2"))) == 2
    assert len(read(table("ID A1 BETA is_dominant", "rs1 A 1 TRUE", "rs1 A 2 FALSE"))) == 2
    with pytest.raises(ValueError, match="line 4: variant rs1 is listed more than once, first in line 2"):
        read(table("ID A1 BETA", "rs1 A 1", "rs2 A 1", "rs1 a 1"))
    assert len(read(table("ID A1 BETA is_duplicated", "rs1 A 1 TRUE", "rs1 A 2 TRUE"))) == 2


def test_effect_allele_is_one(read):
    with pytest.raises(ValueError, match="line 2: the effect allele of rs1 must be one, got A,T"):
        read(table("ID A1 BETA", "rs1 A/T 1"))


@pytest.mark.parametrize("comment", ["# a score I made\n", "#made by me\n", "## x\ty\n#a=b\tc\n# \n"])
def test_comments_before_the_header(read, comment):
    for header in ("rsID effect_allele effect_weight", "#ID A1 BETA", "#ID A1 OR BETA"):
        cells = "rs1 A 2 1" if "OR" in header else "rs1 A 1"
        weights = read(comment + table(header, cells))
        assert (weights.id[0], weights.effect[0], weights.weight[0]) == ("rs1", "A", 1.0)


def test_ids_of_our_own_files_that_are_no_rs_numbers(read):
    header = "rsID chr_name chr_position effect_allele effect_weight variant_description"
    weights = read(
        "\n".join(
            line
            for line in table(
                header, "- 1 5 A 1 ID=1:5:A:G", "rs2 1 6 A 1 proxy", "- 1 7 A 1 proxy"
            ).splitlines()
        )
    )
    assert weights.id.tolist() == ["1:5:A:G", "rs2", ""]


@pytest.mark.parametrize("name", ["w.txt.gz", "w.txt"])
def test_compressed(tmp_path, name):
    """As bgzip writes: several gzip members, one after the other."""
    path = tmp_path / name
    parts = (CATALOG, table("rsID effect_allele effect_weight", "rs1 A 1"), "rs2\tC\t2\n")
    path.write_bytes(b"".join(gzip.compress(part.encode()) for part in parts))
    weights = read_weights(path)
    assert (weights.name, weights.id.tolist()) == ("PGS999999", ["rs1", "rs2"])


def test_ids_that_tell_the_place(read):
    weights = read(
        table(
            "ID A1 BETA",
            *(
                "1:10:A:G G 1",
                "chrX:20 G 1",
                "02_30_at_c C 1",
                "scaf_7:5:A:G T 1",
                "rs1_5 A 1",
                "HLA-A*01:01 P 1",
            ),
        )
    )
    assert weights.chrom.tolist() == ["1", "X", "2", "scaf_7", "", ""]
    assert weights.pos.tolist() == [10, 20, 30, 5, -1, -1]
    assert weights.other.tolist() == ["A", "", "AT", "", "", ""]
    assert read(table("ID A1 BETA", f"1:{'9' * 30}:A:G A 1")).pos.tolist() == [-1]
    told = read(table("ID CHR POS A1 A2 BETA", "1:10:A:G 2 9 G T 1"))
    assert (told.chrom[0], told.pos[0], told.other[0]) == ("2", 9, "T")


def test_what_was_left_out_of_a_file_is_told(read):
    weights = read("##LEFT OUT: 2 variants without\n" + table("ID A1 BETA", "rs1 A 1"))
    assert weights.notes == ("LEFT OUT: 2 variants without",)


def test_an_effect_allele_among_the_others_is_taken_out_and_told(read):
    weights = read(table("ID A1 A2 BETA", "rs1 A G 1", "rs2 A A/C/T 1", "rs3 a A 1"))
    assert weights.other.tolist() == ["G", "C,T", ""]
    assert weights.notes == (
        "2 rows have the effect allele among the others too (first in line 3): left out of these",
    )


def test_weights_that_may_be_ratios_are_told(read):
    weights = read("#weight_type=OR\n" + table("rsID effect_allele effect_weight", "rs1 A 1.2"))
    assert weights.weight[0] == 1.2
    assert weights.notes == ("the file's weight_type is OR: its weights are added as they are",)


def test_several_columns_of_weights(read):
    """METAL's and others' WEIGHT may be a number of samples."""
    with pytest.raises(ValueError, match="WEIGHT and BETA may be the weight: rename all but one"):
        read(table("SNP A1 BETA WEIGHT", "rs1 A 1 1000"))
    weights = read(table("rsID effect_allele effect_weight beta", "rs1 A 1 2"))
    assert weights.weight[0] == 1.0
    assert weights.notes == ("weights are those of effect_weight, not of beta",)


def test_infinite_weights_are_refused(read):
    with pytest.raises(ValueError, match="line 2: the weight of rs1 is missing or infinite"):
        read(table("ID A1 BETA is_recessive", "rs1 A inf TRUE"))
