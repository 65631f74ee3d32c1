"""Cox's loss: against survival::coxph and its definition, its hazards, estimators and cross-validation."""

import csv
import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from support import cox_value, kkt_violation, make_problem

import riata
from riata import _core
from riata.report.plots import score_label

HERE = Path(__file__).resolve()
COXPH = HERE.parents[2] / "data" / "coxph"
SHARED = Path(os.environ.get("RIATA_SHARED_DATA", HERE.parents[4] / "shared" / "data"))
TIGHT = {"tol": 1e-12}


def read_csv(name):
    with (COXPH / name).open() as file:
        return list(csv.DictReader(file))


DATA = read_csv("data.csv")
FITS = read_csv("fits.csv")


def column(name):
    return np.array([float(row[name]) for row in DATA])


X = np.column_stack([column(name) for name in ("x1", "x2", "x3")])
Y = np.column_stack([column("stop"), column("event")])
OFFSET = column("offset")


def arguments(fit):
    """What riata is given for one of the stored fits."""
    return {
        "ties": fit["ties"],
        "start": column("start") if fit["late"] == "TRUE" else None,
        "strata": [row["stratum"] for row in DATA] if fit["strata"] == "TRUE" else None,
        "sample_weight": column("weight") if fit["weights"] == "TRUE" else None,
    }


def fit_name(fit):
    used = [name for name in ("late", "strata", "weights") if fit[name] == "TRUE"]
    return "-".join([fit["ties"], *used])


def survival_of(given):
    start, strata = given["start"], given["strata"]
    codes = None if strata is None else np.unique(strata, return_inverse=True)[1].astype(float)
    return {"start": start, "strata": codes, "ties": given["ties"]}


@pytest.mark.parametrize("fit", FITS, ids=fit_name)
def test_unpenalised_fits_are_those_of_coxph(fit):
    given = arguments(fit)
    path = riata.fit_path(
        X, Y, loss="cox", offset=OFFSET, penalty_factor=np.zeros(3), alphas=[1.0], **given, **TIGHT
    )
    coef = path.coef(1.0)
    assert path.converged.all()
    assert_allclose(coef, [float(fit[name]) for name in ("x1", "x2", "x3")], rtol=1e-9, atol=1e-11)
    assert_allclose(path.primal * path.weight_sum, -float(fit["loglik"]), rtol=1e-12)

    link = X @ coef + OFFSET
    weights = np.ones(len(X)) if given["sample_weight"] is None else given["sample_weight"]
    survival = survival_of(given)
    core = _core.Survival(Y[:, 1], survival["start"], survival["strata"], fit["ties"] == "efron")
    strata, times, jumps = _core.cox_log_hazards(Y[:, 0], core, weights, link)
    assert_allclose(np.exp(jumps)[(strata == 0) & (times <= 5)].sum(), float(fit["hazard"]), rtol=1e-7)
    c = _core.concordance(Y[:, 0], core, weights, link[:, None])
    assert_allclose(c, float(fit["concordance"]), rtol=1e-12)
    null = _core.cox_objective(Y[:, 0], core, weights, OFFSET[:, None])
    assert_allclose(null * weights.sum(), -float(fit["null"]), rtol=1e-12)


@pytest.mark.parametrize("solver", ["auto", "active_set", "cd", "prox"])
@pytest.mark.parametrize("fit", FITS[::3], ids=fit_name)
def test_penalised_fits_satisfy_kkt(fit, solver):
    """With an offset, an unpenalised feature, a bound and a ridge part, from the definition."""
    given = arguments(fit)
    rng = np.random.default_rng(3)
    wide = np.column_stack([X, rng.standard_normal((len(X), 20))])
    factor, upper = np.ones(23), np.full(23, np.inf)
    factor[1], upper[0] = 0.0, 0.6
    problem = {"offset": OFFSET, "upper": upper, "l1_ratio": 0.9}
    path = riata.fit_path(
        wide,
        Y,
        loss="cox",
        alphas=12,
        eps=0.02,
        penalty_factor=factor,
        solver=solver,
        **problem,
        **given,
        **TIGHT,
    )
    assert path.converged.all()
    assert path.dual_gaps.min() >= -1e-12
    weights = given["sample_weight"]
    for k, alpha in enumerate(path.alphas):
        coef = path.coefs[:, [k]].toarray()[:, 0]
        assert (
            kkt_violation(
                wide,
                Y,
                coef,
                0.0,
                alpha,
                loss="cox",
                factor=factor,
                weights=weights,
                scale=path.scale,
                **problem,
                **survival_of(given),
            )
            <= 3e-6
        )


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_every_certificate_is_a_bound(ties):
    """Rough fits of one path against the exact ones: the dual never passes the minimum."""
    Z, y = make_problem("cox", 40, 80, seed=4)
    sharp = riata.fit_path(Z, y, loss="cox", ties=ties, alphas=20, tol=1e-12)
    for tol in (0.5, 0.1, 1e-2, 1e-4):
        rough = riata.fit_path(Z, y, loss="cox", ties=ties, alphas=sharp.alphas, tol=tol)
        assert np.all(rough.dual <= sharp.primal + 1e-13)
        assert np.all(rough.primal >= sharp.dual - 1e-13)
        assert np.all(rough.dual_gaps <= tol)


