"""Samples that haplotype models are not for: relatives, and mixed populations."""

import warnings

import numpy as np
import pytest

import riata
from riata.knockoffs import Haplotypes, KnockoffWarning

FAST = {"n_clusters": 2, "n_iter": 1}


def open_haplotypes(path, one, two):
    """Genotypes of samples with two haplotypes each, (samples, variants), on four chromosomes."""
    n, p = one.shape
    codes = np.zeros((p, -(-n // 4) * 4), dtype=np.uint8)
    codes[:, :n] = np.array([3, 2, 0], dtype=np.uint8)[(one + two).T]
    packed = codes[:, ::4] | codes[:, 1::4] << 2 | codes[:, 2::4] << 4 | codes[:, 3::4] << 6
    path.with_suffix(".bed").write_bytes(b"\x6c\x1b\x01" + packed.tobytes())
    path.with_suffix(".bim").write_text(
        "".join(f"{1 + j * 4 // p}\trs{j}\t0\t{1000 * (j + 1)}\tA\tG\n" for j in range(p))
    )
    path.with_suffix(".fam").write_text("".join(f"f{i}\ti{i}\t0\t0\t0\t-9\n" for i in range(n)))
    return riata.open_genotypes(path)


def haplotypes(rng, n, p, frequency):
    return (rng.random((n, p)) < frequency).astype(np.int64)


def with_child(rng, n, p):
    """Unrelated samples, and at the end a child of the first two."""
    frequency = np.where(np.arange(p) % 5 == 0, 0.015, rng.uniform(0.1, 0.9, p))
    one, two = (haplotypes(rng, n, p, frequency) for _ in range(2))
    side = np.repeat(rng.integers(0, 2, (2, p // 500)), 500, axis=1)
    mother, father = (np.where(side[k] == 0, one[k], two[k]) for k in range(2))
    return np.vstack([one, mother]), np.vstack([two, father])


def test_relatives_are_refused(tmp_path):
    one, two = with_child(np.random.default_rng(1), 200, 10_000)
    geno = open_haplotypes(tmp_path / "family", one, two)
    with pytest.raises(
        ValueError, match=r"2 pairs share rare alleles as relatives do .*related='ok'"
    ) as told:
        Haplotypes(**FAST).fit(geno)
    assert "i0 and i200, i1 and i200" in str(told.value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Haplotypes(**FAST, related="ok").fit(geno)
        Haplotypes(**FAST).fit(geno.subset(samples=np.arange(200)))
    with pytest.raises(ValueError, match="related must be 'refuse' or 'ok', got 'maybe'"):
        Haplotypes(related="maybe").fit(geno)


def test_mixed_populations_are_told(tmp_path):
    rng = np.random.default_rng(2)
    p, north = 1200, np.arange(240) < 120
    centre = rng.uniform(0.2, 0.8, p)
    shift = rng.uniform(-0.18, 0.18, p)
    frequency = centre + np.where(north, 1.0, -1.0)[:, None] * shift
    geno = open_haplotypes(tmp_path / "mixed", *(haplotypes(rng, 240, p, frequency) for _ in range(2)))
    with pytest.warns(KnockoffWarning, match="variants far apart are correlated in the samples: n r² is"):
        Haplotypes(**FAST).fit(geno)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Haplotypes(**FAST, strata=north).fit(geno)
