"""Arguments of the path functions: each in its place, earlier names understood, unknown ones refused."""

import inspect
import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import riata
from riata.losses import Cox, Huber
from riata.penalties import ElasticNet

pytestmark = pytest.mark.filterwarnings(r"ignore:(ys\[.\]. )?the best alpha is the last of the grid")

RNG = np.random.default_rng(5)
X = RNG.standard_normal((60, 20))
Y = X[:, 2] - X[:, 5] + RNG.standard_normal(60)
KINDS = np.arange(60) % 3
FEW = {"alphas": [0.2, 0.1]}


def dense(path):
    return np.stack([one.toarray() for one in np.atleast_1d(path.coefs)])


def test_a_run_and_its_shorthand_are_the_same():
    run = riata.RunOptions(solver="cd", max_active=4, n_threads=1)
    one = riata.fit_path(X, Y, run=run)
    other = riata.fit_path(X, Y, solver="cd", max_active=4, n_threads=1)
    assert one.stop_reason == other.stop_reason == "max_active"
    assert set(one.solver) == {"cd"}
    assert_array_equal(dense(one), dense(other))


def test_a_run_at_every_door(tmp_path):
    seen = []

    def watch(done, total, alpha, n_active, gap, passes):
        seen.append(done)

    run = riata.RunOptions(progress=watch, n_threads=1)
    riata.cv_path(X, Y, cv=3, run=run, **FEW)
    riata.fit_multi_path(X, [Y, -Y], run=run, **FEW)
    riata.cv_multi_path(X, [Y], cv=3, run=run, **FEW)
    assert len(seen) >= 6


def test_grouped_sits_in_the_penalty():
    inside = riata.fit_path(X, KINDS, loss="multinomial", penalty=ElasticNet(0.7, grouped=True), **FEW)
    beside = riata.fit_path(X, KINDS, loss="multinomial", l1_ratio=0.7, grouped=True, **FEW)
    apart = riata.fit_path(X, KINDS, loss="multinomial", l1_ratio=0.7, **FEW)
    assert inside.grouped
    assert not apart.grouped
    assert_array_equal(dense(inside), dense(beside))
    assert inside.penalty_parameters == apart.penalty_parameters
    rows = (dense(inside)[:, :, -1] != 0.0).sum(axis=0)
    assert set(rows) <= {0, 3}  # a feature for all classes, or for none
    assert repr(ElasticNet(0.5)) == "ElasticNet(l1_ratio=0.5)"
    assert repr(ElasticNet(0.5, grouped=True)) == "ElasticNet(l1_ratio=0.5, grouped=True)"


def test_the_loss_sits_in_an_object_for_several_responses():
    times = np.column_stack([RNG.exponential(size=60), np.ones(60)])
    entry = 0.1 * times[:, 0]
    loss = Cox(ties="efron", start=entry, strata=KINDS)
    [one] = riata.fit_multi_path(X, [times], loss=loss, **FEW)
    other = riata.fit_path(X, times, loss="cox", ties="efron", start=entry, strata=KINDS, **FEW)
    assert_array_equal(dense(one), dense(other))
    [cv] = riata.cv_multi_path(X, [Y], loss=Huber(0.5), cv=3, **FEW)
    assert cv.path.huber_delta == 0.5


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"solvr": "cd"}, TypeError, r"fit_path\(\) got an unexpected .*'solvr'; did you mean 'solver'"),
        ({"zzzzz": 1}, TypeError, r"unexpected keyword argument 'zzzzz'$"),
        ({"run": {"solver": "cd"}}, TypeError, "run must be riata.RunOptions"),
        ({"run": riata.RunOptions(), "tol": 1e-4, "solver": "cd"}, ValueError, "solver must be left out"),
        ({"run": riata.RunOptions(solver="lars")}, ValueError, "solver must be one of"),
        ({"penalty": ElasticNet(grouped=True)}, ValueError, "grouped must be False unless loss is one of"),
        ({"grouped": True}, ValueError, "grouped must be False unless loss is one of"),
        ({"grouped": "yes"}, TypeError, "grouped must be True or False"),
        ({"penalty": "lasso"}, TypeError, "penalty must be None or one of riata.penalties"),
    ],
)
def test_refuses(given, error, message):
    with pytest.raises(error, match=message):
        riata.fit_path(X, Y, **given)


@pytest.mark.parametrize("function", [riata.cv_path, riata.fit_multi_path, riata.cv_multi_path])
def test_unknown_keywords_name_the_function(function):
    with pytest.raises(TypeError, match=rf"{function.__name__}\(\) got an unexpected keyword"):
        function(X, [Y] if "multi" in function.__name__ else Y, zzzzz=1)


@pytest.mark.parametrize("function", [riata.cv_path, riata.fit_multi_path, riata.cv_multi_path])
def test_signatures_show_the_arguments(function):
    shown = inspect.signature(function).parameters
    for name, one in inspect.signature(riata.fit_path).parameters.items():
        if name not in ("X", "y", "shorthand"):
            assert shown[name].default == one.default


def test_earlier_names_warn():
    with pytest.warns(FutureWarning, match="row_grouped is now called grouped"):
        path = riata.fit_path(X, KINDS, loss="multinomial", row_grouped=True, **FEW)
    with pytest.warns(FutureWarning, match="row_grouped is now called grouped"):
        riata.estimate_memory(X, loss="multinomial", outputs=3, row_grouped=True)
    cv = riata.cv_path(X, Y, cv=3, **FEW)
    for fit, old, new in (
        (path, "row_grouped", "grouped"),
        (path, "stopped", "stop_reason"),
        (cv, "held_out", "oof_link"),
        (riata.conversions(path), "row_grouped", "grouped"),
    ):
        with pytest.warns(FutureWarning, match=f"{old} is now called {new}"):
            assert getattr(fit, old) is getattr(fit, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Path", "RegularizationPath"),
        ("fit_paths", "fit_multi_path"),
        ("cv_paths", "cv_multi_path"),
        ("adaptive_factors", "adaptive_weights"),
        ("equivalents", "conversions"),
        ("Equivalents", "Conversions"),
    ],
)
def test_earlier_names_of_the_package_warn(old, new):
    with pytest.warns(FutureWarning, match=rf"riata\.{old} is now called riata\.{new}"):
        assert getattr(riata, old) is getattr(riata, new)
    assert old not in riata.__all__


def test_archives_keep_the_names_that_earlier_versions_read(tmp_path):
    path = riata.fit_path(X, KINDS, loss="multinomial", grouped=True, max_active=3)
    path.save(tmp_path / "path.npz")
    with np.load(tmp_path / "path.npz") as archive:
        meta = json.loads(str(archive["meta"]))
    assert (meta["stopped"], meta["row_grouped"]) == ("max_active", True)
    assert "stop_reason" not in meta
    back = riata.load(tmp_path / "path.npz")
    assert (back.stop_reason, back.grouped) == ("max_active", True)
    cv = riata.cv_path(X, Y, cv=3, **FEW)
    cv.save(tmp_path / "cv.npz")
    assert_array_equal(riata.load(tmp_path / "cv.npz").oof_link, cv.oof_link)


def test_a_name_and_its_earlier_one_are_not_taken_together():
    for function in (riata.fit_path, riata.cv_path):
        with pytest.raises(ValueError, match="row_grouped is the earlier name of grouped"):
            function(X, KINDS, loss="multinomial", grouped=True, row_grouped=False, **FEW)