# Hazards


def test_separable_times_stay_finite():
    """A feature that orders the events as they come: without a penalty there is no maximum."""
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((40, 60))
    y = np.column_stack([np.argsort(np.argsort(-Z[:, 0])) + 1.0, np.ones(40)])
    path = riata.fit_path(Z, y, loss="cox", eps=1e-4, tol=1e-9)
    assert path.converged.all()
    assert np.isfinite(path.coefs.data).all()
    assert path.deviance_ratio[-1] > 0.99


def test_large_linear_predictors():
    Z, y = make_problem("cox", 40, 10)
    offset = 800.0 * np.sign(Z[:, 0])
    path = riata.fit_path(Z, y, loss="cox", offset=offset, alphas=10, tol=1e-9)
    assert path.converged.all()
    assert np.isfinite(path.coefs.data).all()
    shifted = riata.fit_path(Z, y, loss="cox", offset=offset + 500.0, alphas=10, tol=1e-9)
    assert_allclose(shifted.primal, path.primal, rtol=1e-12)


def test_one_event_and_a_time_of_zero():
    Z, _ = make_problem("cox", 20, 30)
    y = np.column_stack([np.arange(20.0), np.zeros(20)])
    y[0, 1] = 1.0  # at time 0, with everybody at risk
    path = riata.fit_path(Z, y, loss="cox", alphas=10, **TIGHT)
    assert path.converged.all()
    for k, alpha in enumerate(path.alphas):
        coef = path.coefs[:, [k]].toarray()[:, 0]
        assert kkt_violation(Z, y, coef, 0.0, alpha, loss="cox", scale=path.scale) <= 1e-6


def test_strata_without_events_and_of_one_sample_change_nothing():
    Z, y = make_problem("cox", 40, 10)
    more = np.vstack([y, [[3.0, 0.0], [5.0, 0.0], [2.0, 1.0]]])
    strata = np.array(["main"] * 40 + ["none"] * 2 + ["alone"])
    wide = np.vstack([Z, np.zeros((3, 10))])
    a = riata.fit_path(Z, y, loss="cox", alphas=8, standardize=False, **TIGHT)
    b = riata.fit_path(
        wide, more, loss="cox", alphas=a.alphas * 40 / 43, strata=strata, standardize=False, **TIGHT
    )
    assert_allclose(b.coefs.toarray(), a.coefs.toarray(), atol=1e-6)


def test_late_entry_before_every_event_changes_nothing():
    Z, y = make_problem("cox", 40, 30)
    a, b = (riata.fit_path(Z, y, loss="cox", alphas=10, start=s, **TIGHT) for s in (None, np.full(40, -1.0)))
    assert_array_equal(b.coefs.toarray(), a.coefs.toarray())


def test_the_structured_array_and_the_columns_are_the_same():
    Z, y = make_problem("cox")
    structured = np.rec.fromarrays([y[:, 1] == 1.0, y[:, 0]], names="status,days")
    swapped = np.rec.fromarrays([y[:, 0], y[:, 1] == 1.0], names="days,status")
    plain = riata.fit_path(Z, y, loss="cox", alphas=5)
    for other in (structured, swapped, y.tolist()):
        assert_array_equal(riata.fit_path(Z, other, loss="cox", alphas=5).primal, plain.primal)


