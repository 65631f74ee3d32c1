"""Information criteria: from their definitions, beside scikit-learn's, and what must not change them."""

import json
from dataclasses import fields

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import binom
from several_outputs import make_outputs
from sklearn.linear_model import LassoLarsIC
from support import cox_value, loss_value, make_problem

import riata
from riata.path.criteria import degrees_of_freedom, mean_losses

LOSSES = ("gaussian", "binomial", "poisson", "cox")
CRITERIA = ("aic", "bic", "ebic")
TIGHT = {"tol": 1e-12}


def given_for(n, p):
    """Weights, an offset, and factors with a free feature and one left out."""
    rng = np.random.default_rng(1)
    factor = rng.uniform(0.5, 2.0, p)
    factor[[1, 6]] = 0.0, np.inf
    return {
        "sample_weight": rng.integers(1, 4, n),
        "offset": 0.2 * rng.standard_normal(n),
        "penalty_factor": factor,
        "l1_ratio": 0.7,
    }


def direct(X, y, path, loss, criterion, weights, offset, candidates, gamma=1.0):
    """From the definitions, fit by fit."""
    coefs, out = path.coefs.toarray(), []
    for b, b0 in zip(coefs.T, path.intercepts, strict=True):
        eta, k = X @ b + b0 + offset, np.count_nonzero(b)
        n = weights.sum()
        if loss == "gaussian":
            variance = weights @ (y - eta) ** 2 / n
            fit = weights @ (np.log(2 * np.pi * variance) + (y - eta) ** 2 / variance)
        else:
            fit = 2.0 * n * (loss_value(loss, y, eta, weights) - path.saturated_objective)
        if loss == "cox":
            n = weights @ y[:, 1]
        chosen = np.count_nonzero(b[candidates])
        model = 2.0 * gamma * np.log(binom(candidates.sum(), chosen)) if criterion == "ebic" else 0.0
        out.append(fit + k * (2.0 if criterion == "aic" else np.log(n)) + model)
    return np.array(out)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("which", ["plain", "given"])
@pytest.mark.parametrize("loss", LOSSES)
def test_direct_computation(loss, which, criterion):
    X, y = make_problem(loss, 60, 30)
    given = given_for(60, 30) if which == "given" else {}
    path = riata.fit_path(X, y, loss=loss, alphas=15, **given, **TIGHT)
    factor = given.get("penalty_factor", np.ones(30))
    expected = direct(
        X, y, path, loss, criterion,
        weights=np.broadcast_to(given.get("sample_weight", 1.0), 60).astype(float),
        offset=given.get("offset", 0.0),
        candidates=(factor > 0.0) & np.isfinite(factor),
        gamma=0.5,
    )  # fmt: skip
    values = path.information_criterion(criterion, ebic_gamma=0.5)
    assert_allclose(values, expected, rtol=1e-9, atol=1e-9)
    assert path.select(criterion, ebic_gamma=0.5) == path.alphas[np.argmin(expected)]


