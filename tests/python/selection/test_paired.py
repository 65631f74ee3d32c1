"""X beside its knockoffs as one design: what each column is, and in which rows."""

import numpy as np
import pytest
import scipy.sparse as sp

import riata
from riata import _core
from riata._input.design import as_design
from riata.path.given import read_given, read_problem
from riata.selection.beside import core_beside
from riata.selection.items import items_of
from riata.selection.paired import draw_order, pair


def small(n=40, p=9, seed=0):
    return np.round(1.4 * np.random.default_rng(seed).standard_normal((n, p)))


def storages(X):
    yield "float64", X
    yield "float32 by rows", X.astype(np.float32)
    yield "int8", np.asfortranarray(X.astype(np.int8))
    yield "sparse", sp.csc_array(X)


def problem_of(X, y=None, **fit):
    n = X.shape[0]
    y = np.random.default_rng(9).standard_normal(n) if y is None else y
    return read_problem(X, y, read_given("test", fit))


@pytest.mark.parametrize("left", range(4))
@pytest.mark.parametrize("right", range(4))
def test_columns_are_pairs_in_the_order_drawn(left, right, tmp_path):
    X, made = small(seed=1), small(seed=2)
    one, other = list(storages(X))[left][1], list(storages(made))[right][1]
    problem = problem_of(one)
    items = items_of(problem.design, problem.features, None)
    pairs = draw_order(items, 4, 0)
    assert 0 < pairs.turned.sum() < 9
    both = pair(problem, other, items, pairs)
    dense = np.empty((40, 18))
    for j in range(9):
        dense[:, 2 * j : 2 * j + 2] = np.column_stack(
            [made[:, j], X[:, j]] if pairs.turned[j] else [X[:, j], made[:, j]]
        )
    assert both.design.core.kind == "paired"
    np.testing.assert_array_equal(both.design.gather(np.arange(18)), dense)
    np.testing.assert_array_equal(dense[:, pairs.originals], X)
    np.testing.assert_array_equal(dense[:, pairs.knockoffs], made)
    y = X[:, 2] - made[:, 5] + 0.1 * np.arange(40)
    path = riata.fit_path(_Design(both.design.core), y, alphas=20, tol=1e-10)
    expected = riata.fit_path(dense, y, alphas=path.alphas, tol=1e-10)
    np.testing.assert_allclose(path.coefs.toarray(), expected.coefs.toarray(), atol=1e-7)


class _Design:
    """A core design, shown as X."""

    def __init__(self, core, rows=None):
        self._core, self._rows = core, rows
        self.shape = core.shape

    def _design(self):
        return self._core, self._rows


def test_a_memory_map_is_read_where_it_is(tmp_path):
    made = small(seed=2)
    np.save(tmp_path / "made.npy", made.astype(np.float32))
    mapped = np.load(tmp_path / "made.npy", mmap_mode="r")
    core = core_beside(as_design(small(seed=1)), mapped)
    np.testing.assert_array_equal(core.gather(np.arange(9)), made)
    assert core.nbytes == mapped.nbytes


def test_a_coin_for_each_item_from_the_seed_alone():
    problem = problem_of(small(p=9), penalty_factor=[1, 1, 1, 1, 1, 1, 0, 1, 1])
    groups = [0, 0, 0, 1, 1, 2, 2, 3, 3]
    items = items_of(problem.design, problem.features, groups)
    turned = np.array([draw_order(items, 7, k).turned for k in range(400)])
    for members in ([0, 1, 2], [3, 4], [7, 8]):
        assert (turned[:, members] == turned[:, members[:1]]).all()
    assert not turned[:, 6].any()
    assert np.all(np.abs(turned[:, [0, 3, 5, 7]].mean(axis=0) - 0.5) < 0.12)  # 400 coins: 5 s.e.
    assert len({tuple(row) for row in turned[:, [0, 3, 5, 7]].tolist()}) == 16
    assert np.array_equal(draw_order(items, 7, 3).turned, turned[3])


def test_covariates_have_no_knockoffs_and_bounds_are_those_of_both():
    problem = problem_of(
        small(p=4), penalty_factor=[1.0, 0.0, 2.0, np.inf], lower=[-1, -2, -3, -4], upper=[1, 2, 3, 4]
    )
    items = items_of(problem.design, problem.features, None)
    pairs = draw_order(items, 1, 0)
    both = pair(problem, small(p=4, seed=5), items, pairs).features
    assert both.penalty_factor[pairs.originals].tolist() == [1.0, 0.0, 2.0, np.inf]
    assert both.penalty_factor[pairs.knockoffs].tolist() == [1.0, np.inf, 2.0, np.inf]
    for side in (pairs.originals, pairs.knockoffs):
        assert both.lower[side].tolist() == [-1, -2, -3, -4]
        assert both.upper[side].tolist() == [1, 2, 3, 4]


