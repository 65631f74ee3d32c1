"""What a docstring says a fitted model has is what it has, and the other way round."""

import inspect

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString
from sklearn.base import BaseEstimator
from support import make_problem

import riata

pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

KINDS = [
    kind
    for kind in (getattr(riata, name) for name in riata.__all__)
    if isinstance(kind, type) and issubclass(kind, BaseEstimator) and hasattr(kind, "predict")
]


def target(kind, y):
    name = kind.__name__
    if name.startswith("MultiTask"):
        return np.column_stack([y, -y])
    if "Logistic" in name:
        return y > 0
    if "Poisson" in name:
        return np.floor(np.exp(y / 2))
    if "Cox" in name:
        return np.column_stack([np.exp(-y), np.arange(len(y)) % 4 > 0])
    return y


def documented(kind):
    entries = NumpyDocString(inspect.getdoc(kind))["Attributes"]
    return {name for entry in entries for name in entry.name.split(", ")}


@pytest.mark.parametrize("kind", KINDS)
def test_attributes_are_those_of_the_docstring(kind):
    X, y = make_problem(n=60, p=8)
    search = {"alphas": 5, "eps": 0.1, "cv": 3} if kind.__name__.endswith("CV") else {"alpha": 0.05}
    model = kind(**search).fit(X, target(kind, y))
    promised = documented(kind)
    sometimes = {"feature_names_in_", "variants_"}  # of frames and of genotypes
    assert {name for name in promised - sometimes if not hasattr(model, name)} == set()
    there = {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}
    assert there - promised == set()
