"""Gaussian knockoffs of genotypes, whose law no check of correlations sees: the result says so."""

import numpy as np
import pytest
from tests.python.genotype_files import random_dosages, write_bgen

import riata

SAID = "The knockoffs of these genotypes are Gaussian"


def response(n):
    return np.random.default_rng(1).standard_normal(n)


@pytest.mark.filterwarnings("ignore::riata.knockoffs.KnockoffWarning")  # of few samples; not what is asked
@pytest.mark.parametrize("check", [True, False])
def test_auto_of_dosages_is_told(tmp_path, check):
    pytest.importorskip("bgen")
    write_bgen(tmp_path / "x", random_dosages(60, 20))
    found = riata.knockoff_selection(
        riata.open_genotypes(tmp_path / "x.bgen"), response(60), fdr=0.3, cv=3, check=check
    )
    assert found.sampler.startswith("Gaussian")
    assert [note for note in found.notes if note.startswith(SAID)] == found.notes[-1:]
    assert SAID in found.explain()
    found.save(tmp_path / "found.npz")
    assert riata.load(tmp_path / "found.npz").notes == found.notes


def test_of_hard_calls_where_gaussian_ones_are_asked_for_alone(tmp_path):
    geno = riata.open_genotypes(riata.simulate_genotypes(tmp_path / "g", 80, 30, seed=1))
    given = {"fdr": 0.3, "cv": 3, "check": False}
    asked = riata.knockoff_selection(geno, response(80), knockoffs=riata.knockoffs.Gaussian(), **given)
    assert len(asked.notes) == 1
    assert asked.notes[0].startswith(SAID)
    assert riata.knockoff_selection(geno, response(80), **given).notes == []
    table = geno.to_numpy()
    assert riata.knockoff_selection(np.nan_to_num(table), response(80), **given).notes == []
