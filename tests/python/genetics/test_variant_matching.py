"""Which variant of other genotypes a wanted one is: ids, places and alleles, against answers by hand."""

import numpy as np
import pytest
from genotype_files import write_bed
from numpy.testing import assert_allclose

import riata
from riata.genetics.score_file import read_weights
from riata.genetics.variant_matching import find_variants
from riata.path.polygenic_score import score_genotypes

COPIES = np.array([[0, 1, 2, np.nan], [2, 2, 1, 0]])


def genotypes(tmp_path, *variants, copies=None, name="g"):
    rows = np.resize(COPIES, (len(variants), 4)) if copies is None else copies
    return riata.open_genotypes(write_bed(tmp_path / name, variants, rows))


def wanted(tmp_path, *rows, header="ID CHROM POS A1 A2 BETA"):
    path = tmp_path / "w.txt"
    path.write_text("\t".join(header.split()) + "\n" + "".join("\t".join(row.split()) + "\n" for row in rows))
    return read_weights(path)


@pytest.mark.parametrize(
    ("row", "flipped"),
    [
        ("rs1 1 100 A G 1", False),
        ("rs1 1 100 G A 1", True),
        ("rs1 1 100 a g 1", False),  # METAL's small letters
        ("rs1 1 100.0 A G 1", False),
        ("rs1 1.0 100 A G 1", False),
        ("rs1 chr01 100 A G 1", False),
        ("rs1 NA NA A G 1", False),
        ("rs1 1 0 A G 1", False),  # not placed: the id alone is evidence
        ("rs1 1 100 A NA 1", False),
        ("rs1 1 100 G NA 1", True),
        ("rs1 1 100 A G/T 1", False),
        ("rs1 1 100 A C,G 1", False),
        ("other 1 100 A G 1", False),
        ("NA chr1 100 G A 1", True),
        (". 1 100 A G 1", False),
    ],
)
def test_one_variant_is_found(tmp_path, row, flipped):
    geno = genotypes(tmp_path, ("1", "rs1", 100, "A", "G"), ("1", "rs2", 200, "A", "G"))
    found = find_variants(wanted(tmp_path, row), geno)
    assert (found.where.tolist(), found.flipped.tolist(), found.absent) == ([0], [flipped], [])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("rs1 1 100 C T 1", "has alleles A and G"),
        ("rs1 1 100 A C 1", "has alleles A and G"),
        ("rs1 1 100 A C/T 1", "has alleles A and G"),
        ("rs9 1 100 C T 1", "has alleles A and G"),
        ("rs1 1 150 A G 1", "lies at 1:100"),
        ("rs1 2 100 A G 1", "lies at 1:100"),
        ("rs9 1 150 A G 1", "not in it"),
        (". 1 150 A G 1", "not in it"),
        ("rs9 1 0 A G 1", "not in it"),  # 0 is no place
    ],
)
def test_what_is_another_variant_is_not_taken(tmp_path, row, reason):
    geno = genotypes(tmp_path, ("1", "rs1", 100, "A", "G"), ("0", "un", 0, "A", "G"))
    found = find_variants(wanted(tmp_path, row), geno)
    assert found.absent == [(0, reason)]


def test_an_id_is_no_proof(tmp_path):
    """rs1 is another variant here; the one that was meant has its place and its alleles."""
    geno = genotypes(
        tmp_path, ("7", "rs1", 5, "A", "G"), ("1", "x", 100, "G", "A"), ("1", "rs1", 100, "C", "T")
    )
    found = find_variants(wanted(tmp_path, "rs1 1 100 A G 1"), geno)
    assert (found.where.tolist(), found.flipped.tolist(), found.by_place.tolist()) == ([1], [True], [True])
    row = wanted(tmp_path, "rs1 9 9 A G 1")
    assert find_variants(row, geno).absent == [(0, "lies at 7:5")]
    found = find_variants(row, geno, ignore_positions=True)
    assert (found.where.tolist(), found.elsewhere.tolist()) == ([0], [True])


