"""riata against stored glmnet paths: the small ones in tests/data/references, and larger ones where they are.

The larger set is not part of the repository. It is looked for in the folder named by RIATA_SHARED_DATA, or in
shared/data beside the checkout, and skipped when absent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_less
from scipy import sparse
from support import SHARED, cox_value, loss_value

import riata

HERE = Path(__file__).resolve()
STORED = HERE.parents[2] / "data" / "references"
# tol bounds a gap and coefficients go with its square root, so 1e-5 on them needs more than 1e-10.
TOL = {"gaussian": 1e-13, "binomial": 1e-12, "poisson": 1e-12, "cox": 1e-12}
NEARLY_COLLINEAR = ("ref_riboflavin_lasso",)


@dataclass
class Reference:
    """A path that glmnet found, with its parameters in riata's meaning (tests/data/references/make.py)."""

    X: np.ndarray
    y: np.ndarray
    loss: str
    alphas: np.ndarray
    coefs: np.ndarray
    intercepts: np.ndarray
    l1_ratio: float = 1.0
    fit_intercept: bool = True
    standardize: bool = True
    sparse: bool = False
    weights: np.ndarray | None = None
    offset: np.ndarray | None = None
    penalty_factor: np.ndarray | None = None
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None

    @property
    def w(self) -> np.ndarray:
        weights = np.ones(len(self.y)) if self.weights is None else self.weights
        return weights / weights.sum()

    @property
    def scale(self) -> np.ndarray:
        """Standard deviations of the columns, or 1 where they are not standardised."""
        if not self.standardize:
            return np.ones(self.X.shape[1])
        return np.sqrt(self.w @ (self.X - self.w @ self.X) ** 2)

    def predictor(self, coefs: np.ndarray, intercepts: np.ndarray) -> np.ndarray:
        """Linear predictors without the offset, n x L."""
        return self.X @ coefs + intercepts

    def objective(self, coefs: np.ndarray, intercepts: np.ndarray) -> np.ndarray:
        """The objective of DESIGN: mean loss plus alpha times the penalty, (L,)."""
        eta = self.predictor(coefs, intercepts)
        eta = eta if self.offset is None else eta + self.offset[:, None]
        factor = np.ones(len(coefs)) if self.penalty_factor is None else self.penalty_factor
        size = np.abs(coefs * self.scale[:, None])
        penalty = factor @ (self.l1_ratio * size + 0.5 * (1.0 - self.l1_ratio) * size**2)
        return self.mean_loss(eta) + self.alphas * penalty

    def mean_loss(self, eta: np.ndarray) -> np.ndarray:
        """The mean loss of each column of eta."""
        if self.loss == "cox":
            weights = np.ones(len(self.y)) if self.weights is None else self.weights
            return np.array([cox_value(self.y, column, weights) for column in eta.T])
        return np.array([loss_value(self.loss, self.y, column, self.w) for column in eta.T])

    def fit(self, tol: float | None = None, **settings) -> tuple[riata.RegularizationPath, np.ndarray]:
        """riata's path at the same alphas, and its coefficients as a dense array."""
        path = riata.fit_path(
            sparse.csc_matrix(self.X) if self.sparse else self.X,
            self.y,
            loss=self.loss,
            alphas=self.alphas,
            sample_weight=self.weights,
            offset=self.offset,
            fit_intercept=self.fit_intercept,
            standardize=self.standardize,
            l1_ratio=self.l1_ratio,
            penalty_factor=self.penalty_factor,
            lower=self.lower,
            upper=self.upper,
            tol=TOL[self.loss] if tol is None else tol,
            **settings,
        )
        return path, path.coefs.toarray()


def read_stored(file: Path) -> Reference:
    with np.load(file, allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files if name != "settings"}
        settings = json.loads(str(data["settings"]))
    settings.pop("made_by")
    return Reference(**arrays, **settings)


def read_shared(file: Path) -> Reference:
    """Parameters as glmnet had them: gaussian ridge parts are divided by sd(y), penalty factors sum to p."""
    with np.load(file, allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files}
    settings = dict(setting.split("=") for setting in arrays["settings"].tolist())
    y = np.column_stack([arrays["time"], arrays["event"]]) if "time" in arrays else arrays["y"]
    y, a, alphas = y.astype(np.float64), float(settings.get("alpha", 1.0)), arrays["lambda"]
    loss, weights, factor = settings["family"], arrays.get("weights_used"), arrays.get("penalty_factor")
    l1_ratio = a
    if factor is not None:
        alphas = alphas * len(factor) / factor.sum()
    if loss == "gaussian":
        spread = np.sqrt(np.average((y - np.average(y, weights=weights)) ** 2, weights=weights))
        mix = a + (1.0 - a) / spread
        alphas, l1_ratio = alphas * mix, a / mix
    return Reference(
        X=arrays["X"],
        y=y,
        loss=loss,
        alphas=alphas,
        coefs=arrays["beta"],
        intercepts=arrays.get("a0", np.zeros(len(alphas))),
        l1_ratio=l1_ratio,
        standardize=settings.get("standardize", "TRUE") == "TRUE",
        weights=weights,
        offset=arrays.get("offset_used"),
        penalty_factor=factor,
    )


