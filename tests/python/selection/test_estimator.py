"""Stability selection as a selector: what it keeps, by names, in pipelines."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from tests.python.genotype_files import random_copies, write_bed
from tests.python.support import make_problem

import riata


def test_selects_what_the_function_does():
    X, y = make_problem(n=60, p=40)
    found = riata.stability_selection(X, y, q=6, n_pairs=6)
    selector = riata.StabilitySelection(q=6, n_pairs=6).fit(X, y)
    assert np.array_equal(selector.frequency_, found.frequency)
    assert selector.get_support(indices=True).tolist() == sorted(found.selected)
    assert np.array_equal(selector.transform(X), X[:, sorted(found.selected)])


def test_names_and_frames():
    X, y = make_problem(n=60, p=20)
    frame = pd.DataFrame(X, columns=[f"gene{j}" for j in range(20)])
    selector = riata.StabilitySelection(n_pairs=6, p_values=True).set_output(transform="pandas").fit(frame, y)
    names = [f"gene{j}" for j in sorted(selector.result_.selected)]
    assert selector.get_feature_names_out().tolist() == names
    assert list(selector.transform(frame).columns) == names
    assert selector.p_values_.shape == (20,)


def test_all_features_of_a_selected_group_are_kept():
    X, y = make_problem(n=60, p=20)
    groups = np.arange(20) // 2
    selector = riata.StabilitySelection(n_pairs=6, groups=groups).fit(X, y)
    assert np.array_equal(selector.get_support(), np.isin(groups, selector.result_.selected))
    assert selector.get_support().sum() == 2 * len(selector.result_.selected) > 0


def test_labels_and_a_pipeline():
    X, _ = make_problem(n=80, p=20)
    y = np.where(X[:, 3] > X[:, 3].mean(), "yes", "no")
    assert 3 in riata.StabilitySelection(loss="binomial", n_pairs=6).fit(X, y).get_support(indices=True)
    model = make_pipeline(riata.StabilitySelection(n_pairs=6), LinearRegression())
    target = 2.0 * X[:, 3] + 0.1 * np.arange(80) / 80
    assert clone(model).fit(X, target).score(X, target) > 0.9


def test_genotypes(tmp_path):
    copies = random_copies(60, 30, missing=0.05, seed=3)
    variants = [("1", f"rs{j}", 100 + j, "A", "G") for j in range(30)]
    study = riata.open_genotypes(write_bed(tmp_path / "study", variants, copies))
    y = 3.0 * np.nan_to_num(copies[4], nan=1.0) + np.random.default_rng(0).standard_normal(60)
    selector = riata.StabilitySelection(n_pairs=6).fit(study, y)
    names = selector.get_feature_names_out().tolist()
    known = ~np.isnan(copies[4])
    assert np.array_equal(selector.transform(study)[known, names.index("rs4")], copies[4][known])


def test_not_fitted():
    with pytest.raises(NotFittedError):
        riata.StabilitySelection().get_support()


@pytest.mark.parametrize(
    "options",
    [
        {"penalty": riata.penalties.MCP()},
        {"lower": 0.0},
        {"upper": np.full(40, 0.5)},
        {"penalty": riata.penalties.ElasticNet(0.5), "exclude": [0, 1]},
    ],
)
def test_takes_what_the_function_takes(options):
    X, y = make_problem(n=60, p=40)
    found = riata.stability_selection(X, y, q=6, n_pairs=4, **options)
    selector = riata.StabilitySelection(q=6, n_pairs=4, **options).fit(X, y)
    assert np.array_equal(selector.frequency_, found.frequency)
    assert not np.array_equal(found.frequency, riata.stability_selection(X, y, q=6, n_pairs=4).frequency)


def test_missing_values_are_replaced_by_means():
    X, y = make_problem(n=60, p=40)
    holes = X.copy()
    holes[::7, 3] = np.nan
    filled = np.where(np.isnan(holes), np.nanmean(holes, axis=0), holes)
    selector = riata.StabilitySelection(q=6, n_pairs=4, impute="mean").fit(holes, y)
    other = riata.StabilitySelection(q=6, n_pairs=4).fit(filled, y)
    assert np.array_equal(selector.frequency_, other.frequency_)
    assert np.array_equal(selector.transform(holes), holes[:, selector.get_support()], equal_nan=True)
    with pytest.raises(ValueError, match="NaN"):
        riata.StabilitySelection(n_pairs=4).fit(holes, y)


def test_a_constant_response_is_told():
    X, _ = make_problem(n=60, p=40)
    with pytest.warns(UserWarning, match="has the value 2 for all"):
        riata.StabilitySelection(n_pairs=4).fit(X, np.full(60, 2.0))


def test_intervals_as_a_selector():
    X, y = make_problem(n=60, p=20)
    frame = pd.DataFrame(X, columns=[f"gene{j}" for j in range(20)])
    found = riata.debiased_lasso(frame, y, features=["gene1", "gene3", "gene7"], cv=5)
    apart = [
        name for name, low, high in zip(found.names, found.lower, found.upper, strict=True) if low * high > 0
    ]
    selector = riata.DebiasedLasso(features=["gene1", "gene3", "gene7"], cv=5).set_output(transform="pandas")
    assert list(selector.fit_transform(frame, y).columns) == apart == list(selector.get_feature_names_out())
    assert 0 < len(apart) < 3
    assert np.array_equal(selector.result_.coef, found.coef)


def test_intervals_of_labels_by_families():
    X, _ = make_problem(n=80, p=20)
    y = np.where(X[:, 3] + 0.5 * np.sin(np.arange(80)) > X[:, 3].mean(), "yes", "no")
    families = np.arange(80) // 2
    selector = riata.DebiasedLasso(loss="binomial", cv=4, features=[3, 4]).fit(X, y, groups=families)
    other = riata.debiased_lasso(X, y, loss="binomial", cv=4, features=[3, 4], groups=families)
    assert selector.get_support(indices=True).tolist() == [3]
    assert np.array_equal(selector.result_.coef, other.coef)