def test_missing_cells_are_missing_in_both():
    X = small(p=5)
    X[3, 2] = X[7, 2] = X[8, 0] = np.nan
    problem = problem_of(X, impute="mean")
    items = items_of(problem.design, problem.features, None)
    pairs = draw_order(items, 1, 0)
    gaps = pair(problem, small(p=5, seed=6), items, pairs).design.gaps
    cells = set(zip(gaps.rows.tolist(), gaps.columns.tolist(), strict=True))
    expected = {
        (i, int(side[j])) for i, j in ((3, 2), (7, 2), (8, 0)) for side in (pairs.originals, pairs.knockoffs)
    }
    assert cells == expected


@pytest.fixture(scope="module")
def geno(tmp_path_factory):
    folder = tmp_path_factory.mktemp("geno")
    bed = riata.simulate_genotypes(str(folder / "study"), 50, 40, missing=0.05, seed=3)
    return riata.open_genotypes(bed)


def made_of(geno, folder, rows=None):
    """Genotypes of the samples of `geno`, shuffled, as a file of their own."""
    from riata.knockoffs import Knockoffs

    order = np.random.default_rng(0).permutation(len(geno))
    Knockoffs(geno.subset(samples=order)).save(folder / "made.bed")
    return riata.open_genotypes(str(folder / "made.bed"))


def test_genotypes_beside_genotypes(geno, tmp_path):
    made = made_of(geno, tmp_path)
    core = core_beside(as_design(geno), made)
    assert core.kind == "plink"
    assert core.nbytes == as_design(geno).core.nbytes
    np.testing.assert_array_equal(core.gather(np.arange(40)), as_design(made).gather(np.arange(40)))


@pytest.mark.parametrize("kind", ["bed", "array", "float32", "subset of the same file"])
def test_knockoffs_of_some_samples_of_a_file(geno, tmp_path, kind):
    rows = np.array([3, 1, 30, 31, 32, 7, 49, 20])
    part = geno.subset(samples=rows)
    if kind == "subset of the same file":
        made = made_of(geno, tmp_path).subset(samples=rows)
    else:
        made = made_of(part, tmp_path)
        if kind != "bed":
            made = np.nan_to_num(made.to_numpy(), nan=1.0).astype(np.float32 if kind == "float32" else float)
    design = as_design(part)
    core = core_beside(design, made)
    assert core.shape == design.core.shape
    assert core.kind == ("dense" if kind in ("array", "float32") else "plink")
    found = design.collect(core.gather(np.arange(40)))
    np.testing.assert_array_equal(found, as_design(made).gather(np.arange(40)))


def test_knockoffs_of_some_samples_beside_an_array(geno, tmp_path):
    rows = np.array([3, 1, 30, 31])
    made = made_of(geno, tmp_path).subset(samples=rows)
    core = core_beside(as_design(np.zeros((4, 40))), made)
    np.testing.assert_array_equal(core.gather(np.arange(40)), as_design(made).gather(np.arange(40)))


def test_what_does_not_fit_is_refused(geno, tmp_path):
    with pytest.raises(ValueError, match=r"knockoffs must have the shape of X, \(40, 9\), got \(40, 8\)"):
        core_beside(as_design(small()), small(p=8))
    with pytest.raises(ValueError, match=r"knockoffs must have the shape of X, \(40, 9\), got \(39, 9\)"):
        core_beside(as_design(small()), small(n=39))
    with pytest.raises(ValueError, match="knockoffs must have the variants of X in the same order"):
        core_beside(as_design(geno), geno.subset(variants=np.arange(40)[::-1]))
    other = riata.open_genotypes(geno.path, counted_allele="A2")
    with pytest.raises(ValueError, match="knockoffs must have the counted alleles of X"):
        core_beside(as_design(geno), other)


def test_shapes_are_refused_by_the_core():
    one = _core.dense_design(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="first must have one entry for each of 2 columns, got 1"):
        _core.paired_design(one, one, np.zeros(1, dtype=np.uint8))