BAD = {
    "censored": (Y * [1, 0], {}, "y must hold an event with positive weight, got censored times only"),
    "alone": (
        np.column_stack([np.arange(60), np.arange(60) == 59]),
        {},
        "another sample is at risk, got none",
    ),
    "order": (Y[:, ::-1], {}, r"columns are \[time, event\]; got event 3.0"),
    "shape": (Y[:, 0], {}, r"shape \(60, 2\); got shape \(60,\)"),
    "nan": (
        np.where(np.arange(60)[:, None] == 7, np.nan, Y),
        {},
        "y must hold finite times, got nan at position 7",
    ),
    "text": ([["a", "b"]] * 60, {}, "y must hold times and events"),
    "start": (
        Y,
        {"start": Y[:, 0]},
        r"start must hold finite numbers less than the times of y, got 3.0 at position 0",
    ),
    "strata": (
        Y,
        {"strata": [1, 2]},
        r"strata must hold one label per sample, shape \(60,\), got shape \(2,\)",
    ),
    "ties": (Y, {"ties": "exact"}, "ties must be"),
    "fields": (
        np.zeros(60, dtype=[("a", float), ("b", float)]),
        {},
        "two fields, a boolean event and a time",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_survival_times_are_refused(case):
    y, more, message = BAD[case]
    with pytest.raises((ValueError, TypeError), match=message):
        riata.fit_path(X, y, loss="cox", **more)


def test_only_the_cox_loss_has_strata():
    with pytest.raises(ValueError, match="strata must be left out unless loss is 'cox'"):
        riata.fit_path(X, Y[:, 0], strata=np.ones(60))


# Estimators


def test_estimator_is_the_point_of_the_path():
    Z, y = make_problem("cox", 60, 100)
    path = riata.fit_path(Z, y, loss="cox", alphas=[0.1], standardize=False)
    model = riata.SparseCox(alpha=0.1).fit(Z, y)
    assert_array_equal(model.coef_, path.coef(0.1))
    assert model.intercept_ == 0.0
    assert_allclose(model.predict(Z), Z @ model.coef_)
    assert_allclose(path.predict(Z, 0.1), model.predict(Z))
    again = pickle.loads(pickle.dumps(model))
    curves = model.predict_survival_function(Z, return_array=True)
    assert_array_equal(again.predict_survival_function(Z, return_array=True), curves)
    assert clone(model).get_params() == model.get_params()


def test_survival_functions_are_those_of_the_definition():
    given = arguments(FITS[7])  # Efron, late entry, strata
    strata = np.array(given["strata"])
    model = riata.SparseCox(alpha=0.02, ties="efron").fit(X, Y, start=given["start"], strata=strata)
    link = model.predict(X)
    at = [0.0, 2.5, 5.0, 100.0]
    curves = model.predict_survival_function(X, at, strata)
    assert_array_equal(curves[:, 0], 1.0)
    assert np.all(np.diff(curves, axis=1) <= 0.0)
    time, event = Y.T
    for i in (0, 5, 17):
        total = 0.0
        same = strata == strata[i]
        for now in np.unique(time[same & (event == 1) & (time <= 5.0)]):
            at_risk = same & (given["start"] < now) & (now <= time)
            tied = at_risk & (event == 1) & (time == now)
            for k in range(tied.sum()):
                total += 1.0 / (np.exp(link[at_risk]).sum() - k / tied.sum() * np.exp(link[tied]).sum())
        assert_allclose(curves[i, 2], np.exp(-total * np.exp(link[i])), rtol=1e-12)
    with pytest.raises(ValueError, match="strata must be given"):
        model.predict_survival_function(X, at)
    with pytest.raises(ValueError, match="strata must hold labels of the fit, got 'z'"):
        model.predict_survival_function(X, at, np.full(60, "z"))
    plain = riata.SparseCox(alpha=0.02).fit(X, Y)
    curves = plain.predict_survival_function(X, return_array=True)
    assert curves.shape == (60, len(plain.unique_times_))
    with pytest.raises(ValueError, match="strata must be left out"):
        plain.predict_survival_function(X, strata=strata)


STRATA_AS = {
    "objects": lambda labels: labels.astype(object),
    "list": lambda labels: labels.tolist(),
    "Series": lambda labels: pd.Series(labels, index=np.arange(len(labels))[::-1] + 7),
    "category": lambda labels: pd.Series(labels).astype("category"),
    "pandas string": lambda labels: pd.array(labels, dtype="string"),
}


@pytest.mark.parametrize("kind", STRATA_AS)
@pytest.mark.parametrize("labels", [["north", "south", "a long name"], [3, 1, 2]], ids=["text", "numbers"])
def test_strata_may_be_held_in_any_way(labels, kind):
    if kind == "pandas string" and not isinstance(labels[0], str):
        return
    rng = np.random.default_rng(0)
    Z, y = make_problem("cox", 60, 5)
    plain = np.array(labels)[rng.integers(0, 3, 60)]
    held = STRATA_AS[kind](plain)
    for make in (lambda: riata.SparseCox(0.05), lambda: riata.SparseCoxCV(cv=3, alphas=5)):
        expected = make().fit(Z, y, strata=plain)
        model = make().fit(Z, y, strata=held)
        assert_array_equal(model.coef_, expected.coef_)
        right = expected.predict_survival_function(Z, strata=plain, return_array=True)
        assert_array_equal(model.predict_survival_function(Z, strata=held, return_array=True), right)
        assert_array_equal(expected.predict_survival_function(Z, strata=held, return_array=True), right)
    path = riata.fit_path(Z, y, loss="cox", strata=held, alphas=5)
    assert_array_equal(path.primal, riata.fit_path(Z, y, loss="cox", strata=plain, alphas=5).primal)


@pytest.mark.parametrize(
    ("strata", "message"),
    [
        (["a", None] * 30, "a label for every sample, got None at position 1"),
        (["a", np.nan] * 30, "numbers or text, got both|a label for every sample, got nan at position 1"),
        (pd.array(["a", pd.NA] * 30, dtype="string"), "a label for every sample, got <NA> at position 1"),
        (np.array(["a", 1] * 30, dtype=object), "numbers or text, got both"),
        (np.full(60, np.nan), "got NaN or infinity"),
        (np.full(60, "2020-01-01", dtype="M8[D]"), "must hold numbers or text"),
    ],
)
def test_strata_that_are_no_labels(strata, message):
    held = np.array(strata, dtype=object) if isinstance(strata, list) else strata
    with pytest.raises((ValueError, TypeError), match=f"strata must hold .*({message})|strata .*{message}"):
        riata.fit_path(X, Y, loss="cox", strata=held)


def test_strata_without_events_survive():
    Z, y = make_problem("cox", 40, 5)
    strata = np.repeat(["a", "b"], 20)
    y[20:, 1] = 0.0
    model = riata.SparseCox(0.05).fit(Z, y, strata=strata)
    curves = model.predict_survival_function(Z, strata=strata, return_array=True)
    assert np.all(curves[20:] == 1.0)
    assert np.all(curves[:20, -1] < 1.0)
    assert np.all(model.cum_baseline_hazard_["b"].y == 0.0)
    assert_array_equal(model.event_times_, np.unique(y[:20, 0][y[:20, 1] == 1.0]))
    assert model.predict_survival_function(Z, strata=strata)[20](5.0) == 1.0
    absent = riata.SparseCox(0.05).fit(Z, y, strata=strata, sample_weight=np.repeat([1.0, 0.0], 20))
    with pytest.raises(ValueError, match="strata must hold labels of the fit, got 'b'"):
        absent.predict_survival_function(Z, strata=strata)


def cumulative_hazard(y, link, given, row, at):
    """Of a sample whose linear predictor and stratum are those of `row`, from differences of predictors."""
    time, event = y.T
    n = len(y)
    start = np.full(n, -np.inf) if given.get("start") is None else given["start"]
    strata = np.zeros(n) if given.get("strata") is None else np.asarray(given["strata"])
    same, total = strata == strata[row], 0.0
    for now in np.unique(time[same & (event == 1) & (time <= at)]):
        at_risk = same & (start < now) & (now <= time)
        tied = at_risk & (event == 1) & (time == now)
        m = tied.sum()
        for k in range(m):
            share = np.where(tied, 1.0 - (k / m if given.get("ties") == "efron" else 0.0), 1.0)
            total += 1.0 / (share[at_risk] @ np.exp(link[at_risk] - link[row]))
    return total


@pytest.mark.parametrize("ties", ["breslow", "efron"])
@pytest.mark.parametrize("shift", [0.0, 700.0, -2000.0, 1e6])
def test_survival_curves_do_not_depend_on_where_columns_are_centred(shift, ties):
    """Years, prices, positions: the coefficient times the mean of a column is beyond what exp holds."""
    given = {"start": column("start"), "strata": [row["stratum"] for row in DATA]}
    far = X + np.array([shift, -shift, 0.0])
    model = riata.SparseCox(0.005, ties=ties).fit(far, Y, **given)
    assert np.abs(model.coef_).min() > 0.0
    link = X @ model.coef_
    for at in (2.5, 5.0):
        hazard = model.predict_cumulative_hazard_function(far, at, given["strata"])
        right = [cumulative_hazard(Y, link, given | {"ties": ties}, k, at) for k in range(60)]
        assert_allclose(hazard, right, rtol=1e-7)
        assert_allclose(model.predict_survival_function(far, at, given["strata"]), np.exp(-hazard))
    assert_allclose(model.mean_link_, model.predict(far).mean())
    with pytest.warns(FutureWarning, match="use cum_baseline_hazard_"):
        times, baseline = model.baseline_["a"]
    assert_allclose(
        baseline[-1],
        model.predict_cumulative_hazard_function(far[:1], times[-1], ["a"])[0]
        * np.exp(model.mean_link_ - model.predict(far[:1])[0]),
        rtol=1e-7,
    )


def test_survival_curves_of_extreme_predictors_are_probabilities():
    Z, y = make_problem("cox", 40, 10)
    offset = np.where(np.arange(40) % 2, 900.0, -900.0)
    model = riata.SparseCox(0.05).fit(Z, y, offset=offset)
    curves = model.predict_survival_function(Z, offset=offset, return_array=True)
    assert np.isfinite(curves).all()
    assert curves.min() == 0.0
    assert curves.max() == 1.0
    assert np.all(np.diff(curves, axis=1) <= 0.0)
    hazard = model.predict_cumulative_hazard_function(Z, offset=offset, return_array=True)
    assert not np.isnan(hazard).any()


def test_functions_of_time_have_the_names_of_scikit_survival():
    """Callable, with the times of the jumps as x and the values from there on as y."""
    model = riata.SparseCox(alpha=0.02).fit(X, Y)
    at = np.array([0.0, 1.0, 2.5, 5.0, 100.0])
    for name in ("predict_cumulative_hazard_function", "predict_survival_function"):
        predict = getattr(model, name)
        functions = predict(X)
        assert functions.shape == (60,)
        assert_array_equal([f(at) for f in functions], predict(X, at))
        assert_array_equal([f(2.5) for f in functions], predict(X, 2.5))
        assert_array_equal([f.y for f in functions], predict(X, return_array=True))
        assert_array_equal(functions[0].x, model.unique_times_)
        assert_array_equal(functions[0](functions[0].x), functions[0].y)
        assert np.isfinite(functions[0].y).all()
        with pytest.raises(ValueError, match="times must not be NaN"):
            functions[0]([1.0, np.nan])
        with pytest.raises(TypeError, match="return_array must be True or False"):
            predict(X, return_array=1)


def test_baseline_is_that_of_a_linear_predictor_of_zero():
    """Breslow's sum over event times, of events over the hazard ratios at risk, by hand."""
    time, event, z = np.array([1.0, 2.0, 2.0, 3.0, 4.0]), np.array([1, 1, 1, 0, 1]), np.arange(5.0)
    model = riata.SparseCox(alpha=0.01).fit(z[:, None], np.column_stack([time, event]))
    ratio = np.exp(z * model.coef_[0])
    steps = [1 / ratio.sum(), 2 / ratio[1:].sum(), 1 / ratio[4]]
    assert model.coef_[0] != 0.0
    assert_array_equal(model.cum_baseline_hazard_.x, [1.0, 2.0, 3.0, 4.0])
    summed = np.cumsum(steps)[[0, 1, 1, 2]]
    assert_allclose(model.cum_baseline_hazard_.y, summed)
    assert_allclose(model.baseline_survival_.y, np.exp(-summed))
    assert model.baseline_survival_(0.5) == 1.0
    hazard = model.predict_cumulative_hazard_function(z[:, None], 2.0)
    assert_allclose(hazard, ratio * model.cum_baseline_hazard_(2.0))
    strata = np.array(["a", "a", "b", "b", "b"])
    apart = riata.SparseCox(alpha=0.01).fit(z[:, None], np.column_stack([time, event]), strata=strata)
    ratio = np.exp(z * apart.coef_[0])
    assert list(apart.cum_baseline_hazard_) == list(apart.baseline_survival_) == ["a", "b"]
    summed = np.cumsum([0.0, 1 / ratio[2:].sum(), 0.0, 1 / ratio[4]])
    assert_allclose(apart.cum_baseline_hazard_["b"].y, summed)
    assert_allclose(apart.baseline_survival_["b"](2.0), np.exp(-1 / ratio[2:].sum()))


def test_times_of_a_fit():
    """As in scikit-survival `unique_times_` holds times of censoring too; ties of rounding are one time."""
    time, event = np.array([0.3, 1.0, 0.1 + 0.2, 2.0, 4.0, 5.0]), np.array([1, 0, 0, 1, 0, 1])
    weights = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.0])
    y = np.column_stack([time, event])
    model = riata.SparseCox(alpha=0.01).fit(np.arange(6.0)[:, None], y, sample_weight=weights)
    assert_array_equal(model.unique_times_, [0.3, 1.0, 2.0, 4.0])
    assert_array_equal(model.event_times_, [0.3, 2.0])
    chosen = riata.SparseCoxCV(cv=2, alphas=[0.1, 0.05]).fit(X, Y)
    assert_array_equal(chosen.unique_times_, np.unique(Y[:, 0]))
    assert_array_equal(chosen.event_times_, np.unique(Y[Y[:, 1] == 1.0, 0]))


