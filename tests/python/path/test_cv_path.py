"""Cross-validated paths against fits to each training set by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import metrics
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)
from support import make_problem

import riata

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

TIGHT = {"tol": 1e-12}


def scores_by_hand(X, y, splits, alphas, score, *, loss, weights=None, **options):
    out = np.empty((len(alphas), len(splits)))
    for k, (train, test) in enumerate(splits):
        kept = None if weights is None else weights[train]
        path = riata.fit_path(X[train], y[train], loss=loss, alphas=alphas, sample_weight=kept, **options)
        for i, mean in enumerate(path.predict(X[test]).T):
            out[i, k] = score(y[test], mean, None if weights is None else weights[test])
    return out


SCORES = {
    "mse": lambda y, mean, w: metrics.mean_squared_error(y, mean, sample_weight=w),
    "mae": lambda y, mean, w: metrics.mean_absolute_error(y, mean, sample_weight=w),
    "auc": lambda y, mean, w: metrics.roc_auc_score(y, mean, sample_weight=w),
    "deviance": lambda y, mean, w: 2.0 * metrics.log_loss(y, mean, sample_weight=w),
    "misclassification": lambda y, mean, w: 1.0 - metrics.accuracy_score(y, mean > 0.5, sample_weight=w),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scoring", list(SCORES))
def test_scores_are_those_of_fits_without_the_fold(scoring, weighted):
    loss = "gaussian" if scoring in ("mse", "mae") else "binomial"
    X, y = make_problem(loss, 40, 30)
    weights = np.random.default_rng(3).uniform(0.5, 2.0, 40) if weighted else None
    splits = list(StratifiedKFold(4).split(X, y > np.median(y)))
    cv = riata.cv_path(
        X, y, loss=loss, cv=splits, scoring=scoring, alphas=8, eps=0.05, sample_weight=weights, **TIGHT
    )
    expected = scores_by_hand(X, y, splits, cv.alphas, SCORES[scoring], loss=loss, weights=weights, **TIGHT)
    assert_allclose(cv.scores, expected, atol=1e-5)
    sizes = np.array([len(test) if weights is None else weights[test].sum() for _, test in splits])
    assert_allclose(cv.mean_score, np.average(cv.scores, axis=1, weights=sizes))
    better = np.argmax if scoring == "auc" else np.argmin
    assert cv.alpha_min == cv.alphas[better(cv.mean_score)]
    assert cv.alpha_1se >= cv.alpha_min


def test_the_path_is_the_fit_to_all_samples():
    X, y = make_problem()
    cv = riata.cv_path(X, y, cv=5, alphas=20, **TIGHT)
    path = riata.fit_path(X, y, alphas=20, **TIGHT)
    assert_allclose(cv.path.alphas, path.alphas)
    assert_allclose(cv.path.coefs.toarray(), path.coefs.toarray(), atol=1e-6)


def test_one_standard_error_rule():
    """The largest alpha whose mean is within one standard error of the best (glmnet's rule)."""
    X, y = make_problem(noise=2.0)
    cv = riata.cv_path(X, y, cv=5)
    best = np.argmin(cv.mean_score)
    spread = np.sqrt(((cv.scores[best] - cv.mean_score[best]) ** 2).mean() / 4)
    assert_allclose(cv.se_score[best], spread)
    limit = cv.mean_score[best] + spread
    assert cv.alpha_1se == max(a for a, m in zip(cv.alphas, cv.mean_score, strict=True) if m <= limit)
    assert riata.cv_path(X, y, cv=5, alpha_rule="1se").alpha == cv.alpha_1se
    assert cv.alpha == cv.alpha_min


def test_time_series_splits_leave_the_future_out():
    """Rows in neither part of a split must not matter."""
    X, y = make_problem(n=60)
    splits = list(TimeSeriesSplit(3, test_size=10).split(X))
    cv = riata.cv_path(X, y, cv=TimeSeriesSplit(3, test_size=10), alphas=8, eps=0.1, **TIGHT)
    expected = scores_by_hand(X, y, splits, cv.alphas, SCORES["mse"], loss="gaussian", **TIGHT)
    assert_allclose(cv.scores, expected, rtol=1e-5)
    assert np.sum(cv.fold_ids == -1) == 30


@pytest.mark.parametrize(
    "splitter", [RepeatedKFold(n_splits=3, n_repeats=2, random_state=0), ShuffleSplit(4, random_state=0)]
)
def test_folds_may_overlap(splitter):
    X, y = make_problem()
    cv = riata.cv_path(X, y, cv=splitter, alphas=6, eps=0.1, **TIGHT)
    expected = scores_by_hand(
        X, y, list(splitter.split(X)), cv.alphas, SCORES["mse"], loss="gaussian", **TIGHT
    )
    assert_allclose(cv.scores, expected, rtol=1e-5)


def test_bootstrap_rows_and_rows_both_trained_on_and_tested():
    X, y = make_problem()
    rng = np.random.default_rng(0)
    splits = [(rng.integers(0, 40, 40), np.arange(40)) for _ in range(2)]
    cv = riata.cv_path(X, y, cv=splits, alphas=6, eps=0.1, **TIGHT)
    expected = scores_by_hand(X, y, splits, cv.alphas, SCORES["mse"], loss="gaussian", **TIGHT)
    assert_allclose(cv.scores, expected, rtol=1e-4)


def test_samples_of_weight_zero_do_not_count():
    X, y = make_problem(n=60)
    weights = np.ones(60)
    weights[::4] = 0.0
    kept = np.flatnonzero(weights)
    ids = np.arange(60) % 3
    splits = [(np.flatnonzero(ids != k), np.flatnonzero(ids == k)) for k in range(3)]
    inner = [(np.flatnonzero(ids[kept] != k), np.flatnonzero(ids[kept] == k)) for k in range(3)]
    a = riata.cv_path(X, y, cv=splits, sample_weight=weights, alphas=8, **TIGHT)
    b = riata.cv_path(X[kept], y[kept], cv=inner, alphas=8, **TIGHT)
    assert_allclose(a.scores, b.scores, rtol=1e-5)


def test_offset_is_part_of_the_held_out_prediction():
    X, y = make_problem()
    offset = np.linspace(-3.0, 3.0, 40)
    a = riata.cv_path(X, y + offset, offset=offset, cv=4, alphas=8, **TIGHT)
    b = riata.cv_path(X, y, cv=4, alphas=8, **TIGHT)
    assert_allclose(a.scores, b.scores, rtol=1e-5)


def test_integer_folds_are_shuffled_reproducibly_and_stratified():
    X, y = make_problem("binomial", 60)
    a, b, c = (riata.cv_path(X, y, loss="binomial", cv=4, alphas=4, random_state=s) for s in (0, 0, 1))
    assert_array_equal(a.fold_ids, b.fold_ids)
    assert not np.array_equal(a.fold_ids, c.fold_ids)
    cases = [y[rows].sum() for rows in a.folds]
    assert max(cases) - min(cases) <= 1


def test_groups_stay_together():
    X, y = make_problem()
    groups = np.arange(40) // 4
    for folds in (5, GroupKFold(5)):
        cv = riata.cv_path(X, y, cv=folds, groups=groups, alphas=4)
        assert all(len(set(cv.fold_ids[groups == g])) == 1 for g in range(10))


def test_any_number_of_threads_gives_the_same_bits():
    X, y = make_problem("binomial", 60, 200)
    one, two = (riata.cv_path(X, y, loss="binomial", cv=4, alphas=10, n_threads=k) for k in (1, 2))
    assert_array_equal(one.scores, two.scores)
    assert_array_equal(one.fold_gaps, two.fold_gaps)


def test_predict_uses_the_selected_alpha():
    X, y = make_problem()
    cv = riata.cv_path(X, y, cv=4, alphas=20, alpha_rule="1se")
    assert_array_equal(cv.predict(X), cv.path.predict(X, cv.alpha_1se))
    assert_array_equal(cv.predict(X, cv.alpha_min), cv.path.predict(X, cv.alpha_min))
    assert_allclose(cv.predict(X), X @ cv.coef() + cv.intercept(), atol=1e-12)
    assert "alpha_1se" in repr(cv)


@pytest.mark.parametrize(
    ("cv", "error", "message"),
    [
        (1, ValueError, r"cv must be >= 2, got 1"),
        (41, ValueError, r"cv must be at most the number of samples, n_samples=40, got 41"),
        (2.5, TypeError, r"cv must be an integer >= 2, a splitter or pairs"),
        ("five", TypeError, r"cv must be an integer >= 2"),
        ([], ValueError, r"cv must give at least one split"),
        ([(np.arange(10), np.arange(10, 50))], ValueError, r"cv must give row numbers from 0 to 39"),
        ([(np.arange(10), np.array([], dtype=int))], ValueError, r"non-empty 1-D row numbers"),
        ([3], TypeError, r"pairs of \(train, test\)"),
    ],
)
def test_bad_folds(cv, error, message):
    X, y = make_problem()
    with pytest.raises(error, match=message):
        riata.cv_path(X, y, cv=cv)


def test_folds_without_what_they_need():
    X, y = make_problem("binomial")
    y = np.sort(y)
    with pytest.raises(ValueError, match="training rows of split 1 must hold two classes"):
        riata.cv_path(
            X, y, loss="binomial", cv=[(np.arange(0, 40, 2), np.arange(1, 40, 2)), (np.arange(3), [39])]
        )
    with pytest.raises(ValueError, match="held-out rows of split 0 must hold two classes"):
        riata.cv_path(X, y, loss="binomial", scoring="auc", cv=KFold(8))
    weights = np.zeros(40)
    weights[20:] = 1.0
    with pytest.raises(ValueError, match="hold out samples of positive weight, got none in split 0"):
        riata.cv_path(X, X[:, 0], cv=KFold(4), sample_weight=weights)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scoring": "r2"}, r"scoring must be one of \['mse', 'mae'\], got 'r2'"),
        ({"alpha_rule": "best"}, r"alpha_rule must be one of \['min', '1se'\], got 'best'"),
    ],
)
def test_bad_options(options, message):
    X, y = make_problem()
    with pytest.raises(ValueError, match=message):
        riata.cv_path(X, y, **options)


