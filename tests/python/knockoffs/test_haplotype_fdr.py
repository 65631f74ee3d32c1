"""The false discovery rate of groups of variants, with haplotype models of simulated genotypes."""

import numpy as np
import pytest

import riata
from riata.knockoffs import Haplotypes

TRAITS, CAUSAL, FDR = 20, 15, 0.2


@pytest.mark.slow
def test_false_discovery_rate_of_groups(tmp_path):
    geno = riata.open_genotypes(riata.simulate_genotypes(str(tmp_path / "study"), 500, 1000, seed=5))
    groups = riata.ld_groups(geno, r2=0.3)
    sampler = Haplotypes().fit(geno)
    X = geno.to_numpy()
    X = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
    false, power = [], []
    for trait in range(TRAITS):
        rng = np.random.default_rng(trait)
        causal = rng.choice(np.flatnonzero(X.std(axis=0) > 0.3), CAUSAL, replace=False)
        value = (X[:, causal] / X[:, causal].std(axis=0)) @ rng.choice([-1.0, 1.0], CAUSAL)
        y = value + value.std() * rng.standard_normal(len(value))
        found = riata.knockoff_selection(
            geno, y, knockoffs=sampler, groups=groups, fdr=FDR, cv=5, check=False, random_state=trait
        )
        chosen, right = set(found.selected.tolist()), set(groups.labels[causal].tolist())
        false.append(len(chosen - right) / max(len(chosen), 1))
        power.append(len(chosen & right) / len(right))
    assert np.mean(false) <= FDR + 2 * np.std(false, ddof=1) / np.sqrt(TRAITS)
    assert np.mean(power) > 0.3