def test_ids_that_repeat_are_told_apart_by_place_and_alleles(tmp_path):
    geno = genotypes(
        tmp_path,
        ("1", "rs1", 100, "A", "G"),
        ("2", "rs1", 100, "A", "G"),
        ("2", "rs1", 100, "A", "C"),
        ("3", "rs3", 9, "A", "C"),
        ("3", "rs3", 9, "C", "A"),
    )
    rows = wanted(tmp_path, "rs1 2 100 A G 1", "rs1 1 100 G A 1", "rs1 2 100 C A 1", "rs3 3 9 A C 1")
    found = find_variants(rows, geno)
    assert found.where.tolist() == [1, 0, 2]
    assert found.absent == [(3, "appears more than once")]
    with pytest.raises(ValueError, match=r"variant rs3 with alleles A and C appears more than once"):
        score_genotypes(rows, geno)
    scores = score_genotypes(rows, geno, allow_missing=True)
    assert [k for k, _ in scores.absent] == [3]


@pytest.mark.parametrize("allow_missing", [False, True])
def test_genotypes_with_none_of_the_variants_are_refused(tmp_path, allow_missing):
    """As PLINK does: a score of nothing is the same for everybody."""
    geno = genotypes(tmp_path, ("1", "rs1", 100, "A", "G"), ("2", "rs2", 9, "A", "C"))
    rows = wanted(tmp_path, "rs8 3 100 A G 1", "rs9 4 200 A G 2")
    with pytest.raises(ValueError, match=r"2 of the 2 variants .*; none of the variants fits: there is not"):
        score_genotypes(rows, geno, allow_missing=allow_missing)


@pytest.mark.parametrize("unseen", ["0", "."])
@pytest.mark.parametrize(
    ("a1", "a2", "copies"), [("X", "G", 0.0), ("A", "X", 2.0), ("G", "X", 0.0), ("X", "A", 2.0)]
)
def test_alleles_that_nobody_carries_fit_what_is_left(tmp_path, unseen, a1, a2, copies):
    """PLINK 1 writes 0, PLINK 2 and VCF a dot; everybody has two copies of the one that is named."""
    a1, a2 = (unseen if a == "X" else a for a in (a1, a2))
    stored = np.full((1, 4), 0.0 if a1 == unseen else 2.0)
    geno = genotypes(tmp_path, ("1", "rs1", 100, a1, a2), copies=stored)
    assert_allclose(score_genotypes(wanted(tmp_path, "rs1 1 100 A G 1"), geno).total, copies)


def test_both_alleles_unknown_say_nothing(tmp_path):
    geno = genotypes(tmp_path, ("1", "rs1", 100, "0", "0"))
    assert find_variants(wanted(tmp_path, "rs1 1 100 A G 1"), geno).absent == [(0, "has alleles 0 and 0")]


def test_entries_that_meet_one_variant_are_added_up(tmp_path):
    geno = genotypes(tmp_path, ("1", "rs1", 100, "A", "G"), copies=np.array([[0.0, 1.0, 2.0, 2.0]]))
    scores = score_genotypes(
        wanted(tmp_path, "rs1 1 100 A G 1", "1:100 1 100 A G 10", "x 1 100 G A 100"), geno
    )
    assert_allclose(scores.total, 11 * np.array([0, 1, 2, 2]) + 100 * np.array([2, 1, 0, 0]))
    assert "3 entries match a variant that another matches too: they were added up" in scores.notes


def test_other_species(tmp_path):
    """23 is X in humans, and 23 in cattle."""
    rows = wanted(tmp_path, "a X 100 A G 1")
    path = write_bed(tmp_path / "g", [("23", "b", 100, "A", "G"), ("30", "c", 100, "A", "G")], COPIES)
    assert find_variants(rows, riata.open_genotypes(path, chr_set="cow")).where.tolist() == [1]
    path = write_bed(tmp_path / "h", [("23", "b", 100, "A", "G")], COPIES[:1])
    assert find_variants(rows, riata.open_genotypes(path)).where.tolist() == [0]