def test_one_time_is_a_number():
    model = riata.SparseCox(alpha=0.02).fit(X, Y)
    for predict in (model.predict_survival_function, model.predict_cumulative_hazard_function):
        several = predict(X, [2.5])
        assert several.shape == (60, 1)
        assert_array_equal(predict(X, 2.5), several[:, 0])
        assert_array_equal(predict(X, np.float32(2.5)), several[:, 0])
    with pytest.raises(ValueError, match="times must hold finite numbers, got inf"):
        model.predict_survival_function(X, np.inf)


# Ties of computed times


def split_ties(time, unit=1.0):
    """The same times, moved by rounding."""
    rng = np.random.default_rng(0)
    return unit * time * (1.0 + rng.integers(-4, 5, len(time)) * 2.0**-52)


@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e12])
@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_computed_times_are_tied(ties, unit):
    """In fits, cross-validation, scores and curves, times that differ by rounding are the same."""
    start = column("start")
    moved, late = np.column_stack([split_ties(Y[:, 0], unit), Y[:, 1]]), split_ties(start, unit)
    assert len(np.unique(moved[:, 0])) > len(np.unique(Y[:, 0]))
    exact = Y * [unit, 1.0]
    given, same = (
        {"loss": "cox", "ties": ties, "start": late},
        {"loss": "cox", "ties": ties, "start": start * unit},
    )
    for scoring in ("deviance", "concordance"):
        cv = riata.cv_path(X, moved, cv=3, alphas=5, scoring=scoring, **given)
        expected = riata.cv_path(X, exact, cv=3, alphas=5, scoring=scoring, **same)
        assert_allclose(cv.scores, expected.scores, rtol=1e-12)
        assert_allclose(cv.path.primal, expected.path.primal, rtol=1e-12)
    model = riata.SparseCox(0.02, ties=ties).fit(X, moved, start=late)
    right = riata.SparseCox(0.02, ties=ties).fit(X, exact, start=start * unit)
    assert_allclose(model.score(X, moved), right.score(X, exact), rtol=1e-12)
    assert len(model.unique_times_) == len(right.unique_times_)
    at = np.unique(Y[:, 0]) * unit
    expected = right.predict_survival_function(X, at)
    for around in (at, at * (1.0 - 1e-15), at * (1.0 + 1e-15)):
        assert_allclose(model.predict_survival_function(X, around), expected, rtol=1e-9)
    found = riata.evaluate(moved, X[:, 0], loss="cox", start=late).measures["concordance"].value
    assert_allclose(
        found, riata.evaluate(exact, X[:, 0], loss="cox", start=start * unit).measures["concordance"].value
    )


