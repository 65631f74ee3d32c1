"""Cross-validated paths that end where held-out samples say so."""

import numpy as np
import pytest
from sklearn.model_selection import LeaveOneGroupOut

import riata

N, P = 90, 40


def data(loss, seed=3):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, P))
    eta = X[:, 0] - X[:, 1]
    if loss == "binomial":
        return X, (eta + rng.standard_normal(N) > 0).astype(float)
    if loss == "poisson":
        return X, rng.poisson(np.exp(0.5 * eta)).astype(float)
    if loss == "multinomial":
        return X, np.digitize(eta + rng.standard_normal(N), [-0.7, 0.7])
    if loss == "multigaussian":
        return X, eta[:, None] * [1.0, -0.5] + 1.5 * rng.standard_normal((N, 2))
    if loss == "cox":
        time = rng.exponential(np.exp(-eta))
        return X, np.column_stack([time, rng.random(N) < 0.7]).astype(float)
    return X, eta + 1.5 * rng.standard_normal(N)


def end_of(cv, patience):
    """Where the scores of a whole path end it: patience alphas in a row worse than the best so far."""
    cost = cv.mean_score * (-1.0 if cv.scoring in ("auc", "concordance") else 1.0)
    for k in range(len(cost)):
        worse = []
        for i in range(k - patience + 1, k + 1):
            best = int(np.argmin(cost[: max(i, 0) + 1]))
            worse.append(i >= 0 and cost[i] > cost[best] + cv.se_score[best])
        if all(worse):
            return k
    return None


def check_ends(whole, short, patience):
    """The path with patience is the first part of the whole one, and chooses alike."""
    end = end_of(whole, patience)
    assert end is not None
    assert end < len(whole.path) - 1
    assert short.path.stop_reason == "patience"
    assert len(short.path) == end + 1
    np.testing.assert_array_equal(short.path.alphas, whole.path.alphas[: end + 1])
    np.testing.assert_array_equal(short.path.dual_gaps, whole.path.dual_gaps[: end + 1])
    np.testing.assert_allclose(short.scores, whole.scores[: end + 1], rtol=1e-12)
    assert (short.alpha_min, short.alpha_1se) == (whole.alpha_min, whole.alpha_1se)


def both(X, y, patience=5, **arguments):
    whole = riata.cv_path(X, y, **arguments)
    assert whole.path.stop_reason == ""
    return whole, riata.cv_path(X, y, patience=patience, **arguments)


CASES = [
    ("gaussian", "mse"), ("gaussian", "mae"), ("huber", "huber"), ("binomial", "deviance"),
    ("binomial", "auc"), ("poisson", "deviance"), ("multinomial", "deviance"), ("multigaussian", "mse"),
    ("cox", "deviance"),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "scoring"), CASES)
def test_every_loss_ends_by_its_score(loss, scoring):
    X, y = data(loss)
    check_ends(*both(X, y, loss=loss, scoring=scoring, cv=5, alphas=60, eps=1e-3), 5)


def test_sample_weights_groups_and_repeats():
    X, y = data("gaussian")
    weight = np.random.default_rng(0).random(N) + 0.1
    weight[::9] = 0.0
    check_ends(*both(X, y, cv=4, repeats=3, sample_weight=weight, eps=1e-3), 5)
    groups = np.arange(N) % 6
    check_ends(*both(X, y, cv=LeaveOneGroupOut(), groups=groups, eps=1e-3), 5)


def test_order_of_time_and_folds_that_overlap():
    X, y = data("gaussian")
    check_ends(*both(X, y, cv=riata.ExpandingWindows(4), groups=np.arange(N), eps=1e-3), 5)
    given = [(np.arange(N), np.arange(k, N, 3)) for k in range(3)]  # held-out samples take part in the fits
    whole, short = both(X, y, cv=given, eps=1e-3)
    assert end_of(whole, 5) is None
    assert short.path.stop_reason == ""
    assert len(short.path) == len(whole.path)
    given = [(np.setdiff1d(np.arange(N), np.arange(k + 1, N, 3)), np.arange(k, N, 3)) for k in range(3)]
    given += [(train[train % 3 != test[0] % 3], test) for train, test in given]
    check_ends(*both(X, y, cv=given, eps=1e-3), 5)


@pytest.mark.parametrize("loss", ["gaussian", "cox"])
def test_missing_values_stand_at_means_of_each_fold(loss):
    X, y = data(loss)
    X[np.random.default_rng(1).random(X.shape) < 0.03] = np.nan
    check_ends(*both(X, y, loss=loss, cv=5, eps=1e-3, alphas=60, impute="mean"), 5)


def test_offsets_of_survival_times():
    X, y = data("cox")
    offset = 0.5 * np.random.default_rng(2).standard_normal(N)
    check_ends(*both(X, y, loss="cox", cv=5, eps=1e-3, alphas=60, offset=offset), 5)


