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