@pytest.mark.parametrize("criterion", ["aic", "bic"])
def test_least_angle_regression_of_scikit_learn(criterion):
    """With a known noise variance, at the knots of its path: the same numbers and the same choice."""
    X, y = make_problem(n=60, p=10)
    theirs = LassoLarsIC(criterion=criterion, noise_variance=0.4).fit(X, y)
    knots = theirs.alphas_[:-1]  # the last is 0
    path = riata.fit_path(X, y, alphas=knots, standardize=False, **TIGHT)
    clear = path.n_active == np.count_nonzero(np.abs(path.coefs.toarray()) > 1e-9, axis=0)
    assert clear.sum() >= 7  # elsewhere what enters at the knot is not zero to the last bit
    values = path.information_criterion(criterion, noise_variance=0.4)
    assert_allclose(values[clear], theirs.criterion_[:-1][clear], rtol=1e-8)
    found = path.select(criterion, noise_variance=0.4)
    assert_allclose(found, theirs.alpha_, rtol=1e-9)
    assert_allclose(path.coef(found), theirs.coef_, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_is_what_the_deviance_ratio_says(loss):
    X, y = make_problem(loss, 60, 30)
    for path in (riata.fit_path(X, y, loss=loss, alphas=15), riata.cv_path(X, y, loss=loss, cv=3).path):
        span = path.null_objective - path.saturated_objective
        expected = path.saturated_objective + (1.0 - path.deviance_ratio) * span
        assert_allclose(mean_losses(path), expected, rtol=1e-9)
        assert path.select("bic") in path.alphas


@pytest.mark.parametrize("loss", LOSSES)
def test_weights_count_samples(loss):
    """A sample of weight 2 is as good as two, and one of weight 0 as none."""
    X, y = make_problem(loss, 40, 12)
    times = np.random.default_rng(0).integers(0, 3, 40)
    weighted = riata.fit_path(X, y, loss=loss, sample_weight=times, alphas=8, **TIGHT)
    rows = np.repeat(np.arange(40), times)
    twice = riata.fit_path(X[rows], y[rows], loss=loss, alphas=weighted.alphas, **TIGHT)
    for criterion in CRITERIA:
        a, b = (path.information_criterion(criterion) for path in (weighted, twice))
        if loss == "cox":  # what a perfect fit has differs: rows that are copies have tied times
            a, b = a - a[0], b - b[0]
        assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def test_cox_counts_events():
    X, y = make_problem("cox", 60, 8)
    path = riata.fit_path(X, y, loss="cox", alphas=6)
    assert path.n_events == y[:, 1].sum()
    values = path.information_criterion("bic")
    eta = X @ path.coef(path.alphas[-1])
    deviance = 2.0 * 60 * (cox_value(y, eta, np.ones(60)) - path.saturated_objective)
    assert_allclose(values[-1], deviance + path.n_active[-1] * np.log(y[:, 1].sum()), rtol=1e-8)


def test_two_classes_are_the_binomial_fit():
    """Coefficients of opposite sign for each class, one of which says it all."""
    X, y = make_problem("binomial", 60, 20)
    binomial = riata.fit_path(X, y, loss="binomial", alphas=8, **TIGHT)
    multinomial = riata.fit_path(X, y.astype(int), loss="multinomial", alphas=binomial.alphas, **TIGHT)
    grouped = riata.fit_path(
        X, y.astype(int), loss="multinomial", grouped=True, alphas=binomial.alphas * np.sqrt(2.0), **TIGHT
    )
    for criterion in CRITERIA:
        expected = binomial.information_criterion(criterion)
        assert_allclose(multinomial.information_criterion(criterion), expected, rtol=1e-6)
        assert_allclose(grouped.information_criterion(criterion), expected, rtol=1e-6)


def test_several_responses():
    """One response as several is the gaussian fit; of more, each is a sample."""
    X, y = make_problem(n=60, p=20)
    one = riata.fit_path(X, y, alphas=8, **TIGHT)
    same = riata.fit_path(X, y[:, None], loss="multigaussian", alphas=one.alphas, **TIGHT)
    for criterion in CRITERIA:
        assert_allclose(
            same.information_criterion(criterion), one.information_criterion(criterion), rtol=1e-7
        )
    X, Y = make_outputs()
    path = riata.fit_path(X, Y, loss="multigaussian", alphas=6, l1_ratio=0.8, **TIGHT)
    squares = np.sum((Y[:, :, None] - path.predict(X)) ** 2, axis=(0, 1))
    count = sum(np.count_nonzero(coefs.toarray(), axis=0) for coefs in path.coefs)
    assert_array_equal(degrees_of_freedom(path), count)
    expected = Y.size * (np.log(2.0 * np.pi * squares / Y.size) + 1.0) + np.log(Y.size) * count
    assert_allclose(path.information_criterion("bic"), expected, rtol=1e-9)


def test_ebic_lies_between():
    X, y = make_problem("binomial", 60, 200)
    path = riata.fit_path(X, y, loss="binomial", alphas=20, eps=0.1)
    assert_array_equal(path.information_criterion("ebic", ebic_gamma=0.0), path.information_criterion("bic"))
    assert path.select("ebic") >= path.select("bic") >= path.select("aic")


@pytest.mark.parametrize("loss", ["gaussian", "cox"])
def test_saved_paths(loss, tmp_path):
    X, y = make_problem(loss, 40, 12)
    given = given_for(40, 12)
    path = riata.fit_path(X, y, loss=loss, alphas=8, **given)
    path.save(tmp_path / "kept.npz")
    again = riata.load(tmp_path / "kept.npz")
    for criterion in CRITERIA:
        assert_array_equal(again.information_criterion(criterion), path.information_criterion(criterion))


def test_paths_saved_before(tmp_path):
    """Files without the newer fields load, and say what they lack."""
    X, y = make_problem("cox", 40, 12)
    path = riata.fit_path(X, y, loss="cox", alphas=8)
    newer = {"penalty_factor", "n_events"}
    assert newer < {item.name for item in fields(path)}
    path.save(tmp_path / "kept.npz")
    arrays = dict(np.load(tmp_path / "kept.npz"))
    meta = json.loads(str(arrays["meta"]))
    arrays["meta"] = np.array(json.dumps({name: meta[name] for name in meta if name not in newer}))
    np.savez(tmp_path / "older.npz", **arrays)
    older = riata.load(tmp_path / "older.npz")
    assert_array_equal(older.information_criterion("aic"), path.information_criterion("aic"))
    with pytest.raises(ValueError, match="'bic' needs the number of events"):
        older.information_criterion("bic")


def test_warns_where_no_residuals_are_left():
    X, y = make_problem(n=20, p=60)
    path = riata.fit_path(X, y, eps=1e-3)
    with pytest.warns(UserWarning, match="bic is smallest where .* coefficients for 20 samples leave no"):
        assert path.select("bic") == path.alphas[-1]
    assert path.select("bic", noise_variance=0.25) > path.alphas[-1]
    perfect = riata.fit_path(np.eye(4), [1.0, 2.0, 3.0, 4.0], alphas=[0.1, 1e-20], fit_intercept=False)
    with pytest.warns(UserWarning, match="aic is smallest where 4 coefficients for 4 samples"):
        assert perfect.select("aic") == 1e-20


@pytest.mark.parametrize("loss", LOSSES)
def test_warns_of_near_saturation_wherever_it_is_and_of_every_loss(loss):
    """Noise alone: AIC takes most of what there is, before the path ends as well as at its end."""
    X, y = make_problem(loss, n=24, p=60, seed=3)
    rng = np.random.default_rng(0)
    y = rng.permutation(y) if loss != "gaussian" else rng.standard_normal(24)
    warned = 0
    for end in (20, 60, 100):
        alphas = riata.fit_path(X, y, loss=loss, alphas=100, eps=1e-3).alphas[:end]
        path = riata.fit_path(X, y, loss=loss, alphas=alphas, tol=1e-4)
        at = int(np.argmin(path.information_criterion("aic")))
        if path.n_active[at] > 12:
            with pytest.warns(
                UserWarning, match=rf"aic is smallest where {path.n_active[at]} coefficients for 24"
            ):
                assert path.select("aic") == path.alphas[at]
            warned += 1
        else:
            assert path.select("aic") == path.alphas[at]
    assert warned > 0 or loss not in ("gaussian", "poisson")


def test_warns_before_the_end_of_the_path():
    """The last alphas add coefficients that cost more than they explain."""
    X, y = make_problem(n=20, p=60)
    path = riata.fit_path(X, y, eps=1e-3)
    values = path.information_criterion("bic")
    path.primal[-1] *= 2.0
    assert np.argmin(values) == len(path) - 1
    at = int(np.argmin(path.information_criterion("bic")))
    assert at < len(path) - 1
    with pytest.warns(UserWarning, match="bic is smallest where"):
        assert path.select("bic") == path.alphas[at]


PENALTIES = {
    "mcp": riata.penalties.MCP(),
    "scad": riata.penalties.SCAD(),
    "slope": riata.penalties.SLOPE(),
    "group": riata.penalties.GroupLasso(np.arange(30) // 3),
    "free group": riata.penalties.GroupLasso(np.arange(30) // 3, weights=[0.0] + [1.0] * 9),
    "sparse group": riata.penalties.SparseGroupLasso(np.arange(30) // 3),
}


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("loss", ["gaussian", "cox"])
def test_other_penalties(loss, name):
    """Whose value a path does not keep: the loss is had from the deviance ratio."""
    X, y = make_problem(loss, 60, 30)
    path = riata.fit_path(X, y, loss=loss, penalty=PENALTIES[name], alphas=10, eps=0.05)
    candidates = np.arange(30) >= (3 if name == "free group" else 0)
    expected = direct(X, y, path, loss, "ebic", np.ones(60), 0.0, candidates)
    assert_allclose(path.information_criterion("ebic"), expected, rtol=1e-7, atol=1e-7)
    with pytest.raises(ValueError, match="fit must have the elastic net for its penalty"):
        riata.conversions(path)


def test_unpenalised_features_of_other_penalties_need_a_whole_path():
    X, y = make_problem(n=60, p=30)
    path = riata.fit_path(X, y, penalty=PENALTIES["free group"], alphas=[0.01])
    with pytest.raises(ValueError, match="with unpenalised features the path must begin at alpha_max"):
        path.information_criterion("bic")


def test_errors():
    X, y = make_problem("huber")
    with pytest.raises(ValueError, match="needs a likelihood, which the huber loss does not have"):
        riata.fit_path(X, y, loss="huber", alphas=3).select("bic")
    with pytest.raises(ValueError, match="with l1_ratio=0 none is ever zero"):
        riata.fit_path(X, y, l1_ratio=0.0, alphas=3).select("bic")
    path = riata.fit_path(X, y, alphas=3)
    with pytest.raises(ValueError, match=r"criterion must be one of \['aic', 'bic', 'ebic'\], got 'cp'"):
        path.information_criterion("cp")
    with pytest.raises(ValueError, match="ebic_gamma must be >= 0 and <= 1, got 2"):
        path.information_criterion("ebic", ebic_gamma=2)
    with pytest.raises(ValueError, match="noise_variance must be > 0, got 0"):
        path.information_criterion("bic", noise_variance=0)
    X, y = make_problem("poisson")
    with pytest.raises(ValueError, match="noise_variance must be left out for the poisson loss"):
        riata.fit_path(X, y, loss="poisson", alphas=3).select("bic", noise_variance=1.0)
