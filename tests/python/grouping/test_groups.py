"""Groups of correlated features against their definitions, written out with NumPy."""

import numpy as np
import pytest
import scipy.sparse as sp
from genotype_files import write_bed
from numpy.testing import assert_array_equal

import riata

CHROM = ["1"] * 50 + ["2"] * 40
POS = np.concatenate([1000 * np.arange(1, 51), 1000 * np.arange(1, 41)])


def squared(X):
    """Squared correlations of columns with NaN at their mean, in steps of 2^-30; 0 where one is constant."""
    X = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
    X = X - X.mean(axis=0)
    size = np.sqrt((X**2).sum(axis=0))
    size[size < 1e-9] = np.inf
    r = (X.T @ X) / size / size[:, None]
    return np.round(np.minimum(r * r, 1.0) * 2**30) / 2**30


def neighbours_merged(r2, cut, max_size):
    """Merge the neighbours with the largest mean of r2, the leftmost of several, until none has `cut`."""
    groups = [[j] for j in range(len(r2))]
    while True:
        best, at = 0.0, -1
        for k in range(len(groups) - 1):
            a, b = groups[k], groups[k + 1]
            if len(a) + len(b) <= max_size:
                mean = r2[np.ix_(a, b)].sum() / (len(a) * len(b))
                if mean > best:
                    best, at = mean, k
        if best < cut or at < 0:
            return groups
        groups[at : at + 2] = [groups[at] + groups[at + 1]]


def groups_of(X, chrom, pos, cut, window=10**6, max_size=200):
    """Labels by the definition, a chromosome at a time, without the variants that do not vary."""
    labels = np.empty(X.shape[1], dtype=np.int64)
    count = 0
    r2 = squared(X)
    r2[np.abs(np.subtract.outer(pos, pos)) > window] = 0.0
    for name in dict.fromkeys(chrom):
        columns = np.flatnonzero(np.asarray(chrom) == name)
        varies = [j for j in columns if r2[j, j] > 0.5]
        found = neighbours_merged(r2[np.ix_(varies, varies)], cut, max_size)
        members = [[varies[k] for k in group] for group in found]
        for group in sorted(members + [[j] for j in columns if j not in varies]):
            labels[group] = count
            count += 1
    return labels


