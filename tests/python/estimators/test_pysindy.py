"""riata's estimators in the place of a pysindy optimizer: the equations of the Lorenz system."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import riata

pysindy = pytest.importorskip("pysindy")


@pytest.fixture
def lorenz(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[3] / "examples")
    return importlib.import_module("lorenz")


@pytest.fixture
def problem(lorenz):
    """Every tenth state and noisy derivative."""
    _, states, exact = lorenz.trajectory()
    noise = np.random.default_rng(0).standard_normal(exact.shape)
    return states[::10], (exact + noise)[::10]


def fit(optimizer, states, derivatives):
    library = pysindy.PolynomialLibrary(degree=2)
    model = pysindy.SINDy(optimizer=optimizer, feature_library=library)
    model.fit(states, t=0.02, x_dot=derivatives, feature_names=["x", "y", "z"])
    assert model.predict(states).shape == states.shape
    return model, np.asarray(library.transform(states))


def test_single_output_estimators_are_wrapped(problem):
    states, derivatives = problem
    lasso = riata.Lasso(0.5, fit_intercept=False)
    model, terms = fit(pysindy.WrappedOptimizer(lasso, unbias=False), states, derivatives)
    for coef, y in zip(model.coefficients(), derivatives.T, strict=True):
        assert_allclose(coef, lasso.fit(terms, y).coef_)


def test_multi_task_estimators_are_optimizers_themselves(problem):
    states, derivatives = problem
    model, terms = fit(riata.MultiTaskLasso(0.5, fit_intercept=False), states, derivatives)
    alone = riata.MultiTaskLasso(0.5, fit_intercept=False).fit(terms, derivatives)
    assert model.coefficients().shape == (3, 10)
    assert_allclose(model.coefficients(), alone.coef_)


def test_adaptive_lasso_of_several_targets_is_an_optimizer_itself(problem, lorenz):
    states, derivatives = problem
    given = {"n_steps": 3, "initial_alpha": 1e-8, "fit_intercept": False}
    model, terms = fit(riata.AdaptiveLasso(0.1, **given), states, derivatives)
    alone = [riata.AdaptiveLasso(0.1, **given).fit(terms, y).coef_ for y in derivatives.T]
    assert_allclose(model.coefficients(), alone, atol=1e-6)
    names = [name.replace(" ", "") for name in model.get_feature_names()]
    found = [{names[j] for j in np.flatnonzero(row)} for row in model.coefficients()]
    assert found == [set(terms) for terms in lorenz.TRUTH.values()]


def test_adaptive_lasso_finds_the_equations(problem, lorenz):
    model, _ = fit(lorenz.AdaptiveLasso(), *problem)
    names = [name.replace(" ", "") for name in model.get_feature_names()]
    found = [
        {name: b for name, b in zip(names, row, strict=True) if b != 0.0} for row in model.coefficients()
    ]
    assert [set(terms) for terms in found] == [set(terms) for terms in lorenz.TRUTH.values()]
    for terms, true in zip(found, lorenz.TRUTH.values(), strict=True):
        assert terms == pytest.approx(true, abs=0.2)
