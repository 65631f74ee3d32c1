"""The judge of every loss and penalty beside spelt-out objectives and a plain proximal gradient method."""

import numpy as np
import pytest
from certify import Judge
from penalties import L1, MCP, SLOPE, Groups, Rows
from problems import Problem, alpha_grid
from responses import RESPONSES, linear_predictor
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.isotonic import isotonic_regression

N, P, K = 40, 12, 3
MODELS = [
    ("gaussian", L1()),
    ("binomial", L1()),
    ("poisson", L1()),
    ("cox", L1()),
    ("multinomial", L1()),
    ("multinomial", Rows()),
    ("multigaussian", Rows()),
    ("gaussian", Groups(3)),
    ("binomial", Groups(4)),
    ("gaussian", SLOPE(0.3)),
    ("poisson", SLOPE(0.3)),
]


@pytest.fixture(params=MODELS, ids=lambda model: f"{model[0]}-{model[1].name}")
def problem(request):
    """Ten alphas between the largest and a tenth of it; of Cox, with tied events and ties with censored."""
    loss, penalty = request.param
    rng = np.random.default_rng(3)
    X = np.asfortranarray(rng.standard_normal((N, P)) * rng.uniform(0.5, 2.0, P))
    y = RESPONSES[loss](rng, linear_predictor(rng, X, 4, K if loss.startswith("multi") else 1), 3.0)
    if loss == "cox":
        y[:, 0] = np.ceil(5.0 * y[:, 0])
        assert len(np.unique(y[y[:, 1] == 1.0, 0])) < y[:, 1].sum() / 2
    problem = Problem("tiny", loss, X, y, np.empty(0), penalty=penalty)
    problem.alphas = alpha_grid(problem, 0.1, count=10)
    return problem


def spelt_out(problem, eta):
    """The loss of one alpha, sample by sample, eta (n, K)."""
    y, total = problem.y, 0.0
    for i, own in enumerate(eta):
        if problem.loss.endswith("gaussian"):
            total += 0.5 * np.sum((y[i] - own) ** 2)
        elif problem.loss == "binomial":
            total -= np.log(expit(own[0]) if y[i] == 1.0 else expit(-own[0]))
        elif problem.loss == "poisson":
            total += np.exp(own[0]) - y[i] * own[0]
        elif problem.loss == "multinomial":
            total -= np.log(np.exp(own[int(y[i])]) / np.exp(own).sum())
        elif y[i, 1] == 1.0:
            total += np.log(sum(np.exp(eta[j, 0]) for j in range(N) if y[j, 0] >= y[i, 0])) - own[0]
    return total / N


def slope(problem, eta):
    """Gradient of the loss in eta, (n, K)."""
    y = problem.y
    if problem.loss.endswith("gaussian"):
        return (eta - y.reshape(eta.shape)) / N
    if problem.loss == "binomial":
        return (expit(eta) - y[:, None]) / N
    if problem.loss == "poisson":
        return (np.exp(eta) - y[:, None]) / N
    if problem.loss == "multinomial":
        return (softmax(eta, axis=1) - (y[:, None] == np.arange(K))) / N
    gradient = np.zeros(N)
    for i in np.flatnonzero(y[:, 1]):
        weight = np.where(y[:, 0] >= y[i, 0], np.exp(eta[:, 0]), 0.0)
        gradient += weight / weight.sum()
        gradient[i] -= 1.0
    return gradient[:, None] / N


def blocks_of(penalty, b):
    """b cut into the pieces whose norms, each times the root of the number of rows, are the penalty."""
    size, width = (1, b.shape[1]) if penalty.name == "rows" else (penalty.size, 1)
    return [
        b[at : at + size, k : k + width] for at in range(0, len(b), size) for k in range(0, b.shape[1], width)
    ]


def size(penalty, b):
    """The penalty at alpha 1."""
    if penalty.name == "slope":
        return sum(
            w * t for w, t in zip(penalty.weights(P), sorted(np.abs(b[:, 0]), reverse=True), strict=True)
        )
    return sum(np.sqrt(len(block)) * np.linalg.norm(block) for block in blocks_of(penalty, b))


def shrunk(penalty, b, t):
    """The minimiser of |x - b|^2 / 2 + t times the penalty of x."""
    out = b.copy()
    if penalty.name == "slope":
        order = np.argsort(-np.abs(b[:, 0]))
        level = isotonic_regression(np.abs(b[order, 0]) - t * penalty.weights(P), increasing=False)
        out[order, 0] = np.sign(b[order, 0]) * np.maximum(level, 0.0)
        return out
    for block in blocks_of(penalty, out):
        block *= max(1.0 - t * np.sqrt(len(block)) / max(np.linalg.norm(block), 1e-300), 0.0)
    return out


def objective(problem, alpha, b, b0):
    return spelt_out(problem, problem.X @ b + b0) + alpha * size(problem.penalty, b)


