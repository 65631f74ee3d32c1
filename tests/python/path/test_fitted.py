"""A path and a cross-validated path say alike what they hold, so that nobody has to guess which one it is."""

import re
from pathlib import Path

import numpy as np
import pytest

import riata


@pytest.fixture(scope="module")
def fits():
    X = np.random.default_rng(0).standard_normal((40, 12))
    y = X[:, 0] - X[:, 5] + np.random.default_rng(1).standard_normal(40)
    return riata.fit_path(X, y, alphas=6), riata.cv_path(X, y, alphas=[0.8, 0.4, 0.2, 0.1, 0.01], cv=3)


def test_what_they_have_in_common(fits, tmp_path):
    path, cv = fits
    assert path.path is path
    assert path.cv is None
    assert cv.cv is cv
    assert type(cv.path) is riata.RegularizationPath
    for fit in fits:
        fit.save(tmp_path / "f.npz")
        again = riata.load(tmp_path / "f.npz")
        assert (again.cv is None) == (fit.cv is None)
        np.testing.assert_array_equal(again.path.alphas, fit.path.alphas)


def test_neither_can_be_changed_into_the_other(fits):
    for fit in fits:
        with pytest.raises(AttributeError):
            fit.cv = None


def test_nobody_asks_which_one_it_is():
    asks = re.compile(r'(hasattr|getattr)\(\w+(\.\w+)?, "path"')
    root = Path(riata.__file__).parent
    found = {
        str(file.relative_to(root)) for file in root.rglob("*.py") if asks.search(file.read_text("utf-8"))
    }
    assert found <= {
        "path/applying.py",
        "path/conversions.py",
    }  # which take estimators and other fits as well
