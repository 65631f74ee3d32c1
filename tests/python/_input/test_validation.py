"""Bad input: one clear error naming the argument, the value and what is allowed, before any work."""

import numpy as np
import pytest
import scipy.sparse as sp
from support import make_problem

import riata

X, Y = make_problem(n=20, p=6)
CLASSES = (np.median(Y) < Y).astype(float)


def with_value(value, at=(3, 2)):
    bad = X.copy()
    bad[at] = value
    return bad


def csc(indptr=None, indices=None, n=3):
    """A 3 x 2 matrix whose parts are swapped for bad ones behind SciPy's back."""
    good = sp.csc_matrix(np.array([[1.0, 0.0], [2.0, 3.0], [0.0, 4.0]]))
    if indptr is not None:
        good.indptr = np.asarray(indptr, dtype=np.int32)
    if indices is not None:
        good.indices = np.asarray(indices, dtype=np.int32)
    return good


DESIGNS = [
    (np.zeros(5), ValueError, r"X must be 2-D, samples x features, got shape \(5,\)"),
    (np.zeros((2, 3, 4)), ValueError, r"X must be 2-D.* got shape \(2, 3, 4\)"),
    (np.zeros((0, 4)), ValueError, r"at least one sample and one feature, got shape \(0, 4\)"),
    (np.zeros((20, 0)), ValueError, r"at least one sample and one feature, got shape \(20, 0\)"),
    (X.astype(complex), TypeError, r"X must hold real numbers, got complex ones \(complex128\)"),
    (X.astype(str), TypeError, r"X must hold numbers, got values of type <U"),
    (X.astype(object), TypeError, r"X must hold numbers, got values of type object"),
    ([[1.0, 2.0], [3.0]], ValueError, r"X must be a 2-D array of numbers"),
    ("study.bed", TypeError, r"got an object of type str"),
    (None, TypeError, r"got an object of type NoneType"),
    (with_value(np.nan), ValueError, r"X must hold finite numbers only, got NaN or infinity in column 2"),
    (with_value(np.inf, (0, 5)), ValueError, r"got NaN or infinity in column 5"),
    (with_value(-np.inf, (19, 0)), ValueError, r"got NaN or infinity in column 0"),
    (np.asfortranarray(with_value(np.nan)), ValueError, r"column 2"),
    (with_value(np.nan).astype(np.float32), ValueError, r"column 2"),
    (sp.csc_matrix(with_value(np.nan)), ValueError, r"column 2"),
    (sp.csc_matrix(X.astype(complex)), TypeError, r"X must hold real numbers"),
]


@pytest.mark.parametrize(("bad", "error", "message"), DESIGNS)
def test_bad_design(bad, error, message):
    with pytest.raises(error, match=message):
        riata.fit_path(bad, Y)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (csc(indptr=[0, 3, 2]), "indptr"),
        (csc(indptr=[1, 2, 4]), "indptr"),
        (csc(indptr=[0, 2, 9]), "indptr"),
        (csc(indptr=[0, 4]), "indptr"),
        (csc(indices=[0, 1, 1, 3]), "indices"),
        (csc(indices=[0, -1, 1, 2]), "indices"),
    ],
)
def test_malformed_csc(bad, message):
    with pytest.raises(ValueError, match=message):
        riata.fit_path(bad, [1.0, 2.0, 3.0])


def test_unsorted_csc_is_the_same_matrix():
    jumbled = csc(indices=[1, 0, 2, 1])
    jumbled.data = np.array([2.0, 1.0, 4.0, 3.0])
    a, b = (riata.fit_path(Z, [1.0, 2.0, 4.0], alphas=[0.1]) for Z in (jumbled, csc()))
    assert np.array_equal(a.coefs.toarray(), b.coefs.toarray())


