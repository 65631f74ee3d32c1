"""Storages written in Python: fits on them are those on their dense copies, and odd answers are refused."""

import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import KFold
from support import response_to

import riata


class LowRank(riata.Design):
    """X = A B + S, never formed: factors of rank r and a sparse part."""

    def __init__(self, A, B, S):
        self.A, self.B, self.S = A, B, sp.csc_array(S)
        self.shape = (A.shape[0], B.shape[1])

    def gather(self, columns):
        return self.A @ self.B[:, columns] + self.S[:, columns].toarray()

    def correlate(self, columns, R):
        return self.B[:, columns].T @ (self.A.T @ R) + self.S[:, columns].T @ R

    def multiply(self, columns, B):
        return self.A @ (self.B[:, columns] @ B) + self.S[:, columns] @ B

    def moments(self, columns, weights):
        X = self.gather(columns)
        mean = X.T @ weights
        spread = (X[:, :, None] - mean) ** 2
        return mean, np.einsum("nf,nkf->kf", weights, spread)

    def toarray(self):
        return np.asfortranarray(self.A @ self.B + self.S.toarray())


class Columns(riata.Design):
    """The least: columns of a matrix on request. Notes which thread asks."""

    def __init__(self, X):
        self.X, self.shape = X, X.shape
        self.threads = set()
        self.asked = 0

    def gather(self, columns):
        self.threads.add(threading.get_ident())
        self.asked += 1
        return np.ascontiguousarray(self.X[:, columns])


def low_rank(n=60, p=150, rank=4, seed=0):
    rng = np.random.default_rng(seed)
    A, B = rng.standard_normal((n, rank)), rng.standard_normal((rank, p))
    S = rng.standard_normal((n, p)) * (rng.random((n, p)) < 0.2)
    return LowRank(A, B, S)


def response(loss, X, seed=1):
    rng = np.random.default_rng(seed)
    score = X[:, :3] @ np.array([1.0, -1.0, 0.7]) / X[:, :3].std() + 0.5 * rng.standard_normal(len(X))
    if loss == "multinomial":
        return np.digitize(score, np.quantile(score, [0.3, 0.7]))
    if loss == "multigaussian":
        return np.column_stack([score, -score]) + 0.5 * rng.standard_normal((len(X), 2))
    return response_to(loss, score / score.std(), rng)


def dense_coefs(path):
    coefs = path.coefs if isinstance(path.coefs, list) else [path.coefs]
    return np.stack([part.toarray() for part in coefs])


def assert_same_path(ours, theirs, atol=2e-5):
    assert_allclose(ours.alphas, theirs.alphas, rtol=1e-9)
    assert_allclose(dense_coefs(ours), dense_coefs(theirs), atol=atol * np.abs(dense_coefs(theirs)).max())
    assert np.all(ours.dual_gaps <= ours.tol) or ours.certificate == "kkt"


GROUPS = np.arange(150) // 3
FITS = [
    ("gaussian", {}),
    ("gaussian", {"standardize": False, "l1_ratio": 0.5}),
    ("gaussian", {"fit_intercept": False}),
    ("gaussian", {"l1_ratio": 0.0}),
    ("gaussian", {"solver": "cd"}),
    ("gaussian", {"solver": "prox"}),
    ("gaussian", {"penalty_factor": np.r_[np.zeros(3), np.ones(147)]}),
    ("gaussian", {"penalty": riata.penalties.GroupLasso(GROUPS)}),
    ("gaussian", {"penalty": riata.penalties.SparseGroupLasso(GROUPS, 0.5)}),
    ("gaussian", {"penalty": riata.penalties.GroupLasso([range(20), range(10, 40), range(35, 60)])}),
    ("gaussian", {"penalty": riata.penalties.MCP(3.0)}),
    ("gaussian", {"penalty": riata.penalties.SLOPE(0.1)}),
    ("binomial", {}),
    ("binomial", {"penalty": riata.penalties.GroupLasso(GROUPS)}),
    ("poisson", {}),
    ("cox", {}),
    ("huber", {}),
    ("multinomial", {}),
    ("multinomial", {"grouped": True}),
    ("multigaussian", {}),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("loss", "options"), FITS)
