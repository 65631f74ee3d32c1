"""A short run of the fuzz harness: random problems whose certificates are judged by code of its own."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

HARNESS = Path(__file__).parents[2] / "fuzz" / "certificates.py"


@pytest.fixture(scope="module")
def harness():
    spec = importlib.util.spec_from_file_location("certificates", HARNESS)
    module = importlib.util.module_from_spec(spec)
    sys.modules["certificates"] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    yield module
    del sys.modules["certificates"]


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 320, 40))
def test_no_certificate_lies(harness, first):
    assert harness.run(range(first, first + 40)) == []


@pytest.mark.parametrize("seed", [4618])
def test_clusters_that_rounding_keeps_apart_are_no_endless_loop(harness, seed):
    assert harness.run(range(seed, seed + 1)) == []


def test_the_judge_sees_a_dual_value_that_is_too_high(harness, monkeypatch):
    problem = harness.make_problem(1)
    fit = harness.fit

    def too_high(*args, **kwargs):
        path = fit(*args, **kwargs)
        path.dual[:] += 0.01 * (path.null_objective - path.saturated_objective)
        return path

    assert harness.judge(problem) == []
    monkeypatch.setattr(harness, "fit", too_high)
    assert any("dual above the optimum" in fault for fault in harness.judge(problem))


def test_the_judge_knows_the_objective(harness):
    # A ridge of one column in closed form: b = x'y / (x'x + n alpha).
    x, y = np.array([1.0, 2.0, -1.0, 0.5]), np.array([1.0, 1.5, 0.0, 1.0])
    options = {"loss": "gaussian", "fit_intercept": False, "standardize": False, "l1_ratio": 0.0}
    problem = harness.Problem(x[:, None], y, "fortran", {**options, "alphas": [0.5], "tol": 1e-10})
    b = x @ y / (x @ x + 4 * 0.5)
    value = ((y - b * x) ** 2).sum() / 8 + 0.25 * b**2
    assert float(harness.objectives(problem, harness.fit(problem))[0][0]) == pytest.approx(value, rel=1e-12)
