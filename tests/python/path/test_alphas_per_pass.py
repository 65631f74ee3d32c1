"""Several alphas certified by one pass over X: gaps by their definition, and where it is done unasked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import riata
from riata._io.machine import machine_memory
from riata.path.alphas_per_pass import FROM_DISK, alphas_per_pass_for

LOSSES = ("gaussian", "binomial", "poisson")


def problem(loss: str, n: int = 120, p: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    X = np.asfortranarray(rng.binomial(2, rng.uniform(0.1, 0.5, p), (n, p)).astype(float))
    eta = 0.4 * (X[:, 5:400:50] - X[:, 5:400:50].mean(0)) @ rng.choice([-1.0, 1.0], 8)
    if loss == "binomial":
        return X, (rng.random(n) < 1 / (1 + np.exp(-2 * eta))).astype(float)
    if loss == "poisson":
        return X, rng.poisson(np.exp(eta)).astype(float)
    return X, eta + rng.standard_normal(n)


def xlogx(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x * np.log(np.where(x > 0, x, 1.0)), 0.0)


def duality_gap(
    X: np.ndarray, y: np.ndarray, loss: str, b: np.ndarray, intercept: float, alpha: float
) -> float:
    """The gap of the lasso on scaled columns, from every column of X, over what the null model leaves."""
    n = len(y)
    eta = intercept + X @ b
    mean = {"gaussian": eta, "binomial": 1 / (1 + np.exp(-eta)), "poisson": np.exp(eta)}[loss]
    u = (y - mean) / n
    u -= u.mean()  # the intercept is at its optimum but for rounding
    scale = X.std(0)
    largest = np.max(np.abs((X - X.mean(0)).T @ u) / scale)
    v = n * u * min(1.0, alpha / largest)
    values = {
        "gaussian": lambda e: (y - e) ** 2 / 2,
        "binomial": lambda e: np.logaddexp(0, e) - y * e,
        "poisson": lambda e: np.exp(e) - y * e,
    }[loss]
    primal = values(eta).mean() + alpha * scale @ np.abs(b)
    m = y - v
    conjugate = {
        "gaussian": lambda: y * v - v**2 / 2,
        "binomial": lambda: -xlogx(m) - xlogx(1 - m),
        "poisson": lambda: m - xlogx(m),
    }[loss]
    level = {"gaussian": y.mean, "binomial": lambda: np.log(y.mean() / (1 - y.mean())),
             "poisson": lambda: np.log(y.mean())}[loss]()  # fmt: skip
    saturated = {"gaussian": 0.0, "binomial": 0.0, "poisson": (y - xlogx(y)).mean()}[loss]
    null = values(np.full(n, level)).mean()
    return float((primal - conjugate().mean()) / (null - saturated))


@pytest.mark.parametrize("loss", LOSSES)
def test_gaps_at_every_alpha_are_what_the_data_say(loss: str) -> None:
    X, y = problem(loss)
    one = riata.fit_path(X, y, loss=loss, alphas=60, eps=0.1, alphas_per_pass=1)
    ten = riata.fit_path(X, y, loss=loss, alphas=60, eps=0.1, alphas_per_pass=10)
    assert ten.converged.all()
    assert len(ten.alphas) == len(one.alphas)
    for k, alpha in enumerate(ten.alphas):
        gap = duality_gap(X, y, loss, ten.coefs[:, [k]].toarray().ravel(),
                          float(ten.intercepts[k]), float(alpha))  # fmt: skip
        assert gap <= 1e-6
        assert gap == pytest.approx(ten.dual_gaps[k], abs=1e-9)
    assert np.abs(ten.primal - one.primal).max() <= 2e-6 * one.primal[0]
    assert ten.counters["rounds"] <= one.counters["rounds"] / 4


def test_cross_validation_asks_for_all_folds_together() -> None:
    X, y = problem("gaussian")
    one = riata.cv_path(X, y, cv=5, alphas=40, eps=0.2, alphas_per_pass=1)
    eight = riata.cv_path(X, y, cv=5, alphas=40, eps=0.2, alphas_per_pass=8)
    assert eight.path.counters["rounds"] <= one.path.counters["rounds"] / 3
    np.testing.assert_allclose(eight.mean_score, one.mean_score, rtol=1e-3)
    assert eight.alpha_min == one.alpha_min


def test_a_checkpoint_goes_on_to_the_same_bits_and_is_refused_for_another_number(tmp_path: Path) -> None:
    X, y = problem("gaussian")
    fit = {"alphas": 40, "eps": 0.2, "alphas_per_pass": 8}
    whole = riata.fit_path(X, y, **fit)
    file = tmp_path / "state"
    short = riata.fit_path(X, y, **fit, checkpoint=file, progress=lambda done, *_: done < 13)
    assert len(short.alphas) == 13
    assert file.exists()
    with pytest.raises(ValueError, match="alphas_per_pass"):
        riata.fit_path(X, y, **(fit | {"alphas_per_pass": 4}), checkpoint=file)
    rest = riata.fit_path(X, y, **fit, checkpoint=file)
    assert np.array_equal(rest.coefs.data, whole.coefs.data)
    assert np.array_equal(rest.dual_gaps, whole.dual_gaps)


def test_one_alpha_a_pass_unless_X_does_not_fit_into_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from riata import _core

    X = _core.dense_design(np.asfortranarray(np.ones((10, 20))))
    monkeypatch.setattr("riata.path.alphas_per_pass.ALWAYS_FITS", 0.0)
    assert alphas_per_pass_for(X) == 1
    monkeypatch.setattr("riata.path.alphas_per_pass.machine_memory", lambda: 1600.0 + 20 * 97 - 1)
    assert alphas_per_pass_for(X) == FROM_DISK
    monkeypatch.setattr("riata.path.alphas_per_pass.machine_memory", lambda: 1600.0 + 20 * 97)
    assert alphas_per_pass_for(X) == 1


def test_the_memory_of_the_machine_is_what_its_control_groups_leave(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    (new / "a" / "b").mkdir(parents=True)
    (old / "c").mkdir(parents=True)
    process = tmp_path / "cgroup"
    process.write_text("4:memory:/c\n0::/a/b\n")
    limits = ((new, "memory.max"), (old, "memory.limit_in_bytes"))
    whole = machine_memory(limits, tmp_path / "none")
    assert whole > 2**20
    (new / "a" / "b" / "memory.max").write_text("max\n")
    assert machine_memory(limits, process) == whole
    (new / "a" / "memory.max").write_text("1048576\n")  # around it
    assert machine_memory(limits, process) == 2**20
    (old / "c" / "memory.limit_in_bytes").write_text("524288\n")
    assert machine_memory(limits, process) == 2**19


@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (2.5, TypeError), (True, TypeError)])
def test_what_is_no_number_of_alphas_is_refused(value: object, error: type[Exception]) -> None:
    X, y = problem("gaussian", 20, 400)
    with pytest.raises(error, match="alphas_per_pass must be"):
        riata.fit_path(X, y, alphas_per_pass=value)