def test_paths_are_those_of_the_dense_copy(loss, options, weighted):
    X = low_rank()
    dense = X.toarray()
    y = response(loss, dense)
    weights = np.random.default_rng(5).random(len(y)) + 0.2 if weighted else None
    common = {"loss": loss, "alphas": 12, "eps": 0.2, "tol": 1e-11, "sample_weight": weights, **options}
    ours, theirs = riata.fit_path(X, y, **common), riata.fit_path(dense, y, **common)
    assert_same_path(ours, theirs)
    new = low_rank(n=20, seed=0)
    new.B = X.B
    assert_allclose(
        ours.predict(new, alpha=ours.alphas[-1]),
        ours.predict(new.toarray(), alpha=ours.alphas[-1]),
        atol=1e-10,
    )


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox"])
@pytest.mark.parametrize("cv", [4, KFold(4)])
def test_cross_validation_is_that_of_the_dense_copy(loss, cv):
    X = Columns(low_rank().toarray())
    y = response(loss, X.X)
    common = {"loss": loss, "alphas": 10, "eps": 0.01, "tol": 1e-11, "cv": cv, "n_threads": 2}
    ours, theirs = riata.cv_path(X, y, **common), riata.cv_path(X.X, y, **common)
    assert_same_path(ours.path, theirs.path)
    assert ours.alpha_min == pytest.approx(theirs.alpha_min)
    assert_allclose(ours.predict(X), theirs.predict(X.X), atol=1e-4)
    assert X.threads == {threading.get_ident()}


@pytest.mark.parametrize(
    ("estimator", "loss"),
    [
        (riata.Lasso(0.05, tol=1e-11), "gaussian"),
        (riata.LassoCV(alphas=8, cv=3, tol=1e-11), "gaussian"),
        (riata.GroupLasso(GROUPS, alpha=0.05, tol=1e-11), "gaussian"),
        (riata.SparseLogisticRegression(alpha=0.02, tol=1e-11), "binomial"),
        (riata.SparsePoissonRegressor(alpha=0.05, tol=1e-11), "poisson"),
        (riata.SparseCox(alpha=0.02, tol=1e-11), "cox"),
        (riata.MultiTaskLasso(0.1, tol=1e-11), "multigaussian"),
    ],
)
def test_estimators_are_those_of_the_dense_copy(estimator, loss):
    from sklearn.base import clone

    X = Columns(low_rank().toarray())
    y = response(loss, X.X)
    ours, theirs = clone(estimator).fit(X, y), clone(estimator).fit(X.X, y)
    size = np.abs(theirs.coef_).max()
    assert size > 0
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-5 * size)
    assert_allclose(ours.predict(X), theirs.predict(X.X), atol=1e-4 * (1 + np.abs(theirs.predict(X.X)).max()))
    assert_allclose(ours.transform(X), theirs.transform(X.X))
    assert ours.n_features_in_ == 150


def test_several_responses_share_the_passes():
    X = low_rank()
    ys = [response("gaussian", X.toarray(), seed) for seed in (1, 2)]
    common = {"alphas": 8, "eps": 0.01, "tol": 1e-11}
    for ours, theirs in zip(
        riata.fit_multi_path(X, ys, **common), riata.fit_multi_path(X.toarray(), ys, **common), strict=True
    ):
        assert_same_path(ours, theirs)
    for ours, theirs in zip(
        riata.cv_multi_path(X, ys, cv=3, **common),
        riata.cv_multi_path(X.toarray(), ys, cv=3, **common),
        strict=True,
    ):
        assert_same_path(ours.path, theirs.path)


def test_names_of_features_are_kept_and_compared():
    X = low_rank()
    X.feature_names = [f"g{j}" for j in range(150)]
    path = riata.fit_path(X, response("gaussian", X.toarray()), alphas=3)
    assert_array_equal(path.feature_names, X.feature_names)
    other = low_rank()
    other.feature_names = ["h0", *X.feature_names[1:]]
    with pytest.raises(ValueError, match="'h0' where the fit had 'g0'"):
        path.predict(other)
    X.feature_names = ["a"]
    with pytest.raises(ValueError, match=r"LowRank.feature_names must hold 150 names, got 1"):
        riata.fit_path(X, np.zeros(60))


