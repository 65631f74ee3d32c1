"""LD partners: r2 from its definition, windows, twins, and plink1.9 as referee."""

import shutil
import subprocess

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support import write_plink

import riata
from riata.study import ld
from riata.study.ld import SAME, find_partners


def related(seed=5, n=90, p=40, missing=0.0):
    """Neighbours alike; column 1 repeats column 0, column 3 mirrors column 2, column 4 does not vary."""
    rng = np.random.default_rng(seed)
    copies = np.empty((n, p))
    copies[:, 0] = rng.binomial(2, 0.4, n)
    for j in range(1, p):
        copies[:, j] = np.where(rng.random(n) < 0.2, rng.binomial(2, 0.4, n), copies[:, j - 1])
    copies[:, 1], copies[:, 3], copies[:, 4] = copies[:, 0], 2 - copies[:, 2], 1
    copies[rng.random((n, p)) < missing] = np.nan
    return copies


def written(folder, copies, lines):
    bed = write_plink(folder / "g", copies)
    (folder / "g.bim").write_text(
        "".join(f"{chrom} v{j} 0 {pos} A G\n" for j, (chrom, pos) in enumerate(lines))
    )
    return riata.open_genotypes(bed)


def brute(copies, lines, hits, reach, least):
    """Every pair by the definition of the correlation of two columns."""
    filled = np.where(np.isnan(copies), np.nanmean(copies, axis=0), copies)
    found = {}
    for k, h in enumerate(hits):
        for j, (chrom, pos) in enumerate(lines):
            near = chrom == lines[h][0] and abs(pos - lines[h][1]) <= reach and lines[h][0] != "0"
            if j == h or not near or np.ptp(filled[:, j]) == 0:
                continue
            r2 = np.corrcoef(filled[:, h], filled[:, j])[0, 1] ** 2
            if r2 >= least:
                found[k, j] = r2
    return found


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("some_samples", [False, True])
def test_partners_from_the_definition(tmp_path, missing, some_samples):
    copies = related(missing=missing)
    lines = [("2" if j < 25 else "10" if j < 35 else "0", 1000 * (j // 3)) for j in range(40)]
    geno = written(tmp_path, copies, lines)
    if some_samples:
        rows = np.arange(3, 80, 2)
        geno, copies = geno.subset(samples=rows), copies[rows]
    hits = np.array([30, 2, 0, 12, 38, 26, 13])
    expected = brute(copies, lines, hits, 3000, 0.2)
    partners = find_partners(geno, hits, np.arange(len(hits)), window_kb=3.0, least_r2=0.2)
    got = dict(
        zip(zip(partners.hits.tolist(), partners.columns.tolist(), strict=True), partners.r2, strict=True)
    )
    assert got.keys() == expected.keys()
    assert len(got) > 10
    assert_allclose([got[pair] for pair in expected], list(expected.values()), rtol=1e-10)
    for k in range(len(hits)):
        r2 = partners.r2[partners.of(k)]
        assert np.all(np.diff(r2) <= 0)
    assert [f"v{j}" for j in partners.columns] == list(partners.names)
    if not missing:
        assert got[2, 1] >= SAME  # the twin of column 0
        assert got[1, 3] >= SAME  # the mirror image of column 2
    assert not any(4 in pair[1:] for pair in got)


def test_any_number_of_threads_and_groups_gives_the_same_pairs(tmp_path, monkeypatch):
    copies = related(seed=8)
    geno = written(tmp_path, copies, [("1", 1000 * j + 1) for j in range(40)])
    hits = np.arange(0, 40, 2)
    one = find_partners(geno, hits, np.arange(20), window_kb=5, least_r2=0.3, n_threads=1)
    two = find_partners(geno, hits, np.arange(20), window_kb=5, least_r2=0.3, n_threads=2)
    assert np.array_equal(one.r2, two.r2)
    monkeypatch.setattr(ld, "_GROUP", 3)
    three = find_partners(geno, hits, np.arange(20), window_kb=5, least_r2=0.3)
    assert np.array_equal(one.columns, three.columns)
    assert_allclose(one.r2, three.r2, rtol=1e-12)


def test_only_the_strongest_are_looked_at(tmp_path, monkeypatch):
    geno = written(tmp_path, related(), [("1", 1000 * j + 1) for j in range(40)])
    monkeypatch.setattr(ld, "MAX_HITS", 2)
    partners = find_partners(geno, np.array([10, 20, 30]), np.array([2, 0, 1]), least_r2=0.1)
    assert partners.looked_at.tolist() == [0, 2]
    assert set(partners.hits) == {0, 2}


def test_no_hits_and_no_positions(tmp_path):
    geno = written(tmp_path, related(), [("1", 0)] * 40)
    none = np.empty(0, dtype=np.int64)
    assert len(find_partners(geno, none, none).r2) == 0
    assert len(find_partners(geno, np.array([0]), np.array([0]), least_r2=0.01).r2) == 0


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"least_r2": 0.0}, "least_r2 must be"),
        ({"least_r2": 1.5}, "least_r2"),
        ({"window_kb": -1.0}, "window_kb"),
    ],
)
def test_bad_limits(tmp_path, bad, message):
    geno = written(tmp_path, related(), [("1", j + 1) for j in range(40)])
    with pytest.raises(ValueError, match=message):
        find_partners(geno, np.array([0]), np.array([0]), **bad)


@pytest.mark.skipif(shutil.which("plink1.9") is None, reason="plink1.9 is the referee")
def test_same_pairs_as_plink(tmp_path):
    geno = written(tmp_path, related(n=120), [("1", 1000 * j + 1) for j in range(40)])
    command = [
        "plink1.9",
        "--bfile",
        tmp_path / "g",
        "--allow-no-sex",
        "--r2",
        "--ld-window",
        "99",
        "--ld-window-kb",
    ]
    command += ["8", "--ld-window-r2", "0.3", "--out", tmp_path / "r"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    rows = [line.split() for line in (tmp_path / "r.ld").read_text().splitlines()[1:]]
    theirs = {(row[2], row[5]): float(row[6]) for row in rows}
    everything = np.arange(40)
    partners = find_partners(geno, everything, everything, window_kb=8, least_r2=0.3)
    mine = {
        (f"v{h}", f"v{j}"): r2
        for h, j, r2 in zip(partners.hits, partners.columns, partners.r2, strict=True)
        if h < j
    }
    assert mine.keys() == theirs.keys()
    assert_allclose([mine[pair] for pair in theirs], list(theirs.values()), rtol=2e-5)
