"""Every loss: its mean and best constant from the definition, its words, and its place at every door."""

import ast
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import approx_fprime, minimize
from scipy.special import logsumexp, xlogy

import riata
from riata import losses
from riata.losses._known import LOSSES, OF_SCORE_FILES, SYNONYMS, check_loss, check_scoring, loss_of

RNG = np.random.default_rng(7)
N = 60
LINK = RNG.standard_normal(N)
TIMES = np.column_stack([RNG.exponential(np.exp(-LINK)), RNG.random(N) < 0.7])


def huber(y, eta, delta):
    size = np.abs(y - eta)
    return np.where(size <= delta, 0.5 * size**2, delta * (size - 0.5 * delta))


def one_hot(codes):
    return np.eye(3)[codes]


#: For each loss: a response as users give it, and the loss of each sample written out; a new one adds a line.
DEFINED = {
    "gaussian": (LINK + RNG.standard_normal(N), lambda y, eta: 0.5 * (y - eta) ** 2),
    "binomial": (
        (LINK + RNG.logistic(size=N) > 0.0).astype(float),
        lambda y, eta: np.log1p(np.exp(eta)) - y * eta,
    ),
    "poisson": (
        RNG.poisson(np.exp(LINK)).astype(float),
        lambda y, eta: np.exp(eta) - y * eta + xlogy(y, y) - y,
    ),
    "huber": (LINK + RNG.standard_t(2, size=N), lambda y, eta: huber(y, eta, 1.345)),
    "cox": (TIMES, None),
    "multinomial": (
        one_hot(np.arange(N) % 3),
        lambda y, eta: logsumexp(eta, axis=1) - (y * eta).sum(axis=1),
    ),
    "multigaussian": (
        RNG.standard_normal((N, 2)),
        lambda y, eta: 0.5 * ((y - eta) ** 2).sum(axis=1),
    ),
}
SUMS = {name: given for name, given in DEFINED.items() if given[1] is not None}


def test_every_loss_is_defined_here():
    assert DEFINED.keys() == LOSSES.keys()
    assert {kind.__name__ for kind in LOSSES.values()} | {"Loss"} == set(losses.__all__)


@pytest.mark.parametrize("name", LOSSES)
def test_word_and_object_are_the_same_fit(name):
    X = RNG.standard_normal((N, 15))
    y = DEFINED[name][0]
    by_word = riata.fit_path(X, y, loss=name, eps=0.1)
    by_object = riata.fit_path(X, y, loss=LOSSES[name](), eps=0.1)
    assert by_object.loss == name == loss_of(name).name
    assert type(by_object.loss_function) is LOSSES[name]
    assert by_object.dual_gaps.max() <= 1e-6
    for one, other in zip(np.atleast_1d(by_word.coefs), np.atleast_1d(by_object.coefs), strict=True):
        assert_allclose(one.toarray(), other.toarray(), rtol=0, atol=0)


@pytest.mark.parametrize("name", LOSSES)
def test_object_at_every_door(name):
    X = RNG.standard_normal((N, 8))
    y, loss = DEFINED[name][0], LOSSES[name]()
    cv = riata.cv_path(X, y, loss=loss, cv=3, alphas=[0.2, 0.1])
    assert cv.scoring == next(iter(loss.scores)) == check_scoring(None, loss)
    assert riata.estimate_memory(X, loss=loss).total == riata.estimate_memory(X, loss=name).total
    if not loss.several_outputs:
        [path] = riata.fit_multi_path(X, [y], loss=loss, alphas=[0.2, 0.1])
        assert_allclose(path.coefs.toarray(), cv.path.coefs.toarray(), atol=1e-6)
        [again] = riata.cv_multi_path(X, [y], loss=loss, cv=3, alphas=[0.2, 0.1])
        assert_allclose(again.scores, cv.scores, rtol=1e-5)
        assert riata.constrained_lasso(X, y, 0.1, loss=loss).loss == name


