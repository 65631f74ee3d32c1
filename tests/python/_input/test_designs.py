"""Every storage behind ``riata._core.Design`` against numpy, and the files and arrays it must refuse."""

import gc

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal
from support import SHARED

from riata import _core

N, P = 37, 23


def genotypes(n=N, p=P, missing=0.1):
    """Copies of A1 with NaN for missing; a constant, a monomorphic-with-gaps and an all-missing column."""
    rng = np.random.default_rng(0)
    x = rng.binomial(2, rng.uniform(0.05, 0.5, p), (n, p)).astype(float)
    x[rng.random((n, p)) < missing] = np.nan
    x[:, 3 % p], x[::2, 4 % p], x[1::2, 4 % p], x[:, 5 % p] = 0.0, 2.0, np.nan, np.nan
    return x


def encode_bed(a1):
    """PLINK 1 .bed: codes 00 two copies of A1, 01 missing, 10 one, 11 none; four a byte, low bits first."""
    n, p = a1.shape
    codes = np.full((-(-n // 4) * 4, p), 0)
    codes[:n] = np.where(np.isnan(a1), 1, np.choose(np.nan_to_num(a1).astype(int), [3, 2, 0]))
    packed = (codes.reshape(-1, 4, p) << np.array([0, 2, 4, 6])[None, :, None]).sum(axis=1).astype(np.uint8)
    return b"\x6c\x1b\x01" + packed.T.tobytes()


def decode_bed(path, n, p, columns):
    """The same rules backwards, with numpy alone."""
    packed = np.fromfile(path, dtype=np.uint8)[3:].reshape(p, -1)[columns]
    codes = (packed[:, :, None] >> np.array([0, 2, 4, 6])) & 3
    return np.array([2.0, np.nan, 1.0, 0.0])[codes.reshape(len(columns), -1)[:, :n].T]


def impute(x, include=None):
    called = x if include is None else x[include.astype(bool)]
    present = ~np.isnan(called)
    mean = np.where(present, called, 0.0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    return np.where(np.isnan(x), mean, x)


def open_plink(path, n, p, *, count_a1=True, include=None, n_threads=1):
    return _core.plink_design([str(path)], n, [p], count_a1, include, None, n_threads)


def random_csc(density):
    rng = np.random.default_rng(1)
    return scipy.sparse.csc_matrix(rng.standard_normal((N, P)) * (rng.random((N, P)) < density))


def sparse_example(dtype, index):
    x = random_csc(0.2).astype(dtype)
    design = _core.csc_design(x.indptr.astype(index), x.indices.astype(index), x.data, N)
    return design, x.toarray().astype(float)


def dense_example(dtype, layout, tmp_path):
    rng = np.random.default_rng(2)
    x = rng.integers(-100, 100, (N, P)) if dtype == np.int8 else rng.normal(3, 1, (N, P))
    x = x.astype(dtype)
    if layout == "F":
        view = np.asfortranarray(x)
    elif layout == "C":
        view = np.ascontiguousarray(x)
    elif layout == "strided":
        view = np.zeros((2 * N, 3 * P), dtype)[::-2, ::3]
        view[...] = x
    elif layout == "memmap":
        np.save(tmp_path / "x.npy", x)
        view = np.load(tmp_path / "x.npy", mmap_mode="r")
    view.flags.writeable = False
    return _core.dense_design(view), x.astype(float)


DENSE = [(d, layout) for d in (np.float64, np.float32, np.int8) for layout in ("F", "C", "strided", "memmap")]
CSC = [(d, i) for d in (np.float64, np.float32) for i in (np.int32, np.int64)]
STORAGES = (
    [pytest.param(("dense", *c), id=f"dense-{np.dtype(c[0])}-{c[1]}") for c in DENSE]
    + [pytest.param(("csc", *c), id=f"csc-{np.dtype(c[0])}-{np.dtype(c[1])}") for c in CSC]
    + [pytest.param(("plink", a1), id=f"plink-{'A1' if a1 else 'A2'}") for a1 in (True, False)]
)


@pytest.fixture(params=STORAGES)
def storage(request, tmp_path):
    """A design and the same matrix as a float64 array."""
    kind, *options = request.param
    if kind == "dense":
        return dense_example(*options, tmp_path)
    if kind == "csc":
        return sparse_example(*options)
    a1 = genotypes()
    (tmp_path / "x.bed").write_bytes(encode_bed(a1))
    (counts_a1,) = options
    return open_plink(tmp_path / "x.bed", N, P, count_a1=counts_a1), impute(a1 if counts_a1 else 2 - a1)


def test_storages_agree_with_numpy(storage):
    design, x = storage
    rng = np.random.default_rng(3)
    size = np.abs(x).max() * N
    some = np.array([5, 0, P - 1, 7])
    assert design.shape == (N, P)
    assert design.nbytes > 0
    assert_array_equal(design.gather(np.arange(P)), x)
    assert_array_equal(design.gather(some), x[:, some])
    for m in (1, 2, 5, 9):
        R, B = rng.standard_normal((N, m)), rng.standard_normal((len(some), m))
        assert_allclose(design.correlate(R), x.T @ R, atol=1e-14 * size)
        assert_allclose(design.correlate(R, some), x[:, some].T @ R, atol=1e-14 * size)
        assert_allclose(design.multiply(some, B), x[:, some] @ B, atol=1e-14 * size)
    w = rng.random((N, 3))
    w[:, 0], w[::4, 1] = 1.0, 0.0
    w /= w.sum(axis=0)
    mean, variance = design.moments(w)
    want = x.T @ w
    assert_allclose(mean, want, atol=1e-14 * size)
    want_variance = (w[:, None, :] * (x[:, :, None] - want) ** 2).sum(axis=0)
    assert_allclose(variance, want_variance, atol=1e-14 * size**2)


def test_threads_do_not_change_bits(storage):
    design, _ = storage
    R = np.random.default_rng(4).standard_normal((N, 5))
    w = np.abs(R) / np.abs(R).sum(axis=0)
    B, some = R[:5], np.arange(5)
    for threads in (2, 3):
        assert_array_equal(design.correlate(R, n_threads=threads), design.correlate(R))
        assert_array_equal(design.moments(w, n_threads=threads), design.moments(w))
        assert_array_equal(design.multiply(some, B, threads), design.multiply(some, B))
        assert_array_equal(design.gather(some, threads), design.gather(some))


def test_instruction_sets_agree(storage):
    design, x = storage
    R = np.random.default_rng(5).standard_normal((N, 3))
    before = _core.isa()
    try:
        for name in ("baseline", "avx2", "avx512"):
            try:
                _core.set_isa(name)
            except ValueError:
                continue  # not on this machine
            assert _core.isa() == name
            assert_allclose(design.correlate(R), x.T @ R, atol=1e-14 * N * np.abs(x).max())
    finally:
        _core.set_isa(before)
    with pytest.raises(ValueError, match=r"isa must be one of auto, .*got 'mmx'"):
        _core.set_isa("mmx")


def test_designs_keep_their_arrays_alive():
    rng = np.random.default_rng(6)
    designs = [_core.dense_design(rng.standard_normal((N, P))) for _ in range(20)]
    x = random_csc(0.5)
    want = x.toarray().sum(axis=0)
    sparse = _core.csc_design(x.indptr, x.indices, x.data, N)
    del x
    gc.collect()
    scratch = [np.full((N, P), 7.0) for _ in range(20)]
    ones = np.ones((N, 1))
    assert all(not np.allclose(d.correlate(ones), 7.0 * N) for d in designs)
    assert_allclose(sparse.correlate(ones)[:, 0], want, atol=1e-13)
    del scratch


@pytest.mark.parametrize("dtype", [np.float16, np.int64, np.uint8, np.complex128, bool, object, ">f8"])
def test_dense_dtypes_are_never_cast(dtype):
    with pytest.raises(TypeError, match=r"X must have dtype float64, float32 or int8, got "):
        _core.dense_design(np.zeros((3, 2), dtype))


def test_dense_arrays_that_cannot_be_viewed():
    with pytest.raises(TypeError):
        _core.dense_design([[1.0, 2.0]])
    with pytest.raises(ValueError, match="X must have 2 dimensions, got 1"):
        _core.dense_design(np.zeros(3))
    records = np.zeros((4, 2), dtype=[("flag", "i1"), ("value", "f8")])
    with pytest.raises(ValueError, match="X must have strides that are multiples of its item size"):
        _core.dense_design(records["value"])


def test_csc_arrays_are_checked():
    indptr, indices, data = np.array([0, 1, 2], np.int32), np.array([0, 2], np.int32), np.ones(2)
    assert _core.csc_design(indptr, indices, data, 3).shape == (3, 2)
    with pytest.raises(TypeError, match="indptr must have dtype int32 or int64, got float64"):
        _core.csc_design(indptr.astype(float), indices, data, 3)
    with pytest.raises(TypeError, match="indices must have dtype that of indptr, int32 or int64, got int64"):
        _core.csc_design(indptr, indices.astype(np.int64), data, 3)
    with pytest.raises(TypeError, match="data must have dtype float64 or float32, got int64"):
        _core.csc_design(indptr, indices, data.astype(np.int64), 3)
    with pytest.raises(ValueError, match="data must be contiguous"):
        _core.csc_design(indptr, indices, np.ones(4)[::2], 3)
    with pytest.raises(ValueError, match="indices and data must have the same length, got 2 and 3"):
        _core.csc_design(indptr, indices, np.ones(3), 3)
    with pytest.raises(ValueError, match=r"indices must lie in \[0, 2\), got 2 in column 1"):
        _core.csc_design(indptr, indices, data, 2)
    with pytest.raises(ValueError, match="indptr must not decrease, got 1 then 0 for column 1"):
        _core.csc_design(np.array([0, 1, 0], np.int32), indices, data, 3)
    with pytest.raises(ValueError, match="indptr must have one entry more than there are columns, got none"):
        _core.csc_design(indptr[:0], indices, data, 3)


def test_arguments_of_operations_are_checked():
    design = _core.dense_design(np.zeros((3, 2)))
    ones = np.ones((3, 1))
    with pytest.raises(ValueError, match="R must have 3 rows, got 2"):
        design.correlate(ones[:2])
    with pytest.raises(ValueError, match="R must have 2 dimensions, got 1"):
        design.correlate(ones[:, 0])
    with pytest.raises(ValueError, match=r"columns must lie in \[0, 2\), got -1"):
        design.gather(np.array([-1]))
    with pytest.raises(ValueError, match=r"columns must lie in \[0, 2\), got 2"):
        design.correlate(ones, np.array([0, 2]))
    with pytest.raises(TypeError, match="columns must be integers, got dtype float64"):
        design.gather(np.array([0.5]))
    with pytest.raises(ValueError, match="n_threads must be >= 1, got 0"):
        design.correlate(ones, n_threads=0)
    with pytest.raises(ValueError, match="weights must have 3 rows, got 1"):
        design.moments(ones[:1])
    assert design.gather(np.array([], np.int64)).shape == (3, 0)


def test_plink_counts_over_included_samples(tmp_path):
    a1 = genotypes()
    (tmp_path / "x.bed").write_bytes(encode_bed(a1))
    include = (np.arange(N) % 3 != 0).astype(np.uint8)
    kept = a1[include.astype(bool)]
    for count_a1, x in ((True, kept), (False, 2 - kept)):
        design = open_plink(tmp_path / "x.bed", N, P, count_a1=count_a1, include=include, n_threads=2)
        want = np.stack([(x == 0).sum(0), (x == 1).sum(0), (x == 2).sum(0), np.isnan(x).sum(0)], axis=1)
        assert_array_equal(design.counts(), want)
        full = a1 if count_a1 else 2 - a1
        assert_array_equal(design.gather(np.arange(P)), impute(full, include))
        assert_array_equal(design.imputed()[3:6], [0, 2, 0] if count_a1 else [2, 0, 0])


def test_bed_files_that_are_refused(tmp_path):
    good = encode_bed(genotypes())
    path = tmp_path / "x.bed"
    for content, reason in (
        (
            good[:-1],
            f"truncated: {N} samples .* {P} variants .* {len(good)} bytes, got {len(good) - 1}",
        ),
        (good + b"\0", "too long"),
        (b"\x6c\x1b\x00" + good[3:], "sample-major"),
        (b"PK\x03" + good[3:], "6c 1b 01"),
        (b"", "6c 1b 01"),
    ):
        path.write_bytes(content)
        with pytest.raises(OSError, match=reason):
            open_plink(path, N, P)
    with pytest.raises(OSError, match=r"absent\.bed"):
        open_plink(tmp_path / "absent.bed", N, P)
    with pytest.raises(OSError, match="not a regular file"):
        open_plink(tmp_path, N, P)
    path.write_bytes(good)
    with pytest.raises(ValueError, match="include must have one entry a sample"):
        open_plink(path, N, P, include=np.ones(3, np.uint8))
    with pytest.raises(ValueError, match="samples must be >= 1, got 0"):
        open_plink(path, 0, P)


needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="no reference data beside the checkout")


@needs_shared
@pytest.mark.parametrize(
    ("name", "n", "p", "counts"),
    [
        ("hapmap60", 60, 5000, (194993, 78549, 25449, 1009)),
        ("some_missing", 100, 100, (34, 392, 7392, 2182)),
        ("mouse_hs", 1814, 10346, (8346901, 6807877, 3612866, 0)),
    ],
)
def test_real_files(name, n, p, counts):
    path = SHARED / f"{name}.bed"
    design = open_plink(path, n, p, n_threads=2)
    by_variant = design.counts()
    assert tuple(by_variant.sum(axis=0)) == counts
    some = np.arange(0, p, max(1, p // 200))
    x = impute(decode_bed(path, n, p, some))
    assert_array_equal(design.gather(some), x)
    called = n - by_variant[:, 3]
    frequency = (by_variant[:, 1] + 2 * by_variant[:, 2]) / (2 * np.maximum(called, 1))
    assert_allclose(frequency[some], x.mean(axis=0) / 2, atol=1e-12)
    assert_allclose(design.imputed(), 2 * frequency, atol=1e-15)
    R = np.random.default_rng(7).standard_normal((n, 3))
    assert_allclose(design.correlate(R, some, n_threads=2), x.T @ R, atol=1e-9)


@needs_shared
def test_mouse_bed_holds_the_npz_matrix():
    want = np.load(SHARED / "mouse_hs.npz")["X"]
    design = open_plink(SHARED / "mouse_hs.bed", *want.shape)
    for columns in np.array_split(np.arange(want.shape[1]), 20):
        assert_array_equal(design.gather(columns), want[:, columns])
