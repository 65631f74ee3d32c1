"""Halves of genotypes, which have rows of their own: what a loop over copies of the rows selects."""

import os
import signal

import numpy as np
import pytest
from tests.python.genotype_files import random_copies, write_bed
from tests.python.selection.test_stability import by_hand, last_set

import riata
from riata import _core
from riata.selection.halves import draw_pair
from riata.selection.runs import Run

N, P = 70, 48


def variants(first, count, chrom="1"):
    return [(chrom, f"rs{j}", 100 + j, "A", "G") for j in range(first, first + count)]


def imputed(copies):
    """Samples x variants, missing calls at the mean of the calls of all samples, as no half changes."""
    X = copies.T.astype(float)
    return np.asfortranarray(np.where(np.isnan(X), np.nanmean(X, axis=0), X))


def response(X):
    return 2.0 * X[:, 4] - 2.0 * X[:, 20] + np.random.default_rng(0).standard_normal(len(X))


@pytest.fixture
def study(tmp_path):
    copies = random_copies(N, P, missing=0.1, seed=3)
    return riata.open_genotypes(write_bed(tmp_path / "study", variants(0, P), copies)), copies


class Beside:
    """Genotypes and covariates beside them."""

    def __init__(self, genotypes, covariates):
        self.genotypes, self.covariates = genotypes, np.asfortranarray(covariates)

    def _design(self):
        core, rows = self.genotypes._design()
        return _core.hstack_design([core, _core.dense_design(self.covariates)]), rows


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox"])
def test_missing_calls_stand_at_the_mean_of_all_samples(study, loss):
    genotypes, copies = study
    assert genotypes._design()[0].subset_pays
    X = imputed(copies)
    y = response(X)
    strata = None
    if loss == "binomial":
        y = (y > np.median(y)).astype(float)
        strata = y.astype(int)
    if loss == "cox":
        event = np.random.default_rng(1).random(N) < 0.7
        y, strata = np.column_stack([np.exp(y / 4.0), event]), event.astype(int)
    frequency, coefs = by_hand(X, y, 5, 5, strata, loss=loss)
    found = riata.stability_selection(genotypes, y, loss=loss, q=5, n_pairs=5)
    assert np.array_equal(found.frequency, frequency)
    np.testing.assert_allclose(found.coefs.toarray(), coefs, rtol=1e-5, atol=1e-8)


def test_several_files_as_one(tmp_path):
    copies = random_copies(N, P, missing=0.1, seed=3)
    for chrom, part in (("1", slice(0, 20)), ("2", slice(20, P))):
        write_bed(tmp_path / f"chr{chrom}", variants(part.start, part.stop - part.start, chrom), copies[part])
    X = imputed(copies)
    frequency, _ = by_hand(X, response(X), 5, 5)
    genotypes = riata.open_genotypes([str(tmp_path / "chr1"), str(tmp_path / "chr2")])
    found = riata.stability_selection(genotypes, response(X), q=5, n_pairs=5)
    assert np.array_equal(found.frequency, frequency)


def test_some_samples_and_variants_in_another_order(study):
    genotypes, copies = study
    samples = np.random.default_rng(4).permutation(N)[:50]
    chosen = np.concatenate([np.arange(P - 1, 9, -1), [4]])
    X = imputed(copies[:, samples][chosen])
    y = response(imputed(copies))[samples]
    frequency, _ = by_hand(X, y, 5, 5)
    some = genotypes.subset(samples=samples, variants=chosen)
    assert np.array_equal(riata.stability_selection(some, y, q=5, n_pairs=5).frequency, frequency)


