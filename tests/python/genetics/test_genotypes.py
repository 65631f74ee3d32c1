"""PLINK filesets: what opening, counting and decoding give, and what a damaged one says."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from genotype_files import ArrayReader, random_copies, random_dosages
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import gammaln
from support import write_plink

import riata
from riata import _core
from riata._io.tables import Table
from riata._io.text_columns import TextColumn
from riata.genetics.bed_file import BedFile
from riata.genetics.genotypes import Genotypes
from riata.genetics.plink_tables import read_bim, read_fam
from riata.genetics.sources import PackedSource, ReaderSource

DATA = Path(__file__).parents[2] / "data" / "genotypes"


def decode(path, n, p):
    """Copies of A1 straight from the format's definition, NaN for missing."""
    meaning = {0b00: 2.0, 0b01: np.nan, 0b10: 1.0, 0b11: 0.0}
    raw, stride = Path(path).read_bytes()[3:], -(-n // 4)
    X = np.empty((n, p))
    for j in range(p):
        for i in range(n):
            X[i, j] = meaning[raw[j * stride + i // 4] >> (2 * (i % 4)) & 3]
    return X


@pytest.fixture
def geno():
    return riata.open_genotypes(DATA / "tiny.bed")


@pytest.fixture
def copy(tmp_path):
    for suffix in ("bed", "bim", "fam"):
        shutil.copy(DATA / f"tiny.{suffix}", tmp_path / f"tiny.{suffix}")
    return tmp_path / "tiny"


def test_tables(geno):
    assert geno.shape == (46, 60)
    assert len(geno) == 46
    assert geno.variants.columns == ["chrom", "id", "cm", "pos", "a1", "a2"]
    assert geno.variants.id[0] == "rs1"
    assert geno.variants.pos.dtype == np.int64
    assert geno.samples.iid[1] == "S2"
    assert geno.samples.fid[1] == "F1"
    assert "46 samples x 60 variants" in repr(geno)
    frame = geno.variants.to_frame()
    assert list(frame.columns) == geno.variants.columns
    assert frame.a1[4] == "AT"


@pytest.mark.parametrize("counted", ["A1", "A2"])
def test_decoding_matches_the_format(counted):
    geno = riata.open_genotypes(str(DATA / "tiny"), counted_allele=counted)
    X = decode(DATA / "tiny.bed", 46, 60)
    if counted == "A2":
        X = 2.0 - X
    assert_array_equal(geno.to_numpy(), X)
    synonym = riata.open_genotypes(DATA / "tiny", counted_allele={"A1": "ALT", "A2": "REF"}[counted])
    assert synonym.counted_allele == counted
    assert_array_equal(geno.to_numpy([5, 2]), X[:, [5, 2]])
    assert_array_equal(geno.to_numpy(["rs3", "rs60"]), X[:, [2, 59]])
    assert geno.effect_allele[0] == ("A" if counted == "A1" else "G")
    assert geno.other_allele[0] == ("G" if counted == "A1" else "A")


def test_counts_and_frequencies(geno):
    X = geno.to_numpy()
    counts = geno.counts()
    for k in range(3):
        assert_array_equal(counts[:, k], np.equal(X, k).sum(axis=0))
    assert_array_equal(counts[:, 3], np.isnan(X).sum(axis=0))
    called = np.arange(60) != 8
    assert_allclose(geno.allele_frequency()[called], np.nanmean(X[:, called], axis=0) / 2)
    assert np.isnan(geno.allele_frequency()[8])
    assert geno.missing_rate()[8] == 1.0
    assert_array_equal(np.flatnonzero(geno.monomorphic()), [6, 8])


def test_subset_is_a_view(geno):
    X = geno.to_numpy()
    rows = np.array([7, 3, 40, 12])
    some = geno.subset(samples=rows)
    assert some.shape == (4, 60)
    assert list(some.samples.iid) == ["S8", "S4", "S41", "S13"]
    assert_array_equal(some.to_numpy(), X[rows])
    assert_array_equal(some.counts()[:, 3], np.isnan(X[rows]).sum(axis=0))
    both = some.subset(samples=[True, False, True, False], variants=["rs5", "rs2"])
    assert_array_equal(both.to_numpy(), X[np.ix_([7, 40], [4, 1])])
    assert_array_equal(both.counts()[:, 2], (X[np.ix_([7, 40], [4, 1])] == 2).sum(axis=0))
    assert_array_equal(geno.subset(samples=["S2", "S1"]).to_numpy(), X[[1, 0]])


def test_pickle(geno):
    some = geno.subset(samples=[3, 1, 2])
    some.counts()
    again = pickle.loads(pickle.dumps(some))
    assert_array_equal(again.to_numpy(), some.to_numpy())
    assert_array_equal(again.counts(), some.counts())
    assert list(again.variants.id) == list(geno.variants.id)


def test_design_holds_imputed_counts(geno):
    rows = np.array([4, 9, 10, 30, 31])
    design, index = geno.subset(samples=rows)._design()
    assert_array_equal(index, rows)
    X = decode(DATA / "tiny.bed", 46, 60)
    used = X[rows]
    called = ~np.isnan(used)
    mean = np.where(called, used, 0).sum(axis=0) / np.maximum(called.sum(axis=0), 1)
    dense = design.gather(np.arange(60))
    assert_allclose(dense[rows], np.where(called, used, mean))


def test_fit_on_genotypes_is_the_fit_on_decoded_numbers(geno):
    rng = np.random.default_rng(3)
    rows = rng.permutation(46)[:31]
    some = geno.subset(samples=rows)
    X = some.to_numpy()
    X = np.where(np.isnan(X), np.nan_to_num(np.nanmean(np.where(np.isnan(X).all(0), 0, X), axis=0)), X)
    y = X[:, 2] - X[:, 14] + rng.standard_normal(31)
    mine = riata.fit_path(some, y, alphas=15, tol=1e-10)
    dense = riata.fit_path(np.asfortranarray(X), y, alphas=15, tol=1e-10)
    assert_allclose(mine.alphas, dense.alphas, rtol=1e-12)
    assert_allclose(mine.coefs.toarray(), dense.coefs.toarray(), atol=1e-6)
    assert_allclose(mine.predict(some, mine.alphas[5]), dense.predict(X, mine.alphas[5]), atol=1e-6)


def hardy_weinberg(het, one, two):
    """The exact test from its definition: Wigginton, Cutler & Abecasis (2005), equation 1, in logarithms."""
    n, rare = het + one + two, het + 2 * min(one, two)
    if n == 0:
        return np.nan
    hets = np.arange(rare % 2, rare + 1, 2)
    homozygotes = (rare - hets) // 2
    log = (
        hets * np.log(2) - gammaln(homozygotes + 1) - gammaln(hets + 1) - gammaln(n - hets - homozygotes + 1)
    )
    p = np.exp(log - log.max())
    return p[p <= p[hets == het] * (1 + 1e-7)].sum() / p.sum()


@pytest.mark.parametrize("scale", [3, 40, 3000])
def test_hardy_weinberg_from_its_definition(scale):
    rng = np.random.default_rng(scale)
    f = rng.random((200, 1))
    p = np.hstack([f * f, 2 * f * (1 - f), (1 - f) ** 2])
    counts = np.array([rng.multinomial(scale, row) for row in p])
    counts[:4] = [[0, 0, 0], [scale, 0, 0], [scale, 0, 2 * scale], [1, scale, 0]]
    table = np.hstack([counts, rng.integers(0, 9, (200, 1))]).astype(np.uint32)
    got = _core.hardy_weinberg(table, 2)
    assert_allclose(got, [hardy_weinberg(b, a, c) for a, b, c in counts.tolist()], rtol=1e-7)
    assert np.isnan(got[0])
    assert got[1] == 1.0


def test_quality_control(tmp_path):
    rng = np.random.default_rng(8)
    X = rng.binomial(2, 0.3, (37, 40)).astype(float)
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:, 7], X[:, 9] = 1.0, np.nan
    X[:, 20], X[:, 33], X[:, 34] = X[:, 3], X[:, 3], X[:, 5]
    X[36, 34] = 2.0 - np.nan_to_num(X[36, 5])
    stem = tmp_path / "qc"
    write_plink(stem, X)
    chrom = ["1"] * 20 + ["X"] * 8 + ["chr23"] * 4 + ["Y"] * 4 + ["MT"] * 4
    pos = [100 + j for j in range(40)]
    pos[11] = pos[12] = pos[10]
    ids = [f"rs{j}" for j in range(40)]
    ids[25] = ids[4]
    pairs = [("A", "G")] * 40
    pairs[11], pairs[12] = ("A", "C"), ("G", "A")
    rows = zip(chrom, ids, pos, pairs, strict=True)
    stem.with_suffix(".bim").write_text("".join(f"{c} {i} 0 {p} {a} {b}\n" for c, i, p, (a, b) in rows))
    sexes = [1 + i % 2 for i in range(37)]
    stem.with_suffix(".fam").write_text("".join(f"f i{i} 0 0 {s} -9\n" for i, s in enumerate(sexes)))
    geno = riata.open_genotypes(stem)
    used = np.r_[5:36]
    for some, Z, sex in (
        (geno, X, sexes),
        (geno.subset(samples=used), X[used], np.array(sexes)[used]),
    ):
        qc = some.qc()
        alleles = np.full(Z.shape, 2.0)  # that each has of each: men one on X and Y, women none on Y
        alleles[:, 20:32] = np.where(np.array(sex) == 1, 1, 2)[:, None]
        alleles[:, 32:36] = np.where(np.array(sex) == 1, 1, 0)[:, None]
        called = ~np.isnan(Z) & (alleles > 0)
        assert_array_equal(qc.n_called, called.sum(axis=0))
        assert_allclose(qc.missing_rate, 1 - called.sum(axis=0) / (alleles > 0).sum(axis=0))
        weights = alleles * called
        with np.errstate(invalid="ignore"):
            frequency = (weights * np.nan_to_num(Z) / 2).sum(axis=0) / weights.sum(axis=0)
        assert_allclose(qc.frequency, frequency)
        assert_allclose(qc.maf, np.minimum(frequency, 1 - frequency))
        women = Z[np.array(sex) == 2]
        for j in range(40):
            over = women if 20 <= j < 32 else Z
            kinds = [int((over[:, j] == k).sum()) for k in (1, 0, 2)]
            assert_allclose(qc.hwe_p[j], np.nan if j >= 32 else hardy_weinberg(*kinds), rtol=1e-7)
        assert_array_equal(np.flatnonzero(qc.monomorphic), [7, 9])
        same = [
            next((k for k in range(j) if np.array_equal(Z[:, j], Z[:, k], equal_nan=True)), -1)
            for j in range(40)
        ]
        assert_array_equal(qc.identical_to, same)
        assert same[20] == same[33] == 3
        assert_array_equal(np.flatnonzero(qc.duplicate_id), [25])
        assert_array_equal(np.flatnonzero(qc.duplicate_site), [12])
        assert qc.columns[:3] == ["chrom", "id", "pos"]
        assert len(qc.to_frame()) == 40
    assert geno.qc().identical_to[34] == -1
    assert geno.subset(samples=used).qc().identical_to[34] == 5
    few = geno.subset(samples=[0, 2, 4], variants=[33, 20, 9]).qc()
    assert_array_equal(few.identical_to, [-1, 0, -1])
    assert np.isnan(few.hwe_p[1])


@pytest.mark.parametrize(
    ("chosen", "error", "message"),
    [
        ({"samples": [0, 46]}, ValueError, r"samples positions must lie in \[0, 46\)"),
        ({"samples": [1, 1]}, ValueError, "distinct"),
        ({"samples": ["S1", "nobody"]}, ValueError, "samples not in the file: nobody"),
        ({"samples": [True, False]}, ValueError, "must have 46 entries, got 2"),
        ({"variants": [0.5]}, TypeError, "variants must be a boolean mask"),
        ({"variants": [[1]]}, ValueError, "one-dimensional"),
    ],
)
def test_bad_subsets(geno, chosen, error, message):
    with pytest.raises(error, match=message):
        geno.subset(**chosen)


def imputed(X):
    """Missing calls at the mean of their column, zero where there is no call."""
    called = ~np.isnan(X)
    mean = np.where(called, X, 0).sum(axis=0) / np.maximum(called.sum(axis=0), 1)
    return np.asfortranarray(np.where(called, X, mean))


def test_variant_subsets_are_fitted_in_their_order(geno):
    rng = np.random.default_rng(4)
    rows, columns = rng.permutation(46)[:40], rng.permutation(60)[:33]
    some = geno.subset(samples=rows, variants=columns)
    X = imputed(some.to_numpy())
    y = X[:, 2] - X[:, 30] + 0.5 * rng.standard_normal(40)
    mine, dense = (riata.fit_path(x, y, alphas=12, tol=1e-10) for x in (some, X))
    assert_allclose(mine.coefs.toarray(), dense.coefs.toarray(), atol=1e-7)
    assert list(mine.feature_names) == [f"rs{j + 1}" for j in columns]
    with pytest.raises(ValueError, match="at least one sample and one variant"):
        riata.fit_path(geno.subset(variants=[]), np.arange(46.0))
    assert geno.subset(variants=[]).counts().shape == (0, 4)


def test_names_of_variants_stay_with_a_path(geno, tmp_path):
    y = np.nan_to_num(geno.to_numpy()[:, 3]) + np.random.default_rng(1).standard_normal(46)
    path = riata.fit_path(geno, y, alphas=10, exclude=["rs9", "rs2"])
    assert not path.coefs[[1, 8]].count_nonzero()
    with pytest.raises(ValueError, match="exclude must hold names of features of X, got 'rs61'"):
        riata.fit_path(geno, y, exclude=["rs61", "rs2"])
    path.save(tmp_path / "p.npz")
    again = riata.load(tmp_path / "p.npz")
    for one in (path, again):
        assert isinstance(one.feature_names, TextColumn)
        assert list(one.feature_names) == [f"rs{j}" for j in range(1, 61)]
        assert set(one.to_frame().feature) == {f"rs{j + 1}" for j in one.coefs.indices}
        assert_array_equal(one.predict(geno), path.predict(geno))
        backwards = one.predict(geno.subset(variants=np.arange(60)[::-1]))
        assert_allclose(backwards, path.predict(geno), rtol=1e-12, atol=1e-12)
    assert list(pickle.loads(pickle.dumps(again)).feature_names) == list(path.feature_names)


def split(copy, pieces):
    """The fileset `copy` as files of consecutive variants, {name: positions}."""
    raw, lines = Path(f"{copy}.bed").read_bytes(), Path(f"{copy}.bim").read_text().splitlines(True)
    stride = (len(raw) - 3) // len(lines)
    for name, variants in pieces.items():
        stem = copy.parent / name
        parts = [raw[3 + stride * j : 3 + stride * (j + 1)] for j in variants]
        Path(f"{stem}.bed").write_bytes(raw[:3] + b"".join(parts))
        Path(f"{stem}.bim").write_text("".join(lines[j] for j in variants))
        shutil.copy(f"{copy}.fam", f"{stem}.fam")


def test_files_of_chromosomes_are_one_design(geno, copy):
    split(copy, {"part_chr10": range(30, 60), "part_chr2": range(7, 30), "part_chrX": range(7)})
    several = riata.open_genotypes(copy.parent / "part_chr@.bed")
    order = np.r_[7:60, 0:7]
    assert several.shape == (46, 60)
    assert [Path(f).name for f in several.files[::3]] == ["part_chr2.bed", "part_chr10.bed", "part_chrX.bed"]
    assert "and 2 more" in repr(several)
    assert_array_equal(several.to_numpy(), geno.to_numpy()[:, order])
    assert_array_equal(several.counts(), geno.counts()[order])
    assert list(several.variants.id) == [geno.variants.id[j] for j in order]
    y = np.nan_to_num(geno.to_numpy()[:, 3]) + np.random.default_rng(1).standard_normal(46)
    rows = np.arange(5, 46)
    whole = geno.subset(samples=rows, variants=order)
    one, other = (riata.fit_path(g, y[rows], alphas=10) for g in (several.subset(samples=rows), whole))
    assert_array_equal(one.coefs.toarray(), other.coefs.toarray())
    listed = riata.open_genotypes([copy.parent / "part_chr2", copy.parent / "part_chrX"])
    assert_array_equal(listed.subset(variants=[25, 3]).to_numpy(), geno.to_numpy()[:, [2, 10]])
    with pytest.raises(FileNotFoundError, match=r"nothing@\.bed: no such file for any chromosome"):
        riata.open_genotypes(copy.parent / "nothing@.bed")
    with pytest.raises(ValueError, match="at least one file"):
        riata.open_genotypes([])


def test_files_of_other_samples_are_refused(copy):
    split(copy, {"a": range(10), "b": range(10, 20)})
    fam = copy.parent / "b.fam"
    lines = fam.read_text().splitlines(True)
    fam.write_text("".join([lines[0], lines[2], lines[1], *lines[3:]]))
    with pytest.raises(
        ValueError, match=r"b\.bed: .*same order, but sample 2 is F2 S3 and in .*a\.bed F1 S2"
    ):
        riata.open_genotypes([copy.parent / "a", copy.parent / "b"])
    split(copy, {"a": range(10)})
    b = copy.parent / "b"
    Path(f"{b}.bed").write_bytes(b"\x6c\x1b\x01" + bytes(10))
    fam.write_text("".join(lines[:4]))
    with pytest.raises(ValueError, match=r"b\.bed: .* it has 4 samples and .*a\.bed has 46"):
        riata.open_genotypes([copy.parent / "a", b])


def test_packed_arrays_calls_and_dosages_are_sources(geno):
    X = geno.to_numpy()
    raw = np.fromfile(DATA / "tiny.bed", dtype=np.uint8)[3:].reshape(60, -1)
    rng = np.random.default_rng(9)
    dosage, calls = random_dosages(46, 7, missing=0.2), random_copies(46, 5)
    dosage[5], dosage[6] = 1.25, np.nan
    sources = [
        PackedSource("a", 46, 20, np.ascontiguousarray(raw[:20])),
        PackedSource(str(DATA / "tiny.bed"), 46, 60, bed=BedFile(str(DATA / "tiny.bed"))),
        ReaderSource(ArrayReader(dosage)),
        ReaderSource(ArrayReader(calls, has_dosages=False)),
        PackedSource("b", 46, 11, np.ascontiguousarray(raw[49:])),
    ]
    whole = np.hstack([X[:, :20], X, dosage.T, calls.T, X[:, 49:]])
    variants = Table({"id": np.array([f"v{j}" for j in range(103)], dtype=object)})
    columns = rng.permutation(103)[:70]
    rows = rng.permutation(46)[:41]
    for allele in ("A1", "A2"):
        mixed = Genotypes(sources, variants, geno.samples, allele)
        copies = whole if allele == "A1" else 2.0 - whole
        for some, want in (
            (mixed, copies),
            (mixed.subset(samples=rows), copies[rows]),
            (mixed.subset(samples=rows, variants=columns), copies[np.ix_(rows, columns)]),
            (mixed.subset(variants=np.arange(80, 87)), copies[:, 80:87]),
            (mixed.subset(variants=np.arange(87, 92)), copies[:, 87:92]),
        ):
            assert_allclose(some.to_numpy(), want, rtol=1e-6)
            near = np.rint(want)
            for k in range(3):
                assert_array_equal(some.counts()[:, k], (near == k).sum(axis=0))
            assert_array_equal(some.counts()[:, 3], np.isnan(want).sum(axis=0))
            filled = imputed(want)
            used = ~np.isnan(want).all(axis=0)
            assert_allclose(some.allele_frequency()[used], filled[:, used].mean(axis=0) / 2, rtol=1e-5)
            assert np.isnan(some.allele_frequency()[~used]).all()
            same = some.identical_to()
            for j, first in enumerate(same):
                assert first < j
                assert first < 0 or np.array_equal(want[:, j], want[:, first], equal_nan=True)
            assert (same >= 0).any() or len(same) < 70
            assert_array_equal(some.monomorphic(), (filled == filled[0]).all(axis=0) | ~used)
            design, index = some._design()
            dense = design.gather(np.arange(want.shape[1]))
            assert_allclose(dense if index is None else dense[index], filled, rtol=1e-6)
            assert np.isfinite(dense).all()


def test_calls_of_several_decoded_files_are_one_packed_design(geno):
    copies = random_copies(46, 9)
    sources = [ReaderSource(ArrayReader(part, has_dosages=False)) for part in (copies[:4], copies[4:])]
    variants = Table({"id": np.array([f"v{j}" for j in range(9)], dtype=object)})
    mixed = Genotypes(sources, variants, geno.samples, "A1")
    design, _ = mixed._design()
    assert design.kind == "plink"
    assert_array_equal(mixed.subset(variants=[8, 1, 4]).to_numpy(), copies[[8, 1, 4]].T)


def test_what_is_decoded_is_not_pickled(geno):
    source = ReaderSource(ArrayReader(random_copies(46, 9)))
    variants = Table({"id": np.array([f"v{j}" for j in range(9)], dtype=object)})
    mixed = Genotypes([source], variants, geno.samples, "A1")
    before = len(pickle.dumps(mixed))
    counts = mixed.counts()
    assert len(pickle.dumps(mixed)) == before
    assert_array_equal(pickle.loads(pickle.dumps(mixed)).counts(), counts)


def test_bad_counted_allele():
    with pytest.raises(ValueError, match="counted_allele must be one of A1, ALT, A2, REF, got 'minor'"):
        riata.open_genotypes(DATA / "tiny", counted_allele="minor")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: raw[:-1], "722 bytes, but 46 samples"),
        (lambda raw: raw + b"\x00", "724 bytes"),
        (lambda raw: raw[:2] + b"\x00" + raw[3:], "sample-major"),
        (lambda raw: b"PK\x03" + raw[3:], "not a PLINK 1 .bed file.*50 4b 03"),
        (lambda raw: b"", "not a PLINK 1 .bed file"),
    ],
)
def test_damaged_bed(copy, damage, message):
    bed = Path(f"{copy}.bed")
    bed.write_bytes(damage(bed.read_bytes()))
    with pytest.raises(OSError, match=message):
        riata.open_genotypes(copy)