def test_counting_the_other_allele(tmp_path):
    geno = genotypes(tmp_path, ("1", "rs1", 100, "A", "G"), ("1", "rs2", 200, "C", "T"))
    other = riata.open_genotypes(geno.path, counted_allele="A2")
    rows = wanted(
        tmp_path, "rs1 1 100 A G 0.5 0.3", "rs2 1 200 T C 2 0.4", header="ID CHROM POS A1 A2 BETA EAF"
    )
    by_hand = 0.5 * np.array([0, 1, 2, 0.6]) + 2 * (2 - COPIES[1])
    for one in (geno, other, geno.subset(variants=[1, 0])):
        assert_allclose(score_genotypes(rows, one).total, by_hand)
    assert_allclose(score_genotypes(rows, geno.subset(samples=[3, 1])).total, by_hand[[3, 1]])
    assert score_genotypes(rows, geno).missing.tolist() == [0, 0, 0, 1]


class TestSeveralAltAlleles:
    """REF A, ALT C,T: all ALT alleles are counted together in X, one by one for scores that name one."""

    @pytest.fixture
    def pgen(self, tmp_path):
        pgenlib = pytest.importorskip("pgenlib")
        alleles = [(0, 1), (1, 2), (2, 2), (0, 0), (1, 1), (0, 2), (-9, -9)]  # 0: A, 1: C, 2: T
        path = tmp_path / "m.pgen"
        with pgenlib.PgenWriter(
            str(path).encode(), 7, variant_ct=1, nonref_flags=False, allele_ct_limit=3
        ) as writer:
            writer.append_alleles(np.array(alleles, dtype=np.int32).ravel(), False, allele_ct=3)
        (tmp_path / "m.pvar").write_text("#CHROM\tPOS\tID\tREF\tALT\n1\t100\trs1\tA\tC,T\n")
        (tmp_path / "m.psam").write_text("#IID\n" + "".join(f"i{k}\n" for k in range(7)))
        copies = {k: np.array([sum(a == k for a in pair) for pair in alleles], dtype=float) for k in range(3)}
        return riata.open_genotypes(path), copies

    @pytest.mark.parametrize(
        ("row", "allele"),
        [("rs1 1 100 C A 1 0.25", 1), ("rs1 1 100 T A 1 0.25", 2), ("rs1 1 100 A C 1 0.25", 0),
         ("rs1 1 100 C NA 1 0.25", 1), ("x 1 100 T A 1 0.25", 2), ("rs1 1 100 A C,T 1 0.25", 0)],
    )  # fmt: skip
    def test_the_allele_that_is_named_is_counted(self, tmp_path, pgen, row, allele):
        geno, copies = pgen
        rows = wanted(tmp_path, row, header="ID CHROM POS A1 A2 BETA EAF")
        expected = copies[allele]
        expected[6] = 0.5  # a missing call, at twice the frequency
        assert_allclose(score_genotypes(rows, geno).total, expected)

    def test_an_allele_that_is_not_there(self, tmp_path, pgen):
        found = find_variants(wanted(tmp_path, "rs1 1 100 G A 1"), pgen[0])
        assert found.absent == [(0, "has alleles C,T and A")]


def test_many_variants_are_found_as_one_by_one(tmp_path):
    """A thousand variants, shuffled, some renamed, some flipped, some elsewhere: against a dictionary."""
    rng = np.random.default_rng(0)
    p = 1000
    place = rng.permutation(5000)[:p] + 1
    there = [(str(1 + j % 3), f"v{j}", int(place[j]), "A", "C") for j in range(p)]
    geno = genotypes(tmp_path, *there)
    kind = rng.integers(0, 5, p)
    lines, expected = [], {}
    for k in range(p):
        chrom, name, pos, a1, a2 = there[k]
        id = f"w{k}" if kind[k] == 1 else name
        at = pos if kind[k] != 2 else pos + 7000
        effect, other = (a2, a1) if kind[k] == 3 else (a1, "G") if kind[k] == 4 else (a1, a2)
        lines.append(f"{id} {chrom} {at} {effect} {other} 1")
        if kind[k] in (0, 1, 3):
            expected[k] = (k, kind[k] == 3, kind[k] == 1)
    found = find_variants(wanted(tmp_path, *lines), geno)
    columns = zip(found.where.tolist(), found.flipped.tolist(), found.by_place.tolist(), strict=True)
    assert dict(zip(found.rows.tolist(), columns, strict=True)) == expected
    assert [k for k, _ in found.absent] == [k for k in range(p) if k not in expected]
