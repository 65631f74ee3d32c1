"""Cross-validation of several outputs against fits to each training set by hand, and on real data."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from several_outputs import KINDS, NAMES, make_outputs
from sklearn import metrics
from sklearn.model_selection import RepeatedKFold, StratifiedKFold, TimeSeriesSplit
from support import SHARED

import riata

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

TIGHT = {"tol": 1e-12}

every_kind = pytest.mark.parametrize(("loss", "grouped"), KINDS, ids=NAMES)


def codes_of(y):
    return y.argmax(axis=1)


SCORES = {
    "mse": lambda y, mean, w: metrics.mean_squared_error(y, mean, sample_weight=w),
    "mae": lambda y, mean, w: metrics.mean_absolute_error(y, mean, sample_weight=w),
    "deviance": lambda y, mean, w: 2.0 * metrics.log_loss(codes_of(y), mean, sample_weight=w),
    "misclassification": lambda y, mean, w: metrics.zero_one_loss(
        codes_of(y), codes_of(mean), sample_weight=w
    ),
    "auc": lambda y, mean, w: metrics.roc_auc_score(
        codes_of(y), mean, multi_class="ovr", average="macro", sample_weight=w
    ),
}


def scores_by_hand(X, y, splits, alphas, score, *, weights=None, **options):
    out = np.empty((len(alphas), len(splits)))
    for k, (train, test) in enumerate(splits):
        kept = None if weights is None else weights[train]
        path = riata.fit_path(X[train], y[train], alphas=alphas, sample_weight=kept, **options)
        means = path.predict(X[test])
        for i in range(len(alphas)):
            out[i, k] = score(y[test], means[:, :, i], None if weights is None else weights[test])
    return out


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scoring", list(SCORES))
def test_scores_are_those_of_fits_without_the_fold(scoring, weighted):
    loss = "multigaussian" if scoring in ("mse", "mae") else "multinomial"
    X, y = make_outputs(loss, 60)
    weights = np.random.default_rng(3).uniform(0.5, 2.0, len(y)) if weighted else None
    splits = list(StratifiedKFold(3).split(X, codes_of(y)))
    cv = riata.cv_path(
        X, y, loss=loss, cv=splits, scoring=scoring, alphas=6, eps=0.05, sample_weight=weights, **TIGHT
    )
    expected = scores_by_hand(X, y, splits, cv.alphas, SCORES[scoring], loss=loss, weights=weights, **TIGHT)
    assert_allclose(cv.scores, expected, atol=2e-5)
    better = np.argmax if scoring == "auc" else np.argmin
    assert cv.alpha_min == cv.alphas[better(cv.mean_score)]
    assert cv.alpha_1se >= cv.alpha_min


@every_kind
@pytest.mark.parametrize("kind", ["path", "time", "repeated", "trained on"])
def test_every_way_to_split(loss, grouped, kind):
    """Predictors of held-out rows come from the core, or where rows also count in training are computed."""
    X, y = make_outputs(loss, 60)
    if loss == "multinomial":  # every class in every part
        y[:5], y[20:26] = np.eye(3)[[0, 1, 2, 1, 0]], np.eye(3)[[0, 1, 2, 1, 2, 0]]
    splits = {
        "path": [(np.arange(0, 60, 2), np.arange(1, 60, 2)), (np.arange(1, 60, 2), np.arange(0, 60, 2))],
        "time": list(TimeSeriesSplit(2, test_size=10).split(X)),
        "repeated": list(RepeatedKFold(n_splits=2, n_repeats=2, random_state=0).split(X)),
        "trained on": [(np.arange(60), np.arange(30)), (np.arange(60), np.arange(20, 60))],
    }[kind]
    options = {"loss": loss, "grouped": grouped} | TIGHT
    cv = riata.cv_path(X, y, cv=splits, alphas=5, eps=0.1, **options)
    score = SCORES["mse" if loss == "multigaussian" else "deviance"]
    assert_allclose(cv.scores, scores_by_hand(X, y, splits, cv.alphas, score, **options), rtol=2e-5)


@every_kind
def test_held_out_predictions(loss, grouped):
    X, y = make_outputs(loss, 60)
    cv = riata.cv_path(X, y, loss=loss, grouped=grouped, cv=3, alphas=6, eps=0.1, **TIGHT)
    assert cv.oof_link.shape == (60, 3, len(cv.alphas))
    alpha = 0.3 * cv.alphas[2] + 0.7 * cv.alphas[3]
    for k in range(3):
        test = cv.folds[k]
        train = np.setdiff1d(np.arange(60), test)
        path = riata.fit_path(X[train], y[train], loss=loss, grouped=grouped, alphas=cv.alphas, **TIGHT)
        assert_allclose(
            cv.predict_held_out(alpha, kind="link")[test],
            path.predict(X[test], alpha, kind="link"),
            atol=1e-5,
        )
        assert_allclose(cv.predict_held_out(alpha)[test], path.predict(X[test], alpha), atol=1e-5)
    assert_array_equal(cv.predict(X), cv.path.predict(X, cv.alpha))
    assert cv.coef().shape == (X.shape[1], 3)
    assert cv.intercept().shape == (3,)
    assert "3 folds" in repr(cv)


def test_folds_are_stratified_by_class():
    X, y = make_outputs("multinomial", 60)
    labels = np.array(list("abc"))[codes_of(y)]
    cv = riata.cv_path(X, labels, loss="multinomial", cv=4, alphas=4)
    counts = np.array([y[rows].sum(axis=0) for rows in cv.folds])
    assert np.all(np.ptp(counts, axis=0) <= 1)
    again = riata.cv_path(
        X, y, loss="multinomial", cv=StratifiedKFold(4, shuffle=True, random_state=0), alphas=4
    )
    assert_array_equal(cv.fold_ids, again.fold_ids)
    shares = 0.9 * y + 0.1 / 3.0
    assert len(riata.cv_path(X, shares, loss="multinomial", cv=4, alphas=4).folds) == 4


@every_kind
def test_groups_stay_together(loss, grouped):
    X, y = make_outputs(loss, 60)
    groups = np.arange(60) // 4
    cv = riata.cv_path(X, y, loss=loss, grouped=grouped, cv=3, groups=groups, alphas=3, eps=0.3)
    assert all(len(set(cv.fold_ids[groups == g])) == 1 for g in range(15))


@every_kind
def test_any_number_of_threads_gives_the_same_bits(loss, grouped):
    X, y = make_outputs(loss, 60, 100)
    one, two = (
        riata.cv_path(X, y, loss=loss, grouped=grouped, cv=3, alphas=6, eps=0.1, n_threads=k) for k in (1, 2)
    )
    assert_array_equal(one.scores, two.scores)
    assert_array_equal(one.fold_gaps, two.fold_gaps)


@pytest.mark.parametrize(("loss", "scoring"), [("multinomial", "auc"), ("multigaussian", "mae")])
def test_scores_are_told_while_they_come(loss, scoring):
    class Watcher:
        def __init__(self):
            self.seen = []

        def watch_scores(self, name, scores):
            assert name == scoring
            self.seen.append(scores)

        def __call__(self, *state):
            return None

    X, y = make_outputs(loss, 60)
    watcher = Watcher()
    cv = riata.cv_path(X, y, loss=loss, scoring=scoring, cv=3, alphas=6, eps=0.1, progress=watcher)
    assert_allclose(np.array(watcher.seen), cv.scores, rtol=1e-12)


def test_folds_without_a_class():
    X, _ = make_outputs("multinomial", 60)
    labels = np.array(list("abc"))[np.arange(60) // 20]
    common = {"loss": "multinomial", "alphas": 3}
    splits = [(np.arange(40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))]
    with pytest.raises(ValueError, match=r"training rows of split 0 must hold every class .* none of 'c'"):
        riata.cv_path(X, labels, cv=splits, **common)
    splits = [(np.arange(0, 60, 2), np.arange(1, 39, 2))]
    riata.cv_path(X, labels, cv=splits, **common)
    with pytest.raises(ValueError, match=r"scoring='auc': y of the held-out rows of split 0 .* none of 'c'"):
        riata.cv_path(X, labels, cv=splits, scoring="auc", **common)


@pytest.mark.parametrize(
    ("loss", "scoring", "message"),
    [
        ("multinomial", "mse", r"scoring must be one of \['deviance', 'misclassification', 'auc'\]"),
        ("multigaussian", "deviance", r"scoring must be one of \['mse', 'mae'\], got 'deviance'"),
    ],
)
def test_bad_scorings(loss, scoring, message):
    X, y = make_outputs(loss)
    with pytest.raises(ValueError, match=message):
        riata.cv_path(X, y, loss=loss, scoring=scoring)


# Real data, not part of the repository

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="no reference data beside the checkout")


@needs_shared
def test_few_genes_tell_four_tumours_apart():
    """Khan et al. (2001): 63 tumours of four kinds to learn from, 20 to test on."""
    with np.load(SHARED / "khan_srbct.npz") as data:
        X, train = data["X"], data["is_train"] == 1
        kinds = np.array(["BL", "EWS", "NB", "RMS"])[data["y"]]
    cv = riata.cv_path(
        X[train], kinds[train], loss="multinomial", grouped=True, cv=5, alpha_rule="1se", tol=1e-6
    )
    assert cv.path.converged.all()
    assert cv.path.n_active[cv.position] <= 100
    active = cv.coef() != 0.0
    assert_array_equal(active.all(axis=1), active.any(axis=1))
    assert np.mean(cv.predict(X[~train], kind="class") == kinds[~train]) >= 0.95
    model = riata.SparseLogisticRegression(0.05, standardize=True).fit(X[train], kinds[train])
    assert model.score(X[~train], kinds[~train]) >= 0.95


@needs_shared
def test_markers_predict_the_yields_of_four_environments():
    """CIMMYT wheat: 599 lines, 1,279 markers; the folds are those of the source."""
    with np.load(SHARED / "wheat_cimmyt.npz") as data:
        X, Y, ids = data["X"], data["Y"], data["fold"]
    folds = [(np.flatnonzero(ids != k), np.flatnonzero(ids == k)) for k in np.unique(ids)]
    cv = riata.cv_path(X, Y, loss="multigaussian", cv=folds, alphas=12, eps=0.1)
    assert cv.path.converged.all()
    held = cv.predict_held_out()
    correlations = [np.corrcoef(held[:, k], Y[:, k])[0, 1] for k in range(4)]
    assert min(correlations) > 0.2
    assert max(correlations) > 0.4
    assert 5 < cv.path.n_active[cv.position] < 600
    assert cv.mean_score.min() < 0.9 * cv.mean_score[0]