@pytest.mark.parametrize("penalty", [riata.penalties.GroupLasso(np.arange(P) // 4), riata.penalties.MCP()])
def test_other_penalties(penalty):
    X, y = data("gaussian")
    check_ends(*both(X, y, penalty=penalty, cv=5, alphas=60, eps=1e-3), 5)


def test_given_alphas_count_and_those_on_the_way_to_them_do_not():
    X, y = data("gaussian")
    given = np.geomspace(0.5, 0.002, 12)
    for penalty in (None, riata.penalties.MCP()):
        check_ends(*both(X, y, patience=3, penalty=penalty, cv=5, alphas=given), 3)


def test_a_last_alpha_of_zero_is_left_out_where_the_path_has_ended():
    X, y = data("gaussian")
    given = [*np.geomspace(0.5, 0.002, 12), 0.0]
    whole, short = both(X, y, patience=3, cv=5, alphas=given)
    assert whole.path.alphas[-1] == 0.0
    assert short.path.stop_reason == "patience"
    assert short.path.alphas[-1] > 0.0
    patient = riata.cv_path(X, y, patience=100, cv=5, alphas=given)
    np.testing.assert_array_equal(patient.path.alphas, whole.path.alphas)


def test_outer_folds_end_by_themselves_and_choose_as_along_whole_paths():
    for loss in ("gaussian", "cox"):
        X, y = data(loss)
        whole, short = both(X, y, loss=loss, cv=4, nested=3, alphas=60, eps=1e-3)
        check_ends(whole, short, 5)
        np.testing.assert_array_equal(short.nested.alphas, whole.nested.alphas)
        np.testing.assert_allclose(short.nested.link, whole.nested.link, rtol=1e-9, atol=1e-12)


def test_responses_end_by_themselves():
    X, y = data("gaussian")
    _, other = data("gaussian", seed=8)
    other = X[:, 5] - 2 * X[:, 3] + 0.05 * other
    other[:7] = np.nan
    whole = riata.cv_multi_path(X, [y, other], cv=5, eps=1e-3)
    short = riata.cv_multi_path(X, [y, other], cv=5, eps=1e-3, patience=5)
    check_ends(whole[0], short[0], 5)
    assert end_of(whole[1], 5) != end_of(whole[0], 5)
    for a, b in zip(whole, short, strict=True):
        end = end_of(a, 5)
        assert len(b.path) == (len(a.path) if end is None else end + 1)
        assert (a.alpha_min, a.alpha_1se) == (b.alpha_min, b.alpha_1se)


@pytest.mark.parametrize("loss", ["gaussian", "cox"])
def test_a_fit_that_goes_on_ends_where_one_that_was_not_stopped_does(loss, tmp_path):
    X, y = data(loss)
    arguments = {"loss": loss, "cv": 5, "alphas": 60, "eps": 1e-3, "patience": 5}
    expected = riata.cv_path(X, y, **arguments)
    assert expected.path.stop_reason == "patience"
    state = tmp_path / "state"

    def until(count):
        return lambda done, *_: done < count

    for count in (1, len(expected.path) - 3, len(expected.path)):
        stopped = riata.cv_path(X, y, checkpoint=state, progress=until(count), **arguments)
        assert stopped.path.stop_reason == "progress"
        assert len(stopped.path) == count
        again = riata.cv_path(X, y, checkpoint=state, **arguments)
        assert again.path.stop_reason == "patience"
        np.testing.assert_array_equal(again.path.alphas, expected.path.alphas)
        np.testing.assert_array_equal(again.scores, expected.scores)
        np.testing.assert_array_equal(again.path.coefs.data, expected.path.coefs.data)
        assert not state.exists()


def test_a_checkpoint_without_patience_is_of_another_fit(tmp_path):
    X, y = data("gaussian")
    state = tmp_path / "state"
    riata.cv_path(X, y, cv=5, checkpoint=state, progress=lambda done, *_: done < 5)
    with pytest.raises(ValueError, match="patience"):
        riata.cv_path(X, y, cv=5, checkpoint=state, patience=3)


def test_threads_and_progress_change_nothing():
    X, y = data("gaussian")
    told = []
    one = riata.cv_path(X, y, cv=5, eps=1e-3, patience=5, n_threads=1)
    two = riata.cv_path(
        X, y, cv=5, eps=1e-3, patience=5, n_threads=2, progress=lambda done, total, *_: told.append(done)
    )
    np.testing.assert_array_equal(one.scores, two.scores)
    assert told == list(range(1, len(one.path) + 1))


@pytest.mark.parametrize(
    ("given", "error"), [(0, ValueError), (-3, ValueError), (2.5, TypeError), ("off", TypeError)]
)
def test_bad_patience(given, error):
    X, y = data("gaussian")
    with pytest.raises(error, match="patience must be"):
        riata.cv_path(X, y, patience=given)
    with pytest.raises(error, match="patience must be"):
        riata.cv_multi_path(X, [y], patience=given)


def test_fit_path_has_no_held_out_samples_to_be_patient_with():
    X, y = data("gaussian")
    with pytest.raises(TypeError, match="patience"):
        riata.fit_path(X, y, patience=3)


def test_folds_that_are_fitted_one_after_the_other_cannot_end_together():
    X, y = data("gaussian")
    with pytest.raises(ValueError, match="patience must be None with penalty=UniLasso"):
        riata.cv_path(X, y, patience=3, penalty=riata.penalties.UniLasso())