def haplotypes(n, p, seed):
    """Copies of alleles that neighbours share, some variants equal, and some calls missing."""
    rng = np.random.default_rng(seed)
    common, own = rng.standard_normal((2, n, p // 6 + 1)), rng.standard_normal((2, n, p))
    weight = rng.choice([0.3, 0.8, 0.97], size=p)
    score = weight * common[:, :, np.arange(p) // 6] + np.sqrt(1 - weight**2) * own
    X = (score > rng.uniform(-0.5, 1.2, p)).sum(axis=0).astype(float)
    X[rng.random(X.shape) < 0.02] = np.nan
    X[:, 10:12] = X[:, 9:10]
    X[:, 20] = 1.0
    return X


def study(folder, X, chrom=CHROM, pos=POS):
    rows = [(c, f"rs{j}", x, "A", "G") for j, (c, x) in enumerate(zip(chrom, pos, strict=True))]
    return riata.open_genotypes(write_bed(folder / "study", rows, X.T))


@pytest.mark.parametrize("isa", ["auto", "avx512", "baseline"])
def test_ld_groups_are_those_of_the_definition(tmp_path, isa):
    X = haplotypes(150, 90, seed=5)
    geno = study(tmp_path, X)
    riata._core.set_isa(isa)
    try:
        for cut in (0.8, 0.5, 0.2):
            found = riata.ld_groups(geno, r2=cut)
            assert_array_equal(found.labels, groups_of(X, CHROM, POS, cut))
            assert 20 < len(found) < 90
            for other in (riata.ld_groups(geno, r2=cut, n_threads=k) for k in (1, 2)):
                assert_array_equal(found.labels, other.labels)
    finally:
        riata._core.set_isa("auto")
    assert found.sizes[found.labels[20]] == 1
    assert found.labels[9] == found.labels[10] == found.labels[11]
    assert not set(found.labels[:50]) & set(found.labels[50:])


@pytest.mark.parametrize("cut", [0.8, 0.5, 0.2])
def test_ld_groups_of_the_r2_of_plink(tmp_path, plink1, cut):
    X = np.nan_to_num(haplotypes(150, 90, seed=9), nan=1.0)  # plink leaves out calls pair by pair
    found = riata.ld_groups(study(tmp_path, X), r2=cut)
    count = 0
    for name, first in (("1", 0), ("2", 50)):
        plink1("--bfile", tmp_path / "study", "--chr", name, "--r2", "square", "--keep-allele-order")
        r2 = np.nan_to_num(np.loadtxt(tmp_path / "out.ld"))
        for group in neighbours_merged(r2, cut, 200):
            assert_array_equal(np.flatnonzero(found.labels == count) - first, group)
            count += 1
    assert len(found) == count


@pytest.mark.parametrize(("window", "max_size"), [(3000, 200), (10**6, 3), (2000, 4)])
def test_windows_and_sizes(tmp_path, window, max_size):
    X = haplotypes(150, 90, seed=6)
    found = riata.ld_groups(study(tmp_path, X), r2=0.1, window_kb=window / 1000, max_size=max_size)
    assert_array_equal(found.labels, groups_of(X, CHROM, POS, 0.1, window, max_size))
    assert found.sizes.max() <= max_size


def test_resolutions_are_nested(tmp_path):
    geno = study(tmp_path, haplotypes(150, 90, seed=7))
    cuts = [0.2, 0.9, 0.5, 0.2]
    found = riata.ld_groups(geno, r2=cuts, max_size=8)
    assert [groups.r2 for groups in found] == cuts
    for groups, cut in zip(found, cuts, strict=True):
        assert_array_equal(groups.labels, riata.ld_groups(geno, r2=cut, max_size=8).labels)
    fine, middle, coarse = found[1], found[2], found[0]
    for inner, outer in ((fine, middle), (middle, coarse)):
        pairs = set(zip(inner.labels.tolist(), outer.labels.tolist(), strict=True))
        assert len(pairs) == len(inner) > len(outer)


def test_some_samples_and_variants_in_any_order(tmp_path):
    X = haplotypes(150, 90, seed=8)
    geno = study(tmp_path, X)
    rows, columns = np.arange(0, 150, 2), np.random.default_rng(0).permutation(90)[:70]
    found = riata.ld_groups(geno.subset(samples=rows, variants=columns), r2=0.4)
    order = np.sort(columns)
    part = X[np.ix_(rows, order)]
    expected = groups_of(part, [CHROM[j] for j in order], POS[order], 0.4)[np.searchsorted(order, columns)]
    assert len(set(zip(found.labels.tolist(), expected.tolist(), strict=True))) == len(found)
    assert len(found) == len(np.unique(expected))
    assert_array_equal(np.unique(found.labels, return_index=True)[1].argsort(), np.arange(len(found)))


def test_names_leads_and_files(tmp_path):
    X = haplotypes(150, 90, seed=5)
    geno = study(tmp_path, X)
    found = riata.ld_groups(geno, r2=0.5)
    assert list(found) == found.names
    for number, name in enumerate(found):
        members = found[name]
        assert_array_equal(members, np.flatnonzero(found.labels == number))
        first, last = POS[members[0]], POS[members[-1]]
        place = f"{CHROM[members[0]]}:{first}"
        assert name == (place if first == last else f"{place}-{last}")
    score = np.random.default_rng(1).random(90)
    for members, lead in zip(found.values(), found.lead(score), strict=True):
        assert lead in members
        assert score[lead] == score[members].max()
    found.save(tmp_path / "groups.tsv")
    read = riata.read_gene_sets(tmp_path / "groups.tsv", geno.feature_names.tolist())
    assert {name: at.tolist() for name, at in read.items()} == {n: at.tolist() for n, at in found.items()}
    table = found.to_frame()
    assert table["size"].tolist() == found.sizes.tolist()
    assert table.loc[found.names[0], "first"] == "rs0"


def test_groups_serve_selection_and_penalties(tmp_path):
    X = haplotypes(150, 90, seed=5)
    geno = study(tmp_path, X)
    groups = riata.ld_groups(geno, r2=0.5)
    y = np.nan_to_num(X[:, 9]) - np.nan_to_num(X[:, 60]) + np.random.default_rng(0).standard_normal(150)
    path = riata.fit_path(geno, y, max_groups=2, feature_groups=groups)
    assert path.stop_reason == "max_groups"
    tied = riata.fit_path(geno, y, penalty=riata.penalties.GroupLasso(groups), alphas=10)
    assert list(tied.group_names) == groups.names
    found = riata.stability_selection(geno, y, q=4, n_pairs=5, groups=groups, threshold=0.6)
    by_label = riata.stability_selection(geno, y, q=4, n_pairs=5, groups=groups.labels, threshold=0.6)
    assert_array_equal(found.frequency, by_label.frequency)
    assert found.frequency[groups.labels[9]] == 1.0


def test_variants_without_a_place(tmp_path):
    X = haplotypes(150, 90, seed=9)
    nowhere = riata.ld_groups(study(tmp_path, X, ["0"] * 90, [0] * 90), r2=0.1)
    assert_array_equal(nowhere.labels, np.arange(90))
    assert len(set(nowhere.names)) == 90
    unplaced = riata.ld_groups(study(tmp_path, X, ["1"] * 90, [0] * 90), r2=0.3)
    assert_array_equal(unplaced.labels, groups_of(X, ["1"] * 90, np.zeros(90), 0.3))


def chained(X, cut, max_size):
    """Join the groups of pairs by falling r2, while they are small enough."""
    r2, p = squared(X), X.shape[1]
    label = np.arange(p)
    pairs = sorted((-r2[a, b], a, b) for a in range(p) for b in range(a + 1, p) if r2[a, b] >= cut)
    for _, a, b in pairs:
        both = (label == label[a]) | (label == label[b])
        if label[a] != label[b] and both.sum() <= max_size:
            label[both] = min(label[a], label[b])
    return np.unique(label, return_inverse=True)[1]


@pytest.mark.parametrize("storage", [np.asfortranarray, np.ascontiguousarray, sp.csc_array, np.float32])
@pytest.mark.parametrize("max_size", [3, 200])
def test_correlation_groups_are_those_of_the_definition(storage, max_size):
    rng = np.random.default_rng(3)
    X = np.round(
        rng.standard_normal((80, 300)) + 2.0 * rng.standard_normal((80, 60))[:, rng.permutation(300) % 60], 1
    )
    X = X.astype(np.float32).astype(float)
    X[:, 7] = 2.5
    found = riata.correlation_groups(storage(X), r2=[0.8, 0.5], max_size=max_size)
    for groups, cut in zip(found, (0.8, 0.5), strict=True):
        assert_array_equal(groups.labels, chained(X, cut, max_size))
        assert groups.sizes.max() <= max_size
    assert len(found[0]) > len(found[1])
    one = riata.correlation_groups(storage(X), max_size=max_size, n_threads=1)
    assert_array_equal(one.labels, found[1].labels)


def test_features_of_a_frame_name_their_groups():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(3)
    X = rng.standard_normal((80, 4))[:, [0, 1, 0, 2, 3, 0]] + 0.1 * rng.standard_normal((80, 6))
    X[0, 0] = np.nan
    frame = pd.DataFrame(X, columns=list("abcdef"))
    groups = riata.correlation_groups(frame, impute="mean")
    assert groups.names == ["a+2", "b", "d", "e"]
    assert repr(groups) == "<riata.CorrelationGroups: 4 of 6 features, r2=0.5>"
    with pytest.raises(ValueError, match="NaN"):
        riata.correlation_groups(frame)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"r2": 0.0}, ValueError, "r2 must be > 0"),
        ({"r2": [0.5, 1.5]}, ValueError, "r2 must be"),
        ({"r2": []}, ValueError, "r2 must hold at least one number"),
        ({"max_size": 0}, ValueError, "max_size must be >= 1, got 0"),
        ({"window_kb": -1.0}, ValueError, "window_kb must be >= 0"),
    ],
)
def test_what_is_refused(tmp_path, options, error, message):
    geno = study(tmp_path, haplotypes(30, 90, seed=5))
    with pytest.raises(error, match=message):
        riata.ld_groups(geno, **options)
    if "window_kb" not in options:
        with pytest.raises(error, match=message):
            riata.correlation_groups(np.eye(4), **options)
    with pytest.raises(TypeError, match=r"geno must be riata.Genotypes, got ndarray: .*correlation_groups"):
        riata.ld_groups(np.eye(4))
    twice = riata.CorrelationGroups(np.zeros(2, dtype=np.int64), ["g"], ["x", "x"], 0.5)
    with pytest.raises(ValueError, match="features must have distinct names"):
        twice.save(tmp_path / "groups.tsv")