ARGUMENTS = [
    ({"y": Y[:-1]}, ValueError, r"y must hold one number per sample of X: 20, got 19"),
    ({"y": np.column_stack([Y, Y])}, ValueError, r"y must be 1-D, one number per sample, got shape \(20"),
    (
        {"y": np.where(np.arange(20) == 4, np.nan, Y)},
        ValueError,
        r"y must hold finite numbers, got nan at position 4",
    ),
    ({"y": Y + 1j}, TypeError, r"y must hold numbers"),
    ({"y": ["a"] * 20}, TypeError, r"y must hold numbers"),
    ({"y": None}, TypeError, r"y must hold one value per sample, got None"),
    (
        {"loss": "hinge"},
        ValueError,
        r"loss must be one of \['gaussian', 'binomial', 'poisson', 'huber', 'cox', .*\], got 'hinge'",
    ),
    ({"loss": 3}, TypeError, r"loss must be one of .* got 3 of type int"),
    (
        {"solver": "newton"},
        ValueError,
        r"solver must be one of \['auto', 'active_set', 'cd', 'prox'\], got 'newton'",
    ),
    (
        {"penalty": "l1"},
        TypeError,
        r"penalty must be None or one of riata.penalties, such as ElasticNet\(l1_ratio\), got 'l1'",
    ),
    (
        {"penalty": riata.penalties.ElasticNet(0.5), "l1_ratio": 0.2},
        ValueError,
        r"l1_ratio must be left out when penalty is given, got 0\.2",
    ),
    ({"alphas": 0}, ValueError, r"alphas must be >= 1, got 0"),
    ({"alphas": []}, ValueError, r"non-empty 1-D sequence, got shape \(0,\)"),
    ({"alphas": [0.1, -0.5]}, ValueError, r"alphas\[1\] == -0\.5, must be >= 0\.0"),
    ({"alphas": [np.inf]}, ValueError, r"alphas must hold finite numbers >= 0, got inf"),
    (
        {"alphas": [0.1, 0.0], "penalty": riata.penalties.SLOPE()},
        ValueError,
        r"alphas must be > 0 with penalty=SLOPE\(q=0\.1\), got 0",
    ),
    ({"alphas": None}, TypeError, r"alphas must be an integer or a sequence of numbers >= 0, got None"),
    ({"alphas": 0.5}, TypeError, r"alphas must be an integer or a sequence of numbers >= 0, got 0\.5"),
    ({"alphas": ["a"]}, TypeError, r"alphas\[0\] must be an instance of float, not str"),
    ({"eps": 0.0}, ValueError, r"eps must be > 0 and <= 1, got 0\.0"),
    ({"eps": 1.5}, ValueError, r"eps must be > 0 and <= 1, got 1\.5"),
    ({"l1_ratio": 1.5}, ValueError, r"l1_ratio must be >= 0 and <= 1, got 1\.5"),
    ({"l1_ratio": "half"}, TypeError, r"l1_ratio must be a number, got 'half' of type str"),
    ({"tol": -1.0}, ValueError, r"tol must be >= 0, got -1\.0"),
    ({"tol": np.nan}, ValueError, r"tol must be >= 0, got nan"),
    ({"tol": True}, TypeError, r"tol must be a number, got True of type bool"),
    ({"max_iter": 0}, ValueError, r"max_iter must be >= 1, got 0"),
    ({"max_iter": 10.0}, TypeError, r"max_iter must be an integer, got 10\.0 of type float"),
    ({"n_threads": 0}, ValueError, r"n_threads must be >= 1, got 0"),
    ({"n_threads": "all"}, TypeError, r"n_threads must be an integer, got 'all' of type str"),
    (
        {"memory": "lots"},
        ValueError,
        r"memory must be a number of bytes, or a size like '800M' or '4G', got 'lots'",
    ),
    ({"memory": -1}, ValueError, r"memory must be > 0, got -1"),
    ({"max_active": 0}, ValueError, r"max_active must be >= 1, got 0"),
    ({"fit_intercept": 1}, TypeError, r"fit_intercept must be True or False, got 1 of type int"),
    ({"standardize": "no"}, TypeError, r"standardize must be True or False, got 'no' of type str"),
    ({"progress": 3}, TypeError, r"progress must be True, False, None or a callable, got 3"),
    (
        {"sample_weight": -np.ones(20)},
        ValueError,
        r"sample_weight must hold finite numbers >= 0, got -1\.0 at position 0",
    ),
    (
        {"sample_weight": np.zeros(20)},
        ValueError,
        r"sample_weight must have a value > 0 for at least one sample",
    ),
    (
        {"sample_weight": np.ones(3)},
        ValueError,
        r"sample_weight must hold one number per sample, shape \(20,\), got shape \(3,\)",
    ),
    (
        {"sample_weight": np.full(20, np.inf)},
        ValueError,
        r"sample_weight must hold finite numbers >= 0, got inf",
    ),
    ({"sample_weight": ["x"] * 20}, TypeError, r"sample_weight must hold numbers"),
    (
        {"offset": np.ones(3)},
        ValueError,
        r"offset must hold one number per sample, shape \(20,\), got shape \(3,\)",
    ),
    ({"offset": np.full(20, np.nan)}, ValueError, r"offset must hold numbers, got nan at position 0"),
    (
        {"penalty_factor": np.ones(5)},
        ValueError,
        r"penalty_factor must hold one number per feature, shape \(6,\)",
    ),
    (
        {"penalty_factor": -np.ones(6)},
        ValueError,
        r"penalty_factor must hold numbers >= 0 .* got -1\.0 at position 0",
    ),
    ({"penalty_factor": np.full(6, np.nan)}, ValueError, r"penalty_factor must hold numbers, got nan"),
    ({"lower": 0.5}, ValueError, r"lower must hold numbers <= 0, got 0\.5"),
    ({"upper": [-1.0] * 6}, ValueError, r"upper must hold numbers >= 0, got -1\.0 at position 0"),
    ({"lower": [0.0]}, ValueError, r"lower must hold one number per feature, shape \(6,\), got shape \(1,\)"),
    ({"exclude": [6]}, ValueError, r"exclude must hold feature numbers from 0 to 5, got \[6\]"),
    ({"exclude": [-1]}, ValueError, r"exclude must hold feature numbers from 0 to 5"),
    ({"exclude": ["age"]}, ValueError, r"exclude may hold names only when X has feature names"),
    ({"exclude": np.array(["age"])}, ValueError, r"exclude may hold names only when X has feature names"),
    ({"exclude": [True]}, ValueError, r"one boolean for each feature, shape \(6,\), got shape \(1,\)"),
    ({"exclude": [0.5]}, TypeError, r"exclude must hold feature numbers, names or a mask"),
]