def solved(problem, alpha):
    """b (p, K) and b0 (K,) by accelerated proximal gradient steps, restarted, step halved as needed."""
    X, width = problem.X, problem.n_responses
    b, b0 = np.zeros((P, width)), np.zeros(width)
    if problem.loss == "poisson":
        b0 += np.log(problem.y.mean())
    z, z0, t, step, value = b, b0, 1.0, 1.0, objective(problem, alpha, b, b0)
    for _ in range(3000):
        gradient = slope(problem, X @ z + z0)
        here, down, down0 = spelt_out(problem, X @ z + z0), X.T @ gradient, gradient.sum(axis=0)
        while True:
            moved, new0 = z - step * down, z0 - step * down0
            new = shrunk(problem.penalty, moved, step * alpha)
            d, d0 = new - z, new0 - z0
            model = np.sum(down * d) + down0 @ d0 + (np.sum(d**2) + d0 @ d0) / (2.0 * step)
            if spelt_out(problem, X @ new + new0) <= here + model + 1e-15:
                break
            step /= 2.0
        fallen = objective(problem, alpha, new, new0)
        following = (1.0 + np.sqrt(1.0 + 4.0 * t * t)) / 2.0 if fallen < value else 1.0
        push = (t - 1.0) / following if fallen < value else 0.0
        z, z0 = new + push * (new - b), new0 + push * (new0 - b0)
        if max(np.abs(new - b).max(), np.abs(new0 - b0).max()) < 1e-13:
            break
        b, b0, t, value = new, new0, following, fallen
    return b, b0


def certified(problem, b, b0):
    """The judge's P and D of the same b (p, K), b0 (K,) at every alpha."""
    L = len(problem.alphas)
    coefs = sparse.csc_matrix(np.repeat(b.T.reshape(-1, 1), L, axis=1))
    return Judge(problem).certify(coefs, np.repeat(np.reshape(b0, (-1, 1)), L, axis=1))


def test_objective_as_spelt_out(problem):
    rng = np.random.default_rng(0)
    b, b0 = rng.standard_normal((P, problem.n_responses)), rng.standard_normal(problem.n_responses)
    certificate = certified(problem, b, b0)
    expected = [objective(problem, alpha, b, b0) for alpha in problem.alphas]
    np.testing.assert_allclose(certificate.primal, expected, rtol=1e-12)


@pytest.mark.parametrize("which", [2, 9])
def test_gap_closes_at_the_solution_and_bounds_the_suboptimality_elsewhere(problem, which):
    judge, rng = Judge(problem), np.random.default_rng(1)
    problem.alphas = problem.alphas[which : which + 1]
    b, b0 = solved(problem, problem.alphas[0])
    at_best = certified(problem, b, b0)
    assert abs(at_best.primal - at_best.dual)[0] < 1e-9 * judge.null
    for noise in (1e-3, 0.03, 0.3):
        away = certified(problem, b + noise * rng.standard_normal(b.shape), b0)
        assert away.dual[0] <= at_best.primal[0] + 1e-12
        assert away.primal[0] - away.dual[0] > 1e-4 * noise * judge.null


def test_intercepts_are_put_right_before_the_residual_is_judged(problem):
    """Wrong intercepts cost P what they cost, and D nothing."""
    problem.alphas = problem.alphas[9:]
    b, b0 = solved(problem, problem.alphas[0])
    right, wrong = certified(problem, b, b0), certified(problem, b, b0 + 0.3 * np.arange(1, len(b0) + 1))
    np.testing.assert_allclose(wrong.dual, right.dual, rtol=1e-10)
    if problem.loss == "cox":
        np.testing.assert_allclose(wrong.primal, right.primal, rtol=1e-10)
    else:
        assert wrong.primal[0] > right.primal[0] + 1e-3


@pytest.fixture
def concave():
    """A gaussian problem with MCP at ten alphas, and a stationary point of the last by coordinate descent."""
    rng = np.random.default_rng(5)
    X = np.asfortranarray(rng.standard_normal((N, P)))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = RESPONSES["gaussian"](rng, linear_predictor(rng, X, 4, 1), 3.0)
    problem = Problem("tiny", "gaussian", X, y, np.empty(0), penalty=MCP(3.0))
    problem.alphas = alpha_grid(problem, 0.1, count=10)
    alpha, b = problem.alphas[-1], np.zeros(P)
    for _ in range(500):
        for j in range(P):
            z = X[:, j] @ (y - X @ b) / N + b[j]
            b[j] = z if abs(z) > 3.0 * alpha else np.sign(z) * max(abs(z) - alpha, 0.0) / (1.0 - 1.0 / 3.0)
    assert {True, False} == set((np.abs(b) > 3.0 * alpha)[b != 0.0])  # some shrunk, some not
    return problem, b


def test_concave_objective_as_spelt_out(concave):
    problem, b = concave
    certificate = certified(problem, b[:, None], np.zeros(1))
    for alpha, primal in zip(problem.alphas, certificate.primal, strict=True):
        pieces = [alpha * t - t * t / 6.0 if t <= 3.0 * alpha else 1.5 * alpha**2 for t in np.abs(b)]
        expected = spelt_out(problem, (problem.X @ b)[:, None]) + sum(pieces)
        np.testing.assert_allclose(primal, expected, rtol=1e-12)


def test_violation_is_the_steepest_descent_along_a_column(concave):
    """Zero at the stationary point; elsewhere as difference quotients of the objective have it."""
    problem, b = concave
    problem.alphas = problem.alphas[-1:]
    assert certified(problem, b[:, None], np.zeros(1)).violation[0] < 1e-12
    away = b + np.where(np.arange(P) % 2, 0.05, 0.0)
    step, falls = 1e-7, []
    here = certified(problem, away[:, None], np.zeros(1)).primal[0]
    for j in range(P):
        for direction in (-step, step):
            moved = away + direction * (np.arange(P) == j)
            falls.append((here - certified(problem, moved[:, None], np.zeros(1)).primal[0]) / step)
    violation = certified(problem, away[:, None], np.zeros(1)).violation[0]
    assert violation > 0.1
    np.testing.assert_allclose(violation, max(falls) / problem.alphas[0], rtol=1e-4)