def test_a_fit_goes_on_from_its_checkpoint(tmp_path):
    X = low_rank()
    y = response("gaussian", X.toarray())
    file = tmp_path / "fit.checkpoint"
    common = {"alphas": 20, "eps": 0.05}
    riata.fit_path(X, y, checkpoint=file, progress=lambda done, *_: done < 5, **common)
    resumed = riata.fit_path(X, y, checkpoint=file, **common)
    straight = riata.fit_path(X, y, **common)
    assert_array_equal(dense_coefs(resumed), dense_coefs(straight))


def test_memory_is_estimated():
    assert riata.estimate_memory(low_rank(600, 1500)).total > 0


def test_a_pass_asks_once_for_all_columns():
    """Reading is a few calls, not one per column or a block."""
    X = low_rank(80, 400)
    asked = []

    class Counting(LowRank):
        def correlate(self, columns, R):
            asked.append(len(columns))
            return super().correlate(columns, R)

    counting = Counting(X.A, X.B, X.S)
    path = riata.fit_path(counting, response("gaussian", X.toarray()), alphas=20, eps=0.1)
    assert len(asked) <= 2 + 2 * path.counters["rounds"]
    assert max(asked) == 400


def test_what_is_raised_comes_out_as_it_is():
    class Broken(LowRank):
        def correlate(self, columns, R):
            if len(columns) > 10:
                raise ConnectionError("worker 3 is gone")
            return super().correlate(columns, R)

    X = low_rank()
    broken = Broken(X.A, X.B, X.S)
    with pytest.raises(ConnectionError, match=r"^worker 3 is gone$"):
        riata.fit_path(broken, response("gaussian", X.toarray()))
    with pytest.raises(ConnectionError, match=r"^worker 3 is gone$"):
        riata.cv_path(broken, response("binomial", X.toarray()), loss="binomial", cv=3, n_threads=2)


def answering(method, change):
    """A LowRank of which one method gives a changed answer where all columns are asked for."""

    def changed(self, *arguments):
        answer = getattr(LowRank, method)(self, *arguments)
        return change(answer) if method == "gather" or len(arguments[0]) > 10 else answer

    X = low_rank()
    return type("Odd", (LowRank,), {method: changed})(X.A, X.B, X.S)


def put(value, *place):
    def change(answer):
        answer = np.array(answer)
        answer[place] = value
        return answer

    return change


@pytest.mark.parametrize(
    ("method", "change", "error", "message"),
    [
        ("correlate", lambda a: a.astype(np.float32), TypeError,
         r"Odd\.correlate\(\) must return a float64 array of shape \(150, 1\), got an array of float32"),
        ("correlate", lambda a: a.tolist(), TypeError,
         r"Odd\.correlate\(\) must return a float64 array of shape \(150, 1\), got an object of type list"),
        ("correlate", lambda a: a.T, ValueError,
         r"Odd\.correlate\(\) must return an array of shape \(150, 1\), got \(1, 150\)"),
        ("correlate", put(np.nan, 7), ValueError,
         r"Odd\.correlate\(\) must return finite numbers, got nan for column 7"),
        ("gather", lambda a: a[:, :-1], ValueError,
         r"Odd\.gather\(\) must return an array of shape \(60, 6\), got \(60, 5\)"),
        ("gather", put(np.inf, 3, 0), ValueError,
         r"Odd\.gather\(\) must return finite numbers, got inf for column 149"),
        ("moments", lambda a: a[0], TypeError,
         r"Odd\.moments\(\) must return two arrays, means and variances, got an array of float64"),
        ("moments", lambda a: (a[0], a[1][:, 0]), ValueError,
         r"Odd\.moments\(\) must return an array of shape \(150, 1\), got \(150,\)"),
        ("moments", lambda a: (a[0], put(-1e-9, 5)(a[1])), ValueError,
         r"Odd\.moments\(\) must return variances >= 0, summed about the mean, got -1e-09 for column 5"),
    ],
)  # fmt: skip
def test_odd_answers_are_refused(method, change, error, message):
    X = answering(method, change)
    with pytest.raises(error, match=f"^{message}$"):
        riata.fit_path(X, np.arange(60.0))


