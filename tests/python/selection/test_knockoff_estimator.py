"""The knockoff filter as a selector: what it keeps, by names, in pipelines."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from tests.python.independent_copies import IndependentCopies

import riata


def problem(n=120, p=30, k=12, seed=0):
    rng = np.random.default_rng(seed)
    X, made = rng.standard_normal((2, n, p))
    return X, made, X[:, :k].sum(axis=1) + 0.5 * rng.standard_normal(n)


def test_selects_what_the_function_does():
    X, made, y = problem()
    found = riata.knockoff_selection(X, y, knockoffs=made)
    selector = riata.KnockoffSelector(knockoffs=made).fit(X, y)
    assert np.array_equal(selector.W_, found.W)
    assert selector.threshold_ == found.threshold
    assert np.array_equal(selector.q_values_, found.q_values)
    kept = sorted(found.selected.tolist())
    assert set(kept) >= set(range(12))
    assert selector.get_support(indices=True).tolist() == kept
    assert np.array_equal(selector.transform(X), X[:, kept])


@pytest.mark.parametrize(
    "given",
    [
        {"penalty": riata.penalties.MCP(gamma=2.5)},
        {"lower": 0.0, "upper": 0.4},
        {"scoring": "mae"},
        {"impute": "mean"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_options_of_the_fit_reach_it(given):
    X, made, y = problem()
    if "impute" in given:
        X[[3, 5], [2, 7]] = np.nan
    given = {"knockoffs": made, "fdr": 0.2, "cv": 4, "check": False, **given}
    found = riata.knockoff_selection(X, y, **given)
    selector = riata.KnockoffSelector(**given).fit(X, y)
    assert np.array_equal(selector.W_, found.W)
    if "impute" in given:
        with pytest.raises(ValueError, match="NaN"):
            riata.KnockoffSelector(**{**given, "impute": None}).fit(X, y)
    else:
        plain = riata.knockoff_selection(X, y, knockoffs=made, fdr=0.2, cv=4, check=False)
        assert not np.array_equal(selector.W_, plain.W)


def test_names_and_frames():
    X, made, y = problem()
    frame = pd.DataFrame(X, columns=[f"gene{j}" for j in range(30)])
    selector = riata.KnockoffSelector(knockoffs=made).set_output(transform="pandas").fit(frame, y)
    names = [f"gene{j}" for j in sorted(selector.result_.selected)]
    assert len(names) >= 12
    assert selector.get_feature_names_out().tolist() == names
    assert list(selector.transform(frame).columns) == names


def test_all_features_of_a_selected_group_are_kept():
    X, made, y = problem(k=20)
    groups = np.arange(30) // 2
    selector = riata.KnockoffSelector(knockoffs=made, groups=groups).fit(X, y)
    assert np.array_equal(selector.get_support(), np.isin(groups, selector.result_.selected))
    assert selector.get_support()[:20].all()


def test_pipelines_and_samplers():
    X, _, y = problem()
    model = make_pipeline(riata.KnockoffSelector(fdr=0.2, knockoffs=IndependentCopies()), LinearRegression())
    assert clone(model).fit(X, y).score(X, y) > 0.9


def test_not_fitted():
    with pytest.raises(NotFittedError):
        riata.KnockoffSelector().get_support()


def test_a_constant_response_is_told():
    X, made = np.random.default_rng(0).standard_normal((2, 60, 40))
    with pytest.warns(UserWarning, match="has the value 2 for all"):
        riata.KnockoffSelector(knockoffs=made, cv=3).fit(X, np.full(60, 2.0))