@pytest.mark.parametrize(("options", "error", "message"), ARGUMENTS)
def test_bad_argument(options, error, message):
    y = options.get("y", Y)
    with pytest.raises(error, match=message):
        riata.fit_path(X, y, **{name: value for name, value in options.items() if name != "y"})


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (np.zeros(20), ValueError, r"y must hold two classes with positive weight, got one class only"),
        (
            ["a"] * 20,
            ValueError,
            r"two classes or numbers from 0 to 1 for the binomial loss, got 1 class: 'a'",
        ),
        (np.arange(20), ValueError, r"two classes .* got 20 classes: 0, 1, 2, 3, \.\.\."),
        (np.where(CLASSES > 0, np.nan, 0.0), ValueError, r"y must hold finite numbers, got nan"),
        (CLASSES[:5], ValueError, r"y must hold one outcome per sample of X: 20, got 5"),
        (np.column_stack([CLASSES, CLASSES]), ValueError, r"y must be 1-D, one outcome per sample"),
    ],
)
def test_bad_outcomes(y, error, message):
    with pytest.raises(error, match=message):
        riata.fit_path(X, y, loss="binomial")


def test_one_class_by_weight():
    with pytest.raises(ValueError, match="two classes with positive weight, got one class only: 0"):
        riata.fit_path(X, CLASSES, loss="binomial", sample_weight=1.0 - CLASSES)


def test_unknown_options_are_refused():
    with pytest.raises(TypeError, match="lambda_"):
        riata.fit_path(X, Y, lambda_=0.1)


def test_prediction_checks_its_input():
    path = riata.fit_path(X, Y, alphas=5)
    with pytest.raises(ValueError, match="X must have the 6 features of the fit, got 5"):
        path.predict(X[:, :5])
    with pytest.raises(ValueError, match=r"kind must be one of \['response', 'link', 'class'\], got 'proba'"):
        path.predict(X, kind="proba")
    with pytest.raises(
        ValueError, match="kind must be 'response' or 'link' for the gaussian loss, got 'class'"
    ):
        path.predict(X, kind="class")
    with pytest.raises(ValueError, match="X must hold finite numbers only"):
        path.predict(np.full_like(X, np.nan))
    with pytest.raises(ValueError, match="alpha must be a finite number"):
        path.predict(X, np.nan)


def test_frames_with_text_name_the_column():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"age": Y, "sex": ["m", "f"] * 10})
    with pytest.raises(TypeError, match="got other values in column 'sex'"):
        riata.fit_path(frame, Y)


def test_penalty_objects():
    assert riata.penalties.ElasticNet().l1_ratio == 1.0
    with pytest.raises(ValueError, match=r"l1_ratio must be >= 0 and <= 1, got 2"):
        riata.penalties.ElasticNet(2)
    a = riata.fit_path(X, Y, penalty=riata.penalties.ElasticNet(0.5), alphas=5)
    b = riata.fit_path(X, Y, l1_ratio=0.5, alphas=5)
    assert np.array_equal(a.coefs.toarray(), b.coefs.toarray())


def test_the_earlier_name_of_active_set_is_understood():
    new, old = (riata.fit_path(X, Y, solver=name, alphas=5) for name in ("active_set", "homotopy"))
    assert np.array_equal(new.coefs.toarray(), old.coefs.toarray())
    assert riata.Lasso(solver="homotopy").fit(X, Y).n_features_in_ == X.shape[1]