def test_the_example_of_the_sum():
    """0.1 + 0.2 is not 0.3 in binary: with the tie broken the risk set of one of them lacks the other."""
    time = np.array([0.1 + 0.2, 0.3, 0.5, 0.7, 0.2])
    assert time[0] != time[1]
    Z, y = np.array([[1.0], [0.3], [0.2], [2.0], [0.1]]), np.column_stack([time, np.ones(5)])
    path = riata.fit_path(Z, y, loss="cox", alphas=[1.0], penalty_factor=[0.0], **TIGHT)
    exp = np.exp(Z[:, 0] * path.coef(1.0)[0])
    tied = exp[:4].sum()
    right = np.log(exp.sum()) + 2.0 * np.log(tied) + np.log(exp[2] + exp[3]) + np.log(exp[3])
    assert_allclose(5.0 * path.primal[0], right - np.log(exp).sum(), rtol=1e-12)


def test_distinct_times_stay_apart():
    time = 1.0 + 1e-6 * np.arange(60)
    model = riata.SparseCox(0.02).fit(X, np.column_stack([time, np.ones(60)]))
    assert len(model.unique_times_) == 60


def test_entry_at_the_time_but_for_rounding_is_refused():
    with pytest.raises(
        ValueError, match=r"start must hold finite numbers less than the times of y, got 0\.3 at"
    ):
        riata.fit_path(X[:2], [[0.1 + 0.2, 1.0], [1.0, 1.0]], loss="cox", start=[0.3, 0.0])