def test_weights_offsets_and_covariates_that_are_not_penalised(study):
    genotypes, copies = study
    rng = np.random.default_rng(7)
    covariates = rng.standard_normal((N, 1))
    X = np.column_stack([imputed(copies), covariates])
    weights, offset = rng.uniform(0.5, 2.0, N), rng.standard_normal(N)
    weights[[3, 50]] = 0.0
    y = response(X) + 2.0 * covariates[:, 0] + offset
    factor = np.r_[np.ones(P), 0.0]
    both = Beside(genotypes, covariates)
    assert both._design()[0].subset_pays
    found = riata.stability_selection(
        both, y, q=5, n_pairs=5, sample_weight=weights, offset=offset, penalty_factor=factor
    )
    counts = np.zeros(P)
    for b in range(5):
        for half in draw_pair(0, b, np.flatnonzero(weights > 0.0)):
            path = riata.fit_path(
                X[half], y[half], alphas=301, eps=1e-3, tol=1e-4, max_active=6, offset=offset[half],
                sample_weight=weights[half], penalty_factor=factor,
            )  # fmt: skip
            counts[[j for j in last_set(path, 6) if j < P]] += 1
    assert np.array_equal(found.frequency[:P], counts / 10)


def test_threads_batches_and_the_number_of_pairs_do_not_change_a_bit(study, monkeypatch):
    genotypes, copies = study
    y = response(imputed(copies))
    asked = {"q": 8, "p_values": True}
    one = riata.stability_selection(genotypes, y, n_pairs=12, n_threads=1, **asked)
    for more in ({"n_threads": 2}, {"memory": 400_000}, {"memory": "1G", "n_threads": 3}):
        other = riata.stability_selection(genotypes, y, n_pairs=12, **asked, **more)
        assert np.array_equal(one.coefs.toarray(), other.coefs.toarray())
        assert np.array_equal(one.p_values, other.p_values)
    fewer = riata.stability_selection(genotypes, y, n_pairs=5, **asked)
    assert np.array_equal(one.coefs.toarray()[:10], fewer.coefs.toarray())
    apart = []
    monkeypatch.setattr(Run, "_paths", _telling(Run._paths, apart))
    riata.stability_selection(genotypes, y, n_pairs=12, memory=400_000, **asked)
    assert all(apart)
    assert len(apart) > 1  # batches, each with room for rows of their own
    apart.clear()
    monkeypatch.setattr("riata.selection.runs.MOST_COPIED", 0)
    shared = riata.stability_selection(genotypes, y, n_pairs=12, **asked)
    assert not any(apart)
    assert np.array_equal(one.frequency, shared.frequency)


def _telling(paths, told):
    def tell(run, *args):
        told.append(run.apart)
        return paths(run, *args)

    return tell


def test_checkpoint_and_stopping(study, tmp_path):
    genotypes, copies = study
    y = response(imputed(copies))
    file = tmp_path / "halves.npz"
    asked = {"q": 8, "n_pairs": 24, "n_threads": 2}
    whole = riata.stability_selection(genotypes, y, **asked)
    with pytest.warns(riata.StabilityWarning, match="stopped after 10 of 24 pairs"):
        riata.stability_selection(genotypes, y, **asked, checkpoint=file, progress=lambda done, *_: done < 10)
    rest = riata.stability_selection(genotypes, y, **asked, checkpoint=file)
    assert np.array_equal(rest.coefs.toarray(), whole.coefs.toarray())
    with pytest.raises(ValueError, match="progress returned False before the first pairs were complete"):
        riata.stability_selection(genotypes, y, **asked, progress=lambda *_: False)


def test_control_c_keeps_complete_pairs(study):
    genotypes, copies = study
    y = response(imputed(copies))

    def interrupt(done, *_):
        if done >= 10:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.warns(riata.StabilityWarning, match="stopped after 10 of 30 pairs"):
            found = riata.stability_selection(genotypes, y, q=8, n_pairs=30, n_threads=2, progress=interrupt)
        assert found.n_halves == 20
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_memory_that_holds_no_pair_is_refused(study):
    genotypes, copies = study
    with pytest.raises(ValueError, match="memory must be at least"):
        riata.stability_selection(genotypes, response(imputed(copies)), q=8, memory=10_000)