def shared_files() -> list[Path]:
    """The references of the larger set to one response."""
    files = []
    for file in sorted(SHARED.glob("ref_*.npz")):
        with np.load(file, allow_pickle=False) as data:
            if {f"family={loss}" for loss in TOL} & set(data["settings"].tolist()):
                files.append(file)
    return files


STORED_FILES = sorted(STORED.glob("*.npz"))
SHARED_FILES = shared_files()
needs_shared = pytest.mark.skipif(
    not SHARED_FILES, reason="the larger reference set is not beside the checkout"
)


def assert_matches(reference: Reference, first: int, *, coefficients: bool) -> None:
    """From alpha number `first` on: predictors, scaled coefficients if asked, and never a worse objective.

    glmnet is the less exact of the two (it stops on a change, not on a gap). Where the two differ by more
    than 1e-5 of the spread of predictors or the largest coefficient, riata's objective has to be lower.
    """
    path, coefs = reference.fit()
    assert np.all(path.converged)
    assert path.dual_gaps.max() <= TOL[reference.loss]

    ours = reference.objective(coefs, path.intercepts)
    theirs = reference.objective(reference.coefs, reference.intercepts)
    assert np.all(ours <= theirs * (1.0 + 1e-10)), ((ours - theirs) / theirs).max()
    allowed = np.where(ours < theirs * (1.0 - 1e-12), 1e-4, 1e-5)[first:]

    expected = reference.predictor(reference.coefs, reference.intercepts)[:, first:]
    difference = reference.predictor(coefs, path.intercepts)[:, first:] - expected
    assert_array_less(np.abs(difference).max(axis=0), allowed * np.maximum(np.ptp(expected, axis=0), 1e-3))
    if coefficients:
        expected = (reference.coefs * reference.scale[:, None])[:, first:]
        difference = (coefs * reference.scale[:, None])[:, first:] - expected
        assert_array_less(
            np.abs(difference).max(axis=0), allowed * np.maximum(np.abs(expected).max(axis=0), 1e-3)
        )


@pytest.mark.parametrize("file", STORED_FILES, ids=lambda file: file.stem)
def test_stored_glmnet_path(file):
    assert_matches(read_stored(file), first=0, coefficients=True)


@pytest.mark.parametrize("solver", ["active_set", "cd", "prox"])
@pytest.mark.parametrize("file", STORED_FILES, ids=lambda file: file.stem)
def test_every_solver_reaches_the_stored_objective(file, solver):
    """To its tolerance: a gap of tol is an objective within tol (P_null - P_saturated) of the best."""
    reference, tol = read_stored(file), 1e-9
    path, coefs = reference.fit(tol=tol, solver=solver)
    assert np.all(path.converged)
    excess = reference.objective(coefs, path.intercepts)
    excess -= reference.objective(reference.coefs, reference.intercepts)
    null = np.log(2.0) if reference.loss == "binomial" else 0.5 * reference.y.var()
    assert excess.max() <= 10.0 * tol * null


@needs_shared
@pytest.mark.parametrize("file", SHARED_FILES, ids=lambda file: file.stem)
def test_shared_glmnet_path(file):
    """From the second alpha on: the first is alpha_max, where a coefficient may be nonzero by rounding.

    Where columns are nearly collinear the coefficients are hardly determined: there predictors alone.
    """
    assert_matches(read_shared(file), first=1, coefficients=file.stem not in NEARLY_COLLINEAR)


@needs_shared
@pytest.mark.parametrize("file", SHARED_FILES, ids=lambda file: file.stem)
def test_shared_references_are_read_in_our_meaning(file):
    """The objective as we read it has its minimum at glmnet's coefficients, along the path's directions."""
    reference = read_shared(file)
    best = reference.objective(reference.coefs, reference.intercepts)[1:-1]
    for shift in (-1, 1):
        toward = slice(1 + shift, len(reference.alphas) - 1 + shift)
        for step in (1e-3, 1e-2):
            coefs, intercepts = reference.coefs.copy(), reference.intercepts.copy()
            coefs[:, 1:-1] += step * (reference.coefs[:, toward] - coefs[:, 1:-1])
            intercepts[1:-1] += step * (reference.intercepts[toward] - intercepts[1:-1])
            assert np.all(reference.objective(coefs, intercepts)[1:-1] >= best * (1.0 - 1e-9))
