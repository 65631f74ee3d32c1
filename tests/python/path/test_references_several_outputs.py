"""Paths of several outputs against stored glmnet paths, small ones and, where it is, a larger one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from several_outputs import dense, loss_value
from support import SHARED

import riata

STORED = Path(__file__).resolve().parents[2] / "data" / "references" / "several_outputs"
TOL = 1e-12


def assert_matches(X, y, alphas, coefs, intercepts, *, weights=None, offset=None, first=0, **settings):
    """Coefficients and intercepts agree, and the objective is never worse: glmnet is the less exact."""
    path = riata.fit_path(X, y, alphas=alphas, sample_weight=weights, offset=offset, tol=TOL, **settings)
    assert path.converged.all()
    scale = path.scale[:, None]
    w = np.ones(len(X)) if weights is None else weights
    shift = 0.0 if offset is None else offset

    def objective(b, b0, alpha):
        size = np.linalg.norm(scale * b, axis=1) if path.grouped else np.abs(scale * b)
        penalty = path.l1_ratio * size.sum() + 0.5 * (1.0 - path.l1_ratio) * np.sum((scale * b) ** 2)
        return loss_value(path.loss, y, X @ b + b0 + shift, w) + alpha * penalty

    ours = dense(path)
    for k, alpha in enumerate(alphas):
        theirs = objective(coefs[:, :, k], intercepts[:, k], alpha)
        assert objective(ours[:, :, k], path.intercepts[:, k], alpha) <= theirs * (1.0 + 1e-10)
        assert_allclose(path.primal[k], theirs, rtol=1e-7)
    size = np.abs(scale[:, :, None] * coefs[:, :, first:]).max(axis=(0, 1))
    difference = np.abs(scale[:, :, None] * (ours - coefs)[:, :, first:]).max(axis=(0, 1))
    assert np.all(difference <= 1e-5 * np.maximum(size, 1.0)), difference / size
    assert_allclose(path.intercepts[:, first:], intercepts[:, first:], atol=1e-4)


@pytest.mark.parametrize("file", sorted(STORED.glob("*.npz")), ids=lambda file: file.stem)
def test_stored_glmnet_path(file):
    with np.load(file, allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files if name != "settings"}
        settings = json.loads(str(data["settings"]))
    settings.pop("made_by")
    settings["grouped"] = settings.pop("row_grouped")
    assert_matches(**arrays, **settings)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the larger reference set is not beside the checkout")
def test_shared_glmnet_path():
    """From the second alpha on: the first is alpha_max, where a coefficient may be nonzero by rounding."""
    with np.load(SHARED / "ref_mgaussian_lasso.npz", allow_pickle=False) as data:
        X, Y, alphas, coefs, intercepts = (data[name] for name in ("X", "Y", "lambda", "beta", "a0"))
    assert_matches(X, Y, alphas, coefs.transpose(1, 0, 2), intercepts, first=1, loss="multigaussian")