@pytest.mark.parametrize(("loss", "scoring"), [("gaussian", "mse"), ("binomial", "auc")])
def test_scores_are_told_while_they_come(loss, scoring):
    class Watcher:
        def __init__(self):
            self.seen, self.told = [], 0

        def watch_scores(self, name, scores):
            assert name == scoring
            assert len(self.seen) == self.told
            self.seen.append(scores)

        def __call__(self, *state):
            self.told += 1

    X, y = make_problem(loss)
    watcher = Watcher()
    cv = riata.cv_path(X, y, loss=loss, scoring=scoring, cv=4, alphas=12, progress=watcher)
    assert_allclose(np.array(watcher.seen), cv.scores, rtol=1e-12)


@pytest.mark.parametrize("scoring", ["deviance", "mse", "mae"])
def test_held_out_means_that_overflow_score_infinity(scoring):
    """A sample far out, whose count is predicted beyond double; without weight it is as good as absent."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    y = rng.poisson(np.exp(0.5 * X[:, 0])).astype(float)
    folds = [
        (np.flatnonzero(np.arange(60) % 3 != k), np.flatnonzero(np.arange(60) % 3 == k)) for k in range(3)
    ]
    far = X.copy()
    far[7, 0] = 1e5
    given = {
        "loss": "poisson",
        "cv": folds,
        "scoring": scoring,
        "standardize": False,
        "alphas": [10.0, 0.1, 0.01],
    }
    cv = riata.cv_path(far, y, **given)
    assert np.isinf(cv.scores[1:, 1]).all()
    assert np.isfinite(cv.scores[:, [0, 2]][0]).all()
    assert np.isinf(cv.mean_score[1:]).all()
    assert np.isinf(cv.se_score[1:]).all()
    assert cv.alpha_min == cv.alpha_1se == 10.0
    weights = np.where(np.arange(60) == 7, 0.0, 1.0)
    left = riata.cv_path(far, y, sample_weight=weights, **given)
    assert_allclose(left.scores, riata.cv_path(X, y, sample_weight=weights, **given).scores)


def test_the_rule_by_its_earlier_name():
    X, y = make_problem("gaussian", 40, 20)
    expected = riata.cv_path(X, y, cv=3, alphas=10, alpha_rule="1se")
    with pytest.warns(FutureWarning, match="selection is now called alpha_rule"):
        cv = riata.cv_path(X, y, cv=3, alphas=10, selection="1se")
    assert cv.alpha == expected.alpha == expected.alpha_1se
    with pytest.warns(FutureWarning, match="CVPath.selection is now called alpha_rule"):
        assert cv.selection == "1se"
    with pytest.warns(FutureWarning, match="selection is now called alpha_rule"):
        (cv,) = riata.cv_multi_path(X, [y], cv=3, alphas=10, selection="1se")
    assert cv.alpha_rule == "1se"
    with pytest.raises(ValueError, match=r"alpha_rule must be one of \['min', '1se'\], got 'best'"):
        riata.cv_path(X, y, alpha_rule="best")
    with pytest.raises(TypeError, match="selection"):
        riata.fit_path(X, y, selection="1se")