# Offsets


@pytest.mark.parametrize(
    "make", [lambda: riata.SparseCox(0.05), lambda: riata.SparseCoxCV(alphas=[0.1, 0.05], cv=3)]
)
def test_offsets_of_the_estimators(make):
    given = {"start": column("start"), "strata": [row["stratum"] for row in DATA]}
    model = make().fit(X, Y, offset=OFFSET, **given)
    alpha = getattr(model, "alpha_", 0.05)
    path = riata.fit_path(X, Y, loss="cox", alphas=[0.1, alpha], standardize=False, offset=OFFSET, **given)
    assert_allclose(model.coef_, path.coef(alpha), atol=1e-5)
    assert model.has_offset_
    link = X @ model.coef_ + OFFSET
    assert_allclose(model.predict(X, offset=OFFSET), link)
    assert_allclose(model.predict(X, offset=0), X @ model.coef_)
    hazard = model.predict_cumulative_hazard_function(X, 5.0, given["strata"], OFFSET)
    assert_allclose(hazard, [cumulative_hazard(Y, link, given, k, 5.0) for k in range(60)], rtol=1e-9)
    plain = riata.evaluate(Y, link, loss="cox", **given).measures["concordance"].value
    assert_allclose(model.score(X, Y, offset=OFFSET, **given), plain)
    for ask in (
        lambda: model.predict(X),
        lambda: model.predict_survival_function(X, 5.0, given["strata"]),
        lambda: model.score(X, Y, **given),
    ):
        with pytest.raises(ValueError, match="offset must be given: the model was fitted with one"):
            ask()
    without = make().fit(X, Y, **given)
    assert not without.has_offset_
    assert_allclose(without.predict(X, offset=OFFSET), without.predict(X) + OFFSET)