@pytest.mark.parametrize("suffix", ["bed", "bim", "fam"])
def test_missing_file(copy, suffix):
    Path(f"{copy}.{suffix}").unlink()
    with pytest.raises(FileNotFoundError, match=rf"tiny\.{suffix}: no such file"):
        riata.open_genotypes(copy)


def test_sample_count_must_match(copy):
    fam = Path(f"{copy}.fam")
    fam.write_text("".join(fam.read_text().splitlines(keepends=True)[:-3]))
    with pytest.raises(OSError, match="43 samples"):
        riata.open_genotypes(copy)


def test_malformed_lines_are_named(copy):
    bim, fam = Path(f"{copy}.bim"), Path(f"{copy}.fam")
    lines = bim.read_text().splitlines()
    bim.write_text("\n".join([*lines[:4], "1 rs5 0 5000 A", *lines[5:]]))
    with pytest.raises(ValueError, match=r"tiny\.bim, line 5: expected 6 fields .*got 5"):
        read_bim(bim)
    bim.write_text("\n".join([*lines[:6], "1 rs7 0 here A G", *lines[7:]]))
    with pytest.raises(ValueError, match=r"tiny\.bim, line 7: position 'here' is not a number"):
        read_bim(bim)
    fam.write_text("F1 S1 0 0 1\n")
    with pytest.raises(ValueError, match=r"tiny\.fam, line 1: expected 6 fields .*got 5"):
        read_fam(fam)
    fam.write_text("")
    with pytest.raises(ValueError, match="empty"):
        read_fam(fam)
