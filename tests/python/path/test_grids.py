"""Grids of alphas: where they begin and end, and what is said when the best alpha is their end."""

import json
import subprocess
import sys

import numpy as np
import pytest
import sklearn.exceptions
import sklearn.linear_model as peers
from numpy.testing import assert_allclose
from several_outputs import make_outputs
from support import make_problem

import riata
from riata.cli.parser import main

END = "the best alpha is the last of the grid"


def sparse_signal(seed, n=60, p=100):
    """Little noise, p > n: a grid that ends at 1 % of its beginning ends too early."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X[:, :5] @ [3.0, -2.0, 1.5, 1.0, -1.0] + 0.1 * rng.standard_normal(n)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weighted": True},
        {"positive": True},
        {"fit_intercept": False},
        {"l1_ratio": 0.3},
        {"l1_ratio": [0.2, 0.9]},
    ],
    ids=str,
)
@pytest.mark.parametrize("seed", range(2))
def test_grid_and_choice_are_those_of_scikit_learn(options, seed):
    X, y = sparse_signal(seed)
    options = dict(options)
    weights = np.random.default_rng(9).uniform(0.5, 2.0, 60) if options.pop("weighted", False) else None
    name = "ElasticNetCV" if "l1_ratio" in options else "LassoCV"
    ours = getattr(riata, name)(**options, tol=1e-9).fit(X, y, weights)
    theirs = getattr(peers, name)(**options, tol=1e-9, max_iter=10**5).fit(X, y, weights)
    assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-9)
    assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-4, atol=1e-6)
    assert ours.alpha_ == pytest.approx(theirs.alpha_, rel=1e-9)
    assert ours.l1_ratio_ == getattr(theirs, "l1_ratio_", 1.0)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_the_defaults_choose_the_alpha_of_scikit_learn(seed):
    X, y = sparse_signal(seed)
    ours, theirs = riata.LassoCV().fit(X, y), peers.LassoCV(tol=1e-9, max_iter=10**6).fit(X, y)
    assert ours.alpha_ == pytest.approx(theirs.alpha_, rel=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ["MultiTaskLassoCV", "MultiTaskElasticNetCV"])
def test_grid_of_several_responses_is_that_of_scikit_learn(name):
    X, Y = make_outputs("multigaussian", 60, 20, 3)
    ours = getattr(riata, name)(tol=1e-9).fit(X, Y)
    theirs = getattr(peers, name)(tol=1e-9, max_iter=10**5).fit(X, Y)
    assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-9)
    assert ours.alpha_ == pytest.approx(theirs.alpha_, rel=1e-9)


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "poisson", "cox"])
@pytest.mark.parametrize(("n", "p", "share"), [(60, 10, 1e-4), (20, 30, 0.01)])
def test_default_grid_ends_where_that_of_the_lasso_does(loss, n, p, share):
    """At `share` of the largest correlation, whatever the l1_ratio, of which at least 0.001 counts."""
    X, y = make_problem(loss, n, p)
    lasso = riata.fit_path(X, y, loss=loss, alphas=1).alpha_max
    for l1_ratio in (1.0, 0.4, 0.01, 0.0):
        grid = riata.fit_path(X, y, loss=loss, l1_ratio=l1_ratio, alphas=3, tol=1e-4).alphas
        assert grid[0] == pytest.approx(lasso / max(l1_ratio, 1e-3))
        assert grid[1] / grid[0] == pytest.approx(np.sqrt(share * max(l1_ratio, 1e-3)))
    given = riata.fit_path(X, y, loss=loss, l1_ratio=0.4, alphas=3, eps=0.2).alphas
    assert given[-1] == pytest.approx(0.2 * given[0])


def test_ridge_by_cross_validation_reaches_the_best_alpha():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((200, 3))
    y = X @ [3.0, -2.0, 1.0] + 0.5 * rng.standard_normal(200)
    grid = np.geomspace(1e4, 1e-6, 200)
    best = riata.cv_path(X, y, l1_ratio=0.0, alphas=grid).mean_score.min()
    assert riata.cv_path(X, y, l1_ratio=0.0).mean_score.min() <= best * (1.0 + 1e-3)
    best = riata.ElasticNetCV(l1_ratio=0.0, alphas=grid).fit(X, y).mse_path_.mean(axis=1).min()
    found = riata.ElasticNetCV(l1_ratio=0.0).fit(X, y).mse_path_.mean(axis=1).min()
    assert found <= best * (1.0 + 1e-3)


@pytest.mark.parametrize("loss", ["gaussian", "poisson", "huber", "multigaussian"])
def test_a_level_is_no_variation_explained(loss):
    """Without intercept and with columns near one, a grid goes on until the variation is explained."""
    rng = np.random.default_rng(0)
    X = 1.0 + 0.1 * rng.standard_normal((300, 6))
    eta = X @ [3.0, 2.0, 1.0, 0.0, 0.0, 0.0]
    y = np.exp(eta) if loss == "poisson" else 10.0 * eta + 0.01 * rng.standard_normal(300)
    if loss == "multigaussian":
        y = np.column_stack([y, 2.0 * y[::-1]])
    given = {"loss": loss, "fit_intercept": False, "standardize": False}
    if loss == "huber":
        given["huber_delta"] = 10.0
    path = riata.fit_path(X, y, **given)
    left = ((y - path.predict(X, path.alphas[-1])) ** 2).sum() / ((y - y.mean(axis=0)) ** 2).sum()
    if loss == "multigaussian":  # the second response cannot be explained
        assert path.stop_reason == ""
    else:
        assert path.stop_reason == "deviance"
        assert left == pytest.approx(1e-3, rel=0.2)


def test_a_centred_response_ends_its_grid_with_and_without_intercept():
    X, y = sparse_signal(0, 200, 10)
    X, y = X - X.mean(axis=0), y - y.mean()
    ends = [len(riata.fit_path(X, y, fit_intercept=given)) for given in (True, False)]
    assert ends[0] == ends[1] < 100


WAYS = {
    "cv_path": lambda X, y: riata.cv_path(X, y, eps=0.5, alphas=10),
    "cv_paths": lambda X, y: riata.cv_multi_path(X, [y], eps=0.5, alphas=10),
    "LassoCV": lambda X, y: riata.LassoCV(eps=0.5, alphas=10).fit(X, y),
    "ElasticNetCV": lambda X, y: riata.ElasticNetCV(eps=0.5, alphas=10, l1_ratio=[0.5, 1.0]).fit(X, y),
    "MultiTaskLassoCV": lambda X, y: riata.MultiTaskLassoCV(eps=0.5, alphas=10).fit(X, np.c_[y, y]),
    "MCPRegressorCV": lambda X, y: riata.MCPRegressorCV(eps=0.5, alphas=10).fit(X, y),
    "AdaptiveLassoCV": lambda X, y: riata.AdaptiveLassoCV(eps=0.5, alphas=10).fit(X, y),
    "RelaxedLassoCV": lambda X, y: riata.RelaxedLassoCV(eps=0.5, alphas=10).fit(X, y),
    "SparseLogisticRegressionCV": lambda X, y: riata.SparseLogisticRegressionCV(eps=0.5).fit(X, y > 0),
    "SparsePoissonRegressorCV": lambda X, y: riata.SparsePoissonRegressorCV(eps=0.5).fit(X, np.exp(0.3 * y)),
    "SparseCoxCV": lambda X, y: riata.SparseCoxCV(eps=0.5).fit(X, np.c_[np.exp(-y), np.ones(len(y))]),
}


@pytest.mark.parametrize("way", list(WAYS))
def test_a_best_alpha_at_the_end_of_a_grid_is_told(way):
    X, y = sparse_signal(0, 80, 8)
    with pytest.warns(UserWarning, match=END):
        WAYS[way](X, y)


def test_nothing_is_told_where_the_end_was_asked_for_or_nothing_is_gained():
    X, y = sparse_signal(0, 80, 8)
    riata.cv_path(X, y, alphas=[1.0, 0.5])
    riata.cv_path(X, y, max_active=2)
    riata.cv_path(X, y, progress=lambda done, *_: done < 5)
    flat = riata.cv_path(X, X[:, :8] @ np.ones(8) + np.random.default_rng(0).standard_normal(80), alphas=300)
    assert flat.alpha_min <= flat.alphas[-2]


@pytest.mark.slow
def test_the_command_line_tells_of_it_too(tmp_path):
    X, y = sparse_signal(0, 80, 8)
    np.savetxt(
        tmp_path / "x.csv", np.c_[X, y], delimiter=",", comments="", header=",".join([*"abcdefgh", "y"])
    )
    run = [sys.executable, "-m", "riata", "cv", "--matrix", "x.csv", "--target", "y", "--out", "o"]
    done = subprocess.run([*run, "--eps", "0.5"], cwd=tmp_path, capture_output=True, text=True, check=True)
    told = "is the last of the path: smaller ones may do better (a smaller --eps, or --alphas, goes on)"
    assert (done.stdout + done.stderr).count(told) == 1
    assert told in (tmp_path / "o.log").read_text()
    assert "is the last of the path" in (tmp_path / "o.html").read_text()
    assert json.loads((tmp_path / "o.json").read_text())["cross_validation"]["best_is_last"]

    def told_by(*options):
        command = [*run, *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert "is the last of the path, which --max-active ended" in told_by("--max-active", "2")
    assert "is the last of the path, where the score hardly changes any more" in told_by("--eps", "1e-3")
    y[:] = np.random.default_rng(1).standard_normal(80)
    np.savetxt(
        tmp_path / "x.csv", np.c_[X, y], delimiter=",", comments="", header=",".join([*"abcdefgh", "y"])
    )
    assert "last of the path" not in told_by()
    assert not json.loads((tmp_path / "o.json").read_text())["cross_validation"]["best_is_last"]


def test_a_best_score_within_the_error_of_nothing_is_told(tmp_path, capsys):
    """Responses at random: told where features are selected and gain less than a standard error."""
    told = []
    for seed in range(8):
        table = np.random.default_rng(seed).standard_normal((60, 31))
        names = ",".join(["y", *(f"g{j}" for j in range(30))])
        np.savetxt(tmp_path / "x.csv", table, delimiter=",", comments="", header=names)
        given = [
            "cv",
            "--matrix",
            tmp_path / "x.csv",
            "--target",
            "y",
            "--eps",
            "0.1",
            "--out",
            tmp_path / "o",
        ]
        assert main([*map(str, given)]) == 0
        cv = riata.load(tmp_path / "o.path.npz")
        best = int(np.argmin(cv.mean_score))
        small = cv.path.n_active[best] > 0 and cv.null_score - cv.mean_score[best] <= cv.se_score[best]
        said = "he best score is within one standard error of that of the intercept alone: features may be"
        assert (said in capsys.readouterr().out) == small
        assert (said in (tmp_path / "o.html").read_text()) == small
        told.append(small)
    assert 0 < sum(told) < 8


@pytest.mark.parametrize(
    ("loss", "penalty"),
    [
        ("gaussian", None),
        ("binomial", None),
        ("cox", None),
        ("gaussian", riata.penalties.GroupLasso(np.arange(40) // 4)),
    ],
    ids=["gaussian", "binomial", "cox", "groups"],
)
def test_a_tolerance_of_zero_is_as_close_as_rounding_allows_and_says_so(loss, penalty):
    X, y = make_problem(loss, 30, 40)
    with pytest.warns(sklearn.exceptions.ConvergenceWarning, match="above tol=0"):
        path = riata.fit_path(X, y, loss=loss, penalty=penalty, alphas=8, eps=0.05, tol=0.0)
    assert 0 < path.dual_gaps.max() <= 1e-13
    assert np.array_equal(path.converged, path.dual_gaps == 0.0)


def test_a_grid_may_have_no_length():
    X, y = sparse_signal(0)
    grid = riata.fit_path(X, y, alphas=3, eps=1.0).alphas
    largest = riata.fit_path(X, y, alphas=1).alpha_max
    assert_allclose(grid, [largest] * 3, rtol=1e-15)


@pytest.mark.parametrize("level", [0.0, 5.0])
def test_the_grid_of_a_response_without_variance_is_that_of_scikit_learn(level):
    X, y = sparse_signal(0)
    y = np.full(60, level)
    ours = riata.LassoCV(alphas=3).fit(X, y)
    assert_allclose(ours.alphas_, peers.LassoCV(alphas=3).fit(X, y).alphas_, rtol=1e-12)
    assert_allclose(ours.predict(X), y, rtol=1e-15)