def test_score_is_the_concordance():
    model = riata.SparseCox(alpha=0.02).fit(X, Y)
    score, (time, event) = model.predict(X), Y.T
    later = (time[None, :] > time[:, None]) | ((time[None, :] == time[:, None]) & (event[None, :] == 0))
    pairs = later & (event[:, None] == 1)
    good = (score[:, None] > score[None, :]) + 0.5 * (score[:, None] == score[None, :])
    assert_allclose(model.score(X, Y), good[pairs].mean(), rtol=1e-14)
    with pytest.raises(ValueError, match="samples that can be compared"):
        model.score(X[:2], [[3.0, 1.0], [3.0, 1.0]])


def test_scikit_learn_drives_it():
    Z, y = make_problem("cox", 80, 30)
    structured = np.rec.fromarrays([y[:, 1] == 1.0, y[:, 0]], names="event,time")
    for target in (y, structured):
        assert cross_val_score(riata.SparseCox(alpha=0.05), Z, target, cv=3).min() > 0.6
    search = GridSearchCV(riata.SparseCox(), {"alpha": [0.01, 0.1, 10.0]}, cv=3).fit(Z, structured)
    assert search.best_params_["alpha"] < 10.0
    assert riata.SparseCox(alpha=0.1).fit(Z, y).transform(Z).shape[1] < 30