@pytest.mark.parametrize("name", SUMS)
def test_mean_is_where_the_loss_is_least(name):
    """The derivative of the loss in the predictor is the mean less y, unless it is clipped."""
    y, terms = SUMS[name]
    loss = LOSSES[name]()
    shape = y.shape
    eta = 0.3 * RNG.standard_normal(shape)
    if name == "huber":  # whose derivative is clipped
        assert_allclose(loss.mean(eta), eta)
        return
    slope = approx_fprime(eta.ravel(), lambda v: terms(y, v.reshape(shape)).sum(), 1e-7).reshape(shape)
    mean = loss.mean(eta[..., None])[..., 0]
    assert_allclose(mean - y, slope, atol=2e-5)


@pytest.mark.parametrize("name", SUMS)
def test_null_level_has_the_least_loss(name):
    y, terms = SUMS[name]
    weights = RNG.uniform(0.5, 2.0, N)
    offset = 0.5 * RNG.standard_normal(y.shape)
    level = LOSSES[name]().null_level(y, weights, offset)

    def total(b):
        return weights @ terms(y, offset + b) / weights.sum()

    found = minimize(total, np.zeros(y.shape[1:] or 1), tol=1e-12)
    assert total(level) <= found.fun + 1e-10


def test_huber_scores_by_its_delta():
    y, eta = np.array([0.0, 0.0, 5.0]), np.array([[0.5], [2.0], [0.0]])
    by_hand = huber(y, eta[:, 0], 0.7).mean()
    assert_allclose(losses.Huber(0.7).scorer("huber")(y, eta, np.ones(3)), [by_hand])
    assert losses.Huber(0.7).huber_delta == 0.7


def test_parameters_sit_in_the_loss():
    X = RNG.standard_normal((N, 8))
    strata, start = np.arange(N) % 2, TIMES[:, 0] * 0.1
    inside = riata.fit_path(
        X, TIMES, loss=losses.Cox(ties="efron", strata=strata, start=start), alphas=[0.05]
    )
    beside = riata.fit_path(X, TIMES, loss="cox", ties="efron", strata=strata, start=start, alphas=[0.05])
    assert_allclose(inside.coefs.toarray(), beside.coefs.toarray(), rtol=0, atol=0)
    plain = riata.fit_path(X, TIMES, loss="cox", alphas=[0.05])
    assert np.abs(plain.coefs - inside.coefs).max() > 1e-6


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"loss": "tweedie"}, "loss must be one of"),
        ({"loss": losses.Huber(), "huber_delta": 2.0}, "huber_delta must be left out when loss is an object"),
        ({"loss": "poisson", "strata": np.ones(N)}, "strata must be left out unless loss is 'cox'"),
        ({"loss": "poisson", "start": np.ones(N)}, "start must be left out unless loss is 'cox'"),
        ({"loss": "cox", "ties": "exact"}, "ties must be one of"),
        ({"loss": "huber", "huber_delta": 0.0}, "huber_delta must be > 0"),
    ],
)
def test_refuses(given, message):
    with pytest.raises(ValueError, match=message):
        check_loss(**given)


def test_refuses_parameters_of_losses():
    with pytest.raises(ValueError, match="ties must be one of"):
        losses.Cox(ties="exact")
    with pytest.raises(ValueError, match="delta must be > 0"):
        losses.Huber(-1.0)


def test_words_are_of_one_loss_each():
    assert not SYNONYMS.keys() & LOSSES.keys()
    assert len(SYNONYMS) == sum(len(kind.synonyms) for kind in LOSSES.values())
    assert set(OF_SCORE_FILES) <= set(LOSSES)
    for kind in LOSSES.values():
        assert kind.model
        assert kind().modelled_by


ROOT = Path(riata.__file__).parent
COMPARED = (ast.Compare, ast.Dict, ast.Tuple, ast.List, ast.Set, ast.Subscript, ast.MatchValue)


def compared_words(file):
    """Lines that compare a word of a loss, or key a table by one."""
    found = []
    for parent in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(parent, COMPARED):
            for child in ast.iter_child_nodes(parent):
                if isinstance(child, ast.Constant) and child.value in LOSSES:
                    found.append(f"{file.relative_to(ROOT)}:{child.lineno}")
    return found


def test_no_word_of_a_loss_is_compared_outside():
    files = [file for file in ROOT.rglob("*.py") if ROOT / "losses" not in file.parents]
    assert [line for file in files for line in compared_words(file)] == []
