"""Folds: how they are drawn, what a splitter sees, and what counts in training and in scores."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from several_outputs import make_outputs
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)
from support import make_problem

import riata

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings(r"ignore:(ys\[.\]. )?the best alpha is the last of the grid")

TIGHT = {"tol": 1e-12}


def sets(folds):
    return {tuple(sorted(rows.tolist())) for rows in folds}


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox"])
def test_as_many_folds_as_samples_are_leave_one_out(loss):
    X, y = make_problem(loss, 18, 4)
    if loss == "cox":
        y[:, 1] = np.arange(18) % 2
    ours = riata.cv_path(X, y, loss=loss, cv=18, alphas=5)
    theirs = riata.cv_path(X, y, loss=loss, cv=LeaveOneOut(), alphas=5)
    assert sets(ours.folds) == sets(theirs.folds)
    assert_allclose(ours.mean_score, theirs.mean_score, rtol=1e-8)


@pytest.mark.parametrize("estimator", [False, True])
@pytest.mark.parametrize("k", [2, 3])
def test_more_folds_than_any_class_has_members(k, estimator):
    """Ten folds of 9 + 9 (+ 9): each fold holds as many of each class as any other, or one fewer."""
    y = np.arange(9 * k) % k
    X = np.random.default_rng(0).standard_normal((len(y), 3))
    loss = "binomial" if k == 2 else "multinomial"
    if estimator:
        folds = riata.SparseLogisticRegressionCV(cv=10, alphas=3).fit(X, y).cv_result_.folds
    else:
        folds = riata.cv_path(X, y, loss=loss, cv=10, alphas=3).folds
    counts = np.array([np.bincount(y[rows], minlength=k) for rows in folds])
    assert counts.sum() == len(y)
    assert np.ptp(counts, axis=0).max() <= 1
    assert np.ptp(counts.sum(axis=1)) <= 1


@pytest.mark.parametrize("loss", ["binomial", "cox"])
@pytest.mark.parametrize("seed", range(4))
def test_groups_are_stratified(loss, seed):
    """Two of ten patients are cases: five folds can only be fitted when these are in different ones."""
    patient = np.repeat(np.arange(10), 6)
    rng = np.random.default_rng(0)
    X, case = rng.standard_normal((60, 4)), np.isin(patient, [0, 5]).astype(float)
    y = case if loss == "binomial" else np.column_stack([rng.exponential(size=60), case])
    cv = riata.cv_path(X, y, loss=loss, cv=5, groups=patient, random_state=seed, alphas=4)
    assert all(np.isin(patient, patient[rows]).sum() == len(rows) for rows in cv.folds)
    assert max(case[rows].sum() for rows in cv.folds) == 6
    assert {len(rows) for rows in cv.folds} == {12}


@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
def test_groups_are_shuffled(loss):
    X, y = make_problem(loss, 60, 4)
    patient = np.repeat(np.arange(20), 3)
    drawn = [
        sets(riata.cv_path(X, y, loss=loss, groups=patient, cv=5, alphas=2, random_state=s).folds)
        for s in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    plain = riata.LassoCV(cv=5, alphas=2).fit(X, y, groups=patient)
    assert sets(plain.cv_result_.folds) == sets(test for _, test in GroupKFold(5).split(X, y, patient))


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        (np.repeat(np.arange(3), 20), ValueError, r"cv must be at most the number of groups, 3, got 5"),
        (np.arange(59), ValueError, r"one label per sample, shape \(60,\), got shape \(59,\)"),
        (np.r_[np.nan, np.arange(59)], ValueError, "groups must hold a label for every .* nan at position 0"),
        (pd.Series([None] + ["a", "b"] * 29 + ["c"], dtype=object), ValueError, "got None at position 0"),
        (np.array([1, "a"] * 30, dtype=object), TypeError, "groups must hold labels of one kind"),
    ],
)  # fmt: skip
def test_bad_groups(groups, error, message):
    X, y = make_problem(n=60, p=4)
    with pytest.raises(error, match=message):
        riata.cv_path(X, y, cv=5, groups=groups)


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "multinomial", "cox"])
def test_weights_of_zero_in_blocks_are_samples_that_are_absent(loss):
    if loss == "multinomial":
        X, y = make_outputs(loss, 80, 5, 3)
    else:
        X, y = make_problem(loss, 80, 5)
    weights = np.where(np.arange(80) < 30, 0.0, 1.0)
    kept = np.flatnonzero(weights)
    given = {"loss": loss, "cv": 4, "alphas": 6, "eps": 0.1, **TIGHT}
    a = riata.cv_path(X, y, sample_weight=weights, **given)
    b = riata.cv_path(X[kept], y[kept], **given)
    assert sets(kept[rows] for rows in b.folds) == sets(a.folds)
    assert_allclose(a.scores, b.scores, rtol=1e-6)
    if loss == "gaussian":
        a = riata.LassoCV(cv=4, **TIGHT).fit(X, y, weights)
        b = riata.LassoCV(cv=4, **TIGHT).fit(X[kept], y[kept])
        assert a.alpha_ == pytest.approx(b.alpha_)
        several = riata.cv_multi_path(X, [y], sample_weight=weights, cv=4, alphas=6, eps=0.1, **TIGHT)
        assert_allclose(several[0].mean_score, riata.cv_path(X, y, sample_weight=weights, **given).mean_score)


class Looker:
    """Splits as KFold does, and keeps what it was shown."""

    def split(self, X, y=None, groups=None):
        self.shown = (X, y, groups)
        return KFold(3).split(np.arange(len(y)))

    def get_n_splits(self, X=None, y=None, groups=None):
        return 3


@pytest.mark.parametrize(
    "fit",
    [
        lambda X, y, label, groups, cv: riata.cv_path(X, label, loss="binomial", cv=cv, groups=groups),
        lambda X, y, label, groups, cv: riata.LassoCV(cv=cv).fit(X, y, groups=groups),
        lambda X, y, label, groups, cv: riata.SparseLogisticRegressionCV(cv=cv).fit(X, label, groups=groups),
        lambda X, y, label, groups, cv: riata.RelaxedLassoCV(cv=cv).fit(X, y, groups=groups),
        lambda X, y, label, groups, cv: riata.AdaptiveLassoCV(cv=cv).fit(X, y, groups=groups),
        lambda X, y, label, groups, cv: riata.MCPRegressorCV(cv=cv).fit(X, y, groups=groups),
    ],
)
def test_a_splitter_sees_what_was_given(fit):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((60, 4)), columns=list("abcd"))
    y = X["a"] + 0.5 * rng.standard_normal(60)
    label = pd.Series(np.where(y + rng.standard_normal(60) > 0, "case", "control"))
    groups = np.array(["north", "south"])[rng.integers(0, 2, 60)]
    looker = Looker()
    fit(X, y, label, groups, looker)
    seen_X, seen_y, seen_groups = looker.shown
    assert seen_X is X
    assert seen_y is y or seen_y is label
    assert seen_groups is groups


def test_a_splitter_of_several_responses_sees_the_rows_whose_response_is_known():
    X, y = make_problem(n=40, p=4)
    y[:4] = np.nan
    looker = Looker()
    riata.cv_multi_path(X, [y], cv=looker, alphas=3)
    assert_array_equal(looker.shown[0], X[4:])
    assert_array_equal(looker.shown[1], y[4:])


def test_stratifying_splitters_take_events_for_classes():
    X, y = make_problem("cox", 60, 4)
    cv = riata.cv_path(X, y, loss="cox", cv=StratifiedKFold(4), alphas=3)
    assert sets(cv.folds) == sets(test for _, test in StratifiedKFold(4).split(X, y[:, 1]))
    patient = np.repeat(np.arange(20), 3)
    cv = riata.cv_path(X, y, loss="cox", cv=StratifiedGroupKFold(4), groups=patient, alphas=3)
    assert all(np.isin(patient, patient[rows]).sum() == len(rows) for rows in cv.folds)


@pytest.mark.parametrize("k", [2, 3])
def test_a_class_that_training_rows_lack_is_named(k):
    X = np.random.default_rng(0).standard_normal((30, 3))
    y = np.array(["a", "b", "c"])[np.arange(30) % (k - 1)]
    y[3] = "rare"
    loss = "binomial" if k == 2 else "multinomial"
    with pytest.raises(ValueError, match=r"cv: y of the training rows of split \d must hold"):
        riata.cv_path(X, y, loss=loss, cv=5)
    with pytest.raises(ValueError, match=r"cv: y of the training rows of split \d must hold"):
        riata.SparseLogisticRegressionCV(cv=5).fit(X, y)


def labels(k, n=60, seed=2):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    score = X[:, 0] - X[:, 2] + rng.standard_normal(n)
    return X, np.digitize(score, [1.0] if k == 2 else [-0.5, 1.5]), rng.integers(0, 3, n)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 0.5, 1: 3.0, 2: 1.0}])
@pytest.mark.parametrize("k", [2, 3])
def test_class_weights_of_weighted_samples_are_those_of_copies(k, class_weight):
    X, y, weights = labels(k)
    rows = np.repeat(np.arange(60), weights)
    model = riata.SparseLogisticRegression(C=1.0, class_weight=class_weight, **TIGHT)
    copied = model.fit(X[rows], y[rows]).coef_
    assert_allclose(model.fit(X, y, weights).coef_, copied, atol=1e-6)
    peer = LogisticRegression(
        C=1.0, l1_ratio=1.0, solver="saga", tol=1e-10, max_iter=10**5, class_weight=class_weight
    )
    assert_allclose(copied, peer.fit(X[rows], y[rows]).coef_, atol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [2, 3])
def test_held_out_scores_are_without_class_weights(k, weighted):
    """Each fold is balanced by the samples it trains on, and scored by the weights that were given."""
    X, y, weights = labels(k)
    given = weights.astype(float) if weighted else None
    splits = list(StratifiedKFold(3).split(X, y))
    cv = riata.SparseLogisticRegressionCV(alphas=[0.1, 0.02], cv=splits, class_weight="balanced", **TIGHT)
    found = cv.fit(X, y, given).score_path_
    for i, alpha in enumerate([0.1, 0.02]):
        for j, (train, test) in enumerate(splits):
            model = riata.SparseLogisticRegression(alpha=alpha, class_weight="balanced", **TIGHT)
            model.fit(X[train], y[train], None if given is None else given[train])
            share = model.predict_proba(X[test])
            held = None if given is None else given[test]
            assert found[i, j] == pytest.approx(2.0 * log_loss(y[test], share, sample_weight=held), rel=1e-5)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({0: -1.0, 1: 1.0}, r"class_weight of class 0 must be >= 0, got -1"),
        ({0: np.nan, 1: 1.0}, r"class_weight of class 0 must be .*got nan"),
        ({0: np.inf, 1: 1.0}, r"class_weight of class 0 must be .*got inf"),
        ({"a": 1.0}, r"class_weight must hold weights of the classes \[0, 1\], got 'a'"),
        ("even", r"class_weight must be None, 'balanced' or a dict of weights, got 'even'"),
    ],
)
def test_bad_class_weights(class_weight, message):
    X, y, _ = labels(2)
    for kind in (riata.SparseLogisticRegression, riata.SparseLogisticRegressionCV):
        with pytest.raises(ValueError, match=message):
            kind(class_weight=class_weight).fit(X, y)


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox"])
def test_repeats_draw_again_and_again(loss):
    """The first draw is that of one; the standard error is that of one cross-validation, not of more data."""
    X, y = make_problem(loss, 60, 6)
    given = {"loss": loss, "cv": 4, "alphas": 5, "eps": 0.1, **TIGHT}
    one, three = (riata.cv_path(X, y, repeats=k, **given) for k in (1, 3))
    assert len(three.folds) == 12
    assert (one.repeats, three.repeats) == (1, 3)
    assert "4 folds drawn 3 times" in repr(three)
    assert three.folds_made.startswith("4 folds drawn 3 times at random (seed 0)")
    assert len({frozenset(sets(three.folds[k : k + 4])) for k in (0, 4, 8)}) == 3
    for k in (0, 4, 8):
        assert_array_equal(np.sort(np.concatenate(three.folds[k : k + 4])), np.arange(60))
    for a, b in zip(one.folds, three.first_folds, strict=True):
        assert_array_equal(a, b)
    assert_allclose(three.scores[:, :4], one.scores)
    assert_allclose(three.oof_link, one.oof_link)
    draws = [three.scores[:, k : k + 4] for k in (0, 4, 8)]
    size = np.array([len(rows) for rows in three.folds[:4]]) / 60
    means = [draw @ size for draw in draws]
    errors = [((draw - m[:, None]) ** 2 @ size) / 3 for draw, m in zip(draws, means, strict=True)]
    assert_allclose(three.mean_score, np.mean(means, axis=0))
    assert_allclose(three.se_score, np.sqrt(np.mean(errors, axis=0)))


def test_repeats_of_a_splitter_are_found():
    X, y = make_problem("gaussian", 60, 4)
    repeated = riata.cv_path(X, y, cv=RepeatedKFold(n_splits=3, n_repeats=4, random_state=1), alphas=4)
    assert repeated.repeats == 4
    first = riata.cv_path(X, y, cv=list(_pairs(repeated))[:3], alphas=4)
    assert_allclose(repeated.oof_link, first.oof_link, atol=1e-6)
    model = riata.LassoCV(cv=RepeatedKFold(n_splits=3, n_repeats=4, random_state=1), alphas=4).fit(X, y)
    assert model.cv_result_.repeats == 4
    assert riata.cv_path(X, y, cv=ShuffleSplit(4, random_state=0), alphas=4).repeats == 1
    with pytest.raises(ValueError, match="repeats must be 1 unless cv is an integer, got 2"):
        riata.cv_path(X, y, cv=KFold(3), repeats=2)
    with pytest.raises(ValueError, match="repeats must be >= 1, got 0"):
        riata.cv_path(X, y, repeats=0)


def _pairs(cv):
    for rows in cv.folds:
        yield np.setdiff1d(np.arange(60), rows), rows


def test_several_responses_take_groups_and_repeats():
    """Those of the samples whose response is known."""
    X, y = make_problem("gaussian", 60, 4)
    patient = np.repeat(np.arange(20), 3)
    other = np.where(np.arange(60) < 9, np.nan, y)
    given = {"cv": 3, "groups": patient, "repeats": 2, "alphas": 4, "eps": 0.1, **TIGHT}
    several = riata.cv_multi_path(X, [y, other], **given)
    assert_allclose(several[0].mean_score, riata.cv_path(X, y, **given).mean_score, rtol=1e-6)
    apart = riata.cv_path(X[9:], other[9:], **{**given, "groups": patient[9:]})
    assert_allclose(several[1].mean_score, apart.mean_score, rtol=1e-6)
    assert several[1].repeats == 2
    assert "whole groups together" in several[1].folds_made
    with pytest.raises(ValueError, match=r"groups must hold one label per sample, shape \(60,\)"):
        riata.cv_multi_path(X, [y, other], groups=patient[9:], cv=3)


def test_windows_that_expand_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    time = rng.permutation(30)
    order = np.argsort(time)
    for ours, theirs in zip(
        riata.ExpandingWindows(4).split(time, groups=time), TimeSeriesSplit(4).split(time), strict=True
    ):
        for a, b in zip(ours, theirs, strict=True):
            assert_array_equal(np.sort(time[a]), b)
            assert_array_equal(np.sort(a), np.sort(order[b]))
    for ours, theirs in zip(
        riata.ExpandingWindows(4).split(time), TimeSeriesSplit(4).split(time), strict=True
    ):
        assert_array_equal(ours[0], theirs[0])
        assert_array_equal(ours[1], theirs[1])


@pytest.mark.parametrize("kind", [int, "datetime64[D]", "datetime64[ns]", str])
def test_samples_of_one_time_are_never_parted(kind):
    days = np.random.default_rng(1).choice([3, 4, 5, 7, 8, 9], 50, p=[0.7, 0.1, 0.05, 0.05, 0.05, 0.05])
    splits = list(riata.ExpandingWindows(3).split(days, groups=days.astype(kind)))
    assert len(splits) == 3
    tested = [set(days[test]) for _, test in splits]
    for (train, test), seen in zip(splits, tested, strict=True):
        assert days[train].max() < days[test].min()
        assert seen == set(days[(days >= days[test].min()) & (days <= days[test].max())])
    assert set().union(*tested) == {3, 4, 5, 7, 8, 9} - set(days[splits[0][0]])
    X, y = make_problem("gaussian", 50, 4)
    cv = riata.cv_path(X, y, cv=riata.ExpandingWindows(3), groups=days.astype(kind), alphas=3)
    assert [set(days[rows]) for rows in cv.folds] == tested
    assert cv.folds_made == "3 expanding windows in order of time, each tested on what follows it"


def test_windows_need_times():
    with pytest.raises(ValueError, match="n_splits must be less than the number of distinct times, 3"):
        list(riata.ExpandingWindows(3).split(None, groups=[1, 2, 3, 3]))
    missing = np.array(["2001-01-01", "NaT", "2002-01-01"], dtype="datetime64[ns]")
    with pytest.raises(ValueError, match=r"groups must hold a label for every sample, got .* at position 1"):
        list(riata.ExpandingWindows(1).split(None, groups=missing))


def test_given_folds():
    X, y = make_problem("gaussian", 60, 4)
    fold = np.array(["b", "a", "c"])[np.arange(60) % 3]
    cv = riata.cv_path(X, y, cv=LeaveOneGroupOut(), groups=fold, alphas=3)
    assert [set(fold[rows]) for rows in cv.folds] == [{"a"}, {"b"}, {"c"}]