# Cross-validation


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_cross_validated_deviance_is_the_difference_of_partial_likelihoods(ties):
    Z, y = make_problem("cox", 45, 12)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, 45)
    ids = np.arange(45) % 3
    folds = [(np.flatnonzero(ids != k), np.flatnonzero(ids == k)) for k in range(3)]
    given = {"loss": "cox", "ties": ties, "sample_weight": weights}
    cv = riata.cv_path(Z, y, cv=folds, alphas=6, eps=0.05, **given, **TIGHT)
    for k, (train, test) in enumerate(folds):
        part = np.where(ids == k, 0.0, weights)
        fold = riata.fit_path(Z, y, alphas=cv.alphas, **(given | {"sample_weight": part}), **TIGHT)
        eta = Z @ fold.coefs.toarray()
        for a in range(len(cv.alphas)):
            whole = weights.sum() * cox_value(y, eta[:, a], weights, ties=ties)
            without = weights[train].sum() * cox_value(y[train], eta[train, a], weights[train], ties=ties)
            expected = 2.0 * (whole - without) / weights[test].sum()
            assert_allclose(cv.scores[a, k], expected, rtol=1e-6)


def test_cross_validation_stratifies_by_event_and_selects():
    Z, y = make_problem("cox", 90, 60, seed=2)
    y[::3, 1] = 0.0
    cv = riata.cv_path(Z, y, loss="cox", cv=5, scoring="concordance", alpha_rule="1se")
    assert cv.scoring == "concordance"
    assert cv.mean_score.max() > 0.7
    events = [y[rows, 1].sum() for rows in cv.folds]
    assert max(events) - min(events) <= 1.0
    model = riata.SparseCoxCV(cv=5).fit(Z, y)
    assert model.alpha_ == model.alpha_min_
    assert model.cv_result_.scoring == "deviance"
    assert model.score(Z, y) > 0.7
    assert model.predict_survival_function(Z[:3], [0.5]).shape == (3, 1)


def test_folds_without_events_are_refused():
    Z, y = make_problem("cox", 20, 5)
    y[:, 1] = np.arange(20) < 4
    few, rest = np.arange(4), np.arange(4, 20)
    with pytest.raises(ValueError, match="y of the training rows of split 0 must hold an event"):
        riata.cv_path(Z, y, loss="cox", cv=[(rest, few)])
    with pytest.raises(
        ValueError, match="y of the held-out rows of split 0 must hold samples that can be compared"
    ):
        riata.cv_path(Z, y, loss="cox", cv=[(few, rest)], scoring="concordance")


def test_saved_paths_come_back(tmp_path):
    Z, y = make_problem("cox")
    cv = riata.cv_path(Z, y, loss="cox", cv=3, alphas=5)
    cv.save(tmp_path / "cox.npz")
    back = riata.load(tmp_path / "cox.npz")
    assert back.path.loss == "cox"
    assert_array_equal(back.predict(Z), cv.predict(Z))
    shown = repr(riata.conversions(back.path, float(back.alphas[2])))
    assert "partial likelihood" in shown
    assert "scikit-learn C" not in shown


def test_concordance_is_said_to_be_better_when_higher():
    assert score_label("concordance") == "concordance, higher is better"
    assert score_label("deviance") == "deviance, held-out samples"


# Real data


def shared(name):
    file = SHARED / f"{name}.npz"
    if not file.exists():
        pytest.skip(f"{file.name} is not beside the checkout")
    return np.load(file, allow_pickle=False)


@pytest.mark.parametrize(
    ("name", "ties", "least"),
    [("nki70", "breslow", 0.65), ("metabric_ihc4", "efron", 0.6), ("veteran", "efron", 0.65)],
)
def test_real_data(name, ties, least):
    data = shared(name)
    y = np.column_stack([data["time"], data["event"]])
    cv = riata.cv_path(data["X"], y, loss="cox", ties=ties, cv=10, tol=1e-9)
    assert cv.path.converged.all()
    assert cv.fold_gaps.max() <= 1e-9
    model = riata.SparseCoxCV(ties=ties, standardize=True, scoring="concordance").fit(data["X"], y)
    best = model.score_path_.mean(axis=1).max()
    assert best > least


def test_lung_cancer_by_age_and_sex():
    """The example of survival's manual: Efron's ties, coefficients to the digits that it prints."""
    data = shared("lung_ncctg")
    names = data["feature_names"].tolist()
    X = data["X"][:, [names.index("age"), names.index("sex")]]
    y = np.column_stack([data["time"], data["event"]])
    path = riata.fit_path(X, y, loss="cox", ties="efron", penalty_factor=np.zeros(2), alphas=[1.0], **TIGHT)
    assert_allclose(path.coef(1.0), [0.017045, -0.513219], atol=1e-6)