@pytest.mark.parametrize("method", ["multiply", "correlate", "moments"])
def test_answers_that_are_not_of_one_matrix_are_refused(method):
    """Such as products in single precision, which no certificate could be taken from."""

    class Odd(LowRank):
        pass

    def rounded(self, *arguments):
        answer = getattr(LowRank, method)(self, *arguments)
        if method == "moments":
            return answer[0].astype(np.float32).astype(np.float64), answer[1]
        return answer.astype(np.float32).astype(np.float64)

    setattr(Odd, method, rounded)
    X = low_rank()
    odd = Odd(X.A, X.B, X.S)
    with pytest.raises(ValueError, match=rf"^Odd\.{method}\(\) must agree with Odd\.gather\(\) to 1e-09"):
        riata.fit_path(odd, np.arange(60.0))
    with pytest.raises(ValueError, match=rf"^Odd\.{method}\(\) must agree"):
        riata.Lasso(0.1).fit(odd, np.arange(60.0))


def test_columns_in_another_order_than_asked_for_are_refused():
    class Sorted(LowRank):
        def gather(self, columns):
            return super().gather(np.sort(columns))

    X = low_rank()
    with pytest.raises(
        ValueError, match=r"^Sorted\.(moments|correlate)\(\) must agree with Sorted\.gather\(\)"
    ):
        riata.fit_path(Sorted(X.A, X.B, X.S), np.arange(60.0))


def test_numbers_that_are_not_finite_are_told_by_column():
    X = low_rank().toarray()
    X[4, 77] = np.nan
    with pytest.raises(
        ValueError, match=r"^Columns\.gather\(\) must return finite numbers, got nan for column 77$"
    ):
        riata.fit_path(Columns(X), np.arange(60.0))


@pytest.mark.parametrize("shape", [(5,), (0, 3), (3.0, 4), [3, 4], None])
def test_shapes_are_checked(shape):
    X = Columns(np.ones((3, 4)))
    X.shape = shape
    with pytest.raises(ValueError, match=r"^Columns\.shape must be a tuple of two whole numbers >= 1"):
        riata.fit_path(X, np.arange(3.0))


def test_gather_is_all_that_has_to_be_written():
    with pytest.raises(TypeError, match="gather"):
        type("Nothing", (riata.Design,), {})()


def test_columns_may_have_any_memory_order_and_attributes_any_name():
    """`samples`, `genotypes` or `main` mean something in genotypes, not here."""
    X = Columns(np.asfortranarray(low_rank().toarray()))
    X.samples, X.main, X.effect_allele_count = 60, "main", None
    y = response("gaussian", X.X)
    assert_same_path(
        riata.fit_path(X, y, alphas=5, eps=0.3, tol=1e-11),
        riata.fit_path(X.X, y, alphas=5, eps=0.3, tol=1e-11),
    )


CONTROL_C = """
import os, signal, threading, time
import numpy as np
import riata

signal.signal(signal.SIGINT, signal.default_int_handler)

class Slow(riata.Design):
    shape = (50, 400)
    X = np.random.default_rng(0).standard_normal(shape)

    def gather(self, columns):
        return self.X[:, columns]

    def correlate(self, columns, R):
        if len(columns) > 100:
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            time.sleep(30)
        return super().correlate(columns, R)

try:
    riata.fit_path(Slow(), np.arange(50.0))
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent differently there")
def test_control_c():
    command = [sys.executable, "-c", textwrap.dedent(CONTROL_C)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=25, check=False)
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr


def test_sigint_is_what_it_was():
    before = signal.getsignal(signal.SIGINT)
    riata.fit_path(low_rank(), np.arange(60.0), alphas=3)
    assert signal.getsignal(signal.SIGINT) is before
