"""How good a score is: measures from their definitions, intervals against the bootstrap."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit
from support import response_to, survival_times

import riata
from riata.path.evaluation import LABELS, evaluate


def make(loss, n=400, seed=0):
    rng = np.random.default_rng(seed)
    base = 0.5 * rng.standard_normal(n)
    link = base + 0.7 * rng.standard_normal(n)
    if loss == "gaussian":
        return link + rng.standard_normal(n), link, base
    return (rng.random(n) < 1.0 / (1.0 + np.exp(-link))).astype(float), link, base


def test_numbers_from_definitions():
    y, link, base = make("gaussian")
    found = evaluate(y, link, baseline=base, part="test part")
    values = {name: m.value for name, m in found.measures.items()}
    alone = 1.0 - np.sum((y - base) ** 2) / np.sum((y - y.mean()) ** 2)
    r2 = 1.0 - np.sum((y - link) ** 2) / np.sum((y - y.mean()) ** 2)
    assert_allclose(
        [values[k] for k in ("r2", "correlation", "r2_covariates", "r2_increment")],
        [r2, np.corrcoef(y, link)[0, 1], alone, r2 - alone],
    )
    assert set(values) <= set(LABELS)
    assert found.lines()[0] == "test part: 400 samples"
    assert found.to_dict()["r2"]["low"] == found.measures["r2"].low


def test_classes_from_definitions():
    from sklearn.metrics import log_loss, roc_auc_score

    y, link, base = make("binomial")
    link = np.round(link, 1)  # ties
    found = riata.evaluate(y, link, loss="binomial", baseline=base)
    p = 1.0 / (1.0 + np.exp(-link))
    assert found.n_cases == y.sum()
    assert_allclose(found.measures["auc"].value, roc_auc_score(y, link))
    increment = roc_auc_score(y, link) - roc_auc_score(y, base)
    assert_allclose(found.measures["auc_increment"].value, increment)
    assert_allclose(found.measures["log_loss"].value, log_loss(y, p))
    likelihood = np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
    null = len(y) * (y.mean() * np.log(y.mean()) + (1 - y.mean()) * np.log(1 - y.mean()))
    cox_snell = 1.0 - np.exp(2.0 / len(y) * (null - likelihood))
    expected = cox_snell / (1.0 - np.exp(2.0 / len(y) * null))
    assert_allclose(found.measures["r2_nagelkerke"].value, expected)


@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
def test_intervals_are_those_of_the_bootstrap(loss):
    y, link, base = make(loss, seed=1)
    found = evaluate(y, link, loss=loss, baseline=base)
    rng = np.random.default_rng(2)
    draws = {name: [] for name in found.measures}
    for _ in range(600):
        rows = rng.integers(0, len(y), len(y))
        again = evaluate(y[rows], link[rows], loss=loss, baseline=base[rows])
        for name, measure in again.measures.items():
            draws[name].append(measure.value)
    for name, measure in found.measures.items():
        width = (measure.high - measure.low) / (2 * 1.96)
        assert_allclose(width, np.std(draws[name]), rtol=0.12, err_msg=name)
        assert measure.low < measure.value < measure.high


def test_edges():
    """No bound is beyond what is possible, and none is certain where the samples are few."""
    from scipy.stats import binomtest

    perfect = evaluate([0, 0, 0, 1, 1], [-9.0, -8.0, -7.0, 7.0, 8.0], loss="binomial").measures["auc"]
    wilson = binomtest(2, 2).proportion_ci(method="wilson")
    assert_allclose((perfect.low, perfect.value, perfect.high), (wilson.low, 1.0, 1.0))
    wrong = evaluate([1, 1, 0, 0], [-9.0, -8.0, 7.0, 8.0], loss="binomial").measures["auc"]
    assert (wrong.low, wrong.value) == (0.0, 0.0)
    assert wrong.high == pytest.approx(1.0 - wilson.low)
    single = evaluate([0, 0, 1], [1.0, 3.0, 2.0], loss="binomial").measures["auc"]
    assert (single.low, single.value, single.high) == (0.0, 0.5, 1.0)
    times = evaluate([[1.0, 1.0], [2.0, 1.0], [3.0, 0.0]], [3.0, 2.0, 1.0], loss="cox").measures
    assert_allclose((times["concordance"].low, times["concordance"].high), (wilson.low, 1.0))
    y, link, _ = make("binomial", n=30, seed=3)
    found = evaluate(y, 8.0 * (2.0 * y - 1.0) + link, loss="binomial")
    assert 0.0 < found.measures["log_loss"].low < found.measures["log_loss"].high
    assert found.measures["r2_nagelkerke"].high < 1.0


def test_few_errors_make_no_endless_interval():
    """Wilson's interval for as many independent answers as have the error of DeLong et al."""
    rng = np.random.default_rng(12)
    y = np.repeat([0.0, 1.0], 40)
    link = 2.6 * y + rng.standard_normal(80)
    m = evaluate(y, link, loss="binomial").measures["auc"]
    mine, others = link[y == 1.0], link[y == 0.0]
    cases = (mine[:, None] > others).mean(axis=1)
    controls = (mine[:, None] > others).mean(axis=0)
    answers = m.value * (1.0 - m.value) / (np.var(cases, ddof=1) / 40 + np.var(controls, ddof=1) / 40)
    assert answers * (1.0 - m.value) < 5.0
    z2 = 1.959963984540054**2
    for limit in (m.low, m.high):  # where the score test just rejects
        assert_allclose((m.value - limit) ** 2, z2 * limit * (1.0 - limit) / answers, rtol=1e-9)
    assert 0.9 < m.low < m.value < m.high < 1.0


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox", "poisson", "huber", "multinomial"])
def test_the_same_prediction_for_all_is_nothing_to_evaluate(loss):
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 40).astype(float)
    if loss == "cox":
        y = survival_times(np.zeros(40), rng)
    level = np.full((40, 2), 0.3) if loss == "multinomial" else np.full(40, 0.3)
    found = evaluate(y, level, loss=loss)
    assert found.nothing
    assert found.measures == {}
    assert found.table is None
    assert len(found.lines()) == 2
    assert "nothing was selected: the model predicts the same for every sample" in found.lines()[1]
    base = rng.standard_normal(level.shape)
    found = evaluate(y, base, baseline=base, loss=loss)
    assert set(found.measures) <= {name for name in LABELS if name.endswith("_covariates")}
    assert "predicts what the covariates alone do" in found.lines()[1]
    if loss != "multinomial":
        folds = np.arange(40) % 4
        assert evaluate(y, level + folds, loss=loss, folds=folds).nothing


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], [1.0]), r"link must have shape \(2,\), as y, got \(1,\)"),
        (([1.0, np.nan], [1.0, 2.0]), "y must hold finite numbers only"),
        (([1.0, 1.0], [1.0, 2.0]), "y must vary to be predicted, got 1 for all 2 samples"),
        (([1.0], [1.0]), "at least two samples"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        evaluate(*arguments)
    with pytest.raises(ValueError, match="0 and 1 only"):
        evaluate([1.0, 2.0], [1.0, 2.0], loss="binomial")
    with pytest.raises(ValueError, match=r"loss must be one of \['gaussian', 'binomial', .*got 'ordinal'"):
        evaluate([1.0, 2.0], [1.0, 2.0], loss="ordinal")
    with pytest.raises(ValueError, match="start must be left out unless loss is 'cox'"):
        evaluate([1.0, 2.0], [1.0, 2.0], start=[0.0, 0.0])
    with pytest.raises(ValueError, match="at whose time another sample is at risk"):
        evaluate([[1.0, 0.0], [2.0, 1.0]], [1.0, 2.0], loss="cox")


@pytest.mark.parametrize("kind", ["plain", "entry", "strata"])
def test_concordance_and_its_interval(kind):
    rng = np.random.default_rng(8)
    n = 90
    score = rng.standard_normal(n).round(1)
    y = survival_times(0.5 * score, rng)
    base = score + rng.standard_normal(n)
    start = y[:, 0] * rng.uniform(0.0, 0.9, n) if kind == "entry" else None
    strata = rng.integers(0, 3, n) if kind == "strata" else None
    found = evaluate(y, score, loss="cox", baseline=base, start=start, strata=strata)
    assert (found.n, found.n_cases) == (n, int(y[:, 1].sum()))

    def harrell(link, weights):
        right = pairs = 0.0
        for i in np.flatnonzero(y[:, 1]):
            later = (y[:, 0] > y[i, 0]) | ((y[:, 0] == y[i, 0]) & (y[:, 1] == 0))
            if start is not None:
                later &= start < y[i, 0]
            if strata is not None:
                later &= strata == strata[i]
            won = (link[i] > link) + 0.5 * (link[i] == link)
            right += weights[i] * weights @ (later * won)
            pairs += weights[i] * weights @ later
        return right / pairs

    ones = np.ones(n)
    value, alone = harrell(score, ones), harrell(base, ones)
    m = found.measures
    assert_allclose(m["concordance"].value, value)
    assert_allclose(m["concordance_covariates"].value, alone)
    assert_allclose(m["concordance_increment"].value, value - alone)
    for name, of in (
        ("concordance", lambda w: harrell(score, w)),
        ("concordance_increment", lambda w: harrell(score, w) - harrell(base, w)),
    ):
        slopes = [(of(ones + 1e-5 * unit) - of(ones - 1e-5 * unit)) / 2e-5 for unit in np.eye(n)]
        half = 1.959963984540054 * np.sqrt(np.sum(np.square(slopes)))  # the infinitesimal jackknife
        value = m[name].value
        limits = np.array([value - half, value + half])
        if name == "concordance":  # within 0 and 1
            limits = expit(logit(value) + half / (value * (1.0 - value)) * np.array([-1.0, 1.0]))
        assert_allclose([m[name].low, m[name].high], limits, atol=1e-7)


@pytest.mark.parametrize("loss", ["poisson", "huber"])
def test_deviance_explained_and_its_interval(loss):
    from scipy.optimize import minimize_scalar

    rng = np.random.default_rng(9)
    n, delta = 80, 0.7
    link = 0.6 * rng.standard_normal(n)
    offset = rng.uniform(-1.0, 1.0, n) if loss == "poisson" else np.zeros(n)
    if loss == "poisson":
        link += offset
        y = rng.poisson(np.exp(link)).astype(float)
    else:
        y = link + rng.standard_t(2, n)
    base = 0.5 * link + 0.5 * offset
    given = {"offset": offset} if loss == "poisson" else {"huber_delta": delta}

    def loss_of(eta, weights):
        if loss == "poisson":
            ratio = np.where(y > 0.0, y, 1.0) / np.exp(eta)
            return weights @ (np.where(y > 0.0, y * np.log(ratio), 0.0) - y + np.exp(eta))
        size = np.abs(y - eta)
        return weights @ np.where(size <= delta, 0.5 * size**2, delta * (size - 0.5 * delta))

    def explained(eta, weights):
        null = minimize_scalar(
            lambda c: loss_of(offset + c, weights), bounds=(-5, 5), options={"xatol": 1e-12}
        )
        return 1.0 - loss_of(eta, weights) / null.fun

    ones = np.ones(n)
    m = evaluate(y, link, loss=loss, baseline=base, **given).measures
    assert list(m) == ["d2", "d2_covariates", "d2_increment"]
    assert_allclose(m["d2"].value, explained(link, ones), rtol=1e-9)
    assert_allclose(m["d2_increment"].value, explained(link, ones) - explained(base, ones), rtol=1e-8)
    slopes = [
        (explained(link, ones + 1e-4 * unit) - explained(link, ones - 1e-4 * unit)) / 2e-4
        for unit in np.eye(n)
    ]
    half = 1.959963984540054 * np.sqrt(np.sum(np.square(slopes)))
    left = 1.0 - m["d2"].value
    assert_allclose(np.log((1.0 - m["d2"].low) / left), half / left, rtol=1e-5)
    assert_allclose(np.log((1.0 - m["d2"].high) / left), -half / left, rtol=1e-5)
    with pytest.raises(ValueError, match="y must hold numbers >= 0 for loss='poisson', got -1"):
        evaluate([1.0, -1.0], [0.0, 0.0], loss="poisson")


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox"])
def test_cv_path_keeps_held_out_predictions(loss, tmp_path):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60, 40))
    y = response_to(loss, X[:, 0] - X[:, 1] + rng.standard_normal(60), rng)
    cv = riata.cv_path(X, y, cv=4, loss=loss, alphas=12, eps=0.1, tol=1e-10)
    between = 0.5 * (cv.alphas[5] + cv.alphas[6])
    cv.save(tmp_path / "kept.npz")
    again = riata.load(tmp_path / "kept.npz")
    for alpha in (cv.alphas[7], between):
        assert_array_equal(
            again.predict_held_out(alpha, kind="link"), cv.predict_held_out(alpha, kind="link")
        )
        found = cv.predict_held_out(alpha, kind="link")
        for rows in cv.folds:
            train = np.setdiff1d(np.arange(60), rows)
            fold = riata.fit_path(X[train], y[train], loss=loss, alphas=cv.alphas, tol=1e-10)
            expected = fold.predict(X[rows], alpha, kind="link")
            if loss == "cox":  # no level of its own: less the mean over the samples of the fit
                expected -= fold.predict(X[train], alpha, kind="link").mean()
            assert_allclose(found[rows], expected, rtol=1e-4, atol=1e-5)
    if loss == "binomial":
        assert_allclose(cv.predict_held_out(), 1.0 / (1.0 + np.exp(-cv.predict_held_out(kind="link"))))
    rows = np.arange(60)
    twice = riata.cv_path(
        X, y, cv=[(rows[:40], rows[40:]), (rows[20:], rows[:20]), (rows[:30], rows[30:])], loss=loss
    )
    with pytest.raises(ValueError, match="no sample is held out twice"):
        twice.predict_held_out()


def folds_of(n, k, seed):
    return np.random.default_rng(seed).permutation(np.arange(n) % k)


def test_folds_are_compared_within():
    """Measures from their definitions, one fold at a time, and the levels of folds do not count."""
    from sklearn.metrics import roc_auc_score

    y, link, base = make("binomial", n=80, seed=6)
    folds = folds_of(80, 5, 1)
    folds[folds == 4] = np.where(y[folds == 4] == 1.0, 4, 3)  # a fold of cases alone has no pair
    found = evaluate(y, link, loss="binomial", baseline=base, folds=folds)
    right = pairs = 0.0
    for k in range(4):
        mine = folds == k
        count = y[mine].sum() * (1.0 - y[mine]).sum()
        right += count * roc_auc_score(y[mine], link[mine])
        pairs += count
    assert_allclose(found.measures["auc"].value, right / pairs)
    shifted = evaluate(y, link + 3.0 * folds, loss="binomial", baseline=base, folds=folds)
    assert shifted.measures["auc"] == found.measures["auc"]

    y, link, _ = make("gaussian", n=80, seed=6)
    null = y.mean() + 0.1 * folds
    m = evaluate(y, link, folds=folds, null=null).measures
    inside = [v - np.array([v[folds == k].mean() for k in range(5)])[folds] for v in (y, link)]
    assert_allclose(m["correlation"].value, np.corrcoef(*inside)[0, 1])
    assert_allclose(m["r2"].value, 1.0 - np.sum((y - link) ** 2) / np.sum((y - null) ** 2))

    times = survival_times(0.5 * link, np.random.default_rng(2))
    whole = evaluate(times, link, loss="cox", folds=folds).measures["concordance"]
    strata = evaluate(times, link, loss="cox", strata=folds).measures["concordance"]
    assert whole.value == strata.value
    assert whole.low < strata.low


def test_intervals_over_folds_allow_for_shared_samples():
    """The error is that of DeLong et al., pooled over folds, times √(1 + n / n_train); Student's quantile."""
    from scipy.stats import t as student

    y, link, _ = make("binomial", n=480, seed=7)
    folds = folds_of(480, 4, 3)
    m = evaluate(y, link, loss="binomial", folds=folds).measures["auc"]
    assert m == evaluate(y, link, loss="binomial", folds=folds, n_train=360).measures["auc"]
    wider = evaluate(y, link, loss="binomial", folds=folds, n_train=240).measures["auc"]
    width, wide = (np.diff(logit([found.low, found.high]))[0] for found in (m, wider))
    assert_allclose(wide / width, np.sqrt(3.0 / (1.0 + 4.0 / 3.0)))
    variance = 0.0
    counts = np.array([[np.sum((folds == k) & (y == label)) for label in (0.0, 1.0)] for k in range(4)])
    share = counts.prod(axis=1) / counts.prod(axis=1).sum()
    for label in (0, 1):
        squares = 0.0
        for k in range(4):
            mine, others = link[(folds == k) & (y == label)], link[(folds == k) & (y != label)]
            sign = 1.0 if label else -1.0
            places = np.array([np.mean(sign * (v - others) > 0.0) for v in mine])
            squares += np.sum((places - places.mean()) ** 2)
        pooled = squares / (counts[:, label].sum() - 4)
        variance += pooled * np.sum(share**2 / counts[:, label])
    error = np.sqrt((1.0 + 4.0 / 3.0) * variance)
    assert_allclose(width, 2 * student.ppf(0.975, 3) * error / (m.value * (1.0 - m.value)))


def test_two_classes_at_a_threshold():
    from scipy.stats import binomtest
    from sklearn.metrics import confusion_matrix

    y, link, _ = make("binomial", n=150, seed=8)
    found = evaluate(y, link, loss="binomial", threshold=0.3, classes=["well", "ill"]).table
    said = 1.0 / (1.0 + np.exp(-link)) > 0.3
    assert found.counts == confusion_matrix(y, said).tolist()
    (tn, fp), (fn, tp) = found.counts
    expected = {
        "sensitivity": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "ppv": (tp, tp + fp),
        "npv": (tn, tn + fn),
    }
    assert list(found.rates) == list(expected)
    for name, (count, n) in expected.items():
        wilson = binomtest(count, n).proportion_ci(method="wilson")
        rate = found.rates[name]
        assert_allclose((rate.value, rate.low, rate.high), (count / n, wilson.low, wilson.high))
    text = "\n".join(found.lines())
    assert "predicted ill: probability above 0.3" in text
    assert "sensitivity, of ill, predicted ill" in text
    none = evaluate(y, link - 100.0, loss="binomial").table
    assert "no such samples" in next(line for line in none.lines() if "ppv" in line)
    with pytest.raises(ValueError, match="threshold must be > 0 and < 1, got 1"):
        evaluate(y, link, loss="binomial", threshold=1.0)


def test_many_classes_and_wide_tables():
    from sklearn.metrics import confusion_matrix, recall_score

    rng = np.random.default_rng(9)
    y = rng.integers(0, 9, 200)
    link = rng.standard_normal((200, 9)) + 2.0 * np.eye(9)[y]
    labels = [f"class number {k}" for k in range(9)]
    found = evaluate(y, link, loss="multinomial", classes=labels).table
    assert found.counts == confusion_matrix(y, link.argmax(axis=1)).tolist()
    recall = recall_score(y, link.argmax(axis=1), average=None)
    assert_allclose([rate.value for rate in found.rates.values()], recall)
    lines = found.lines()
    assert max(len(line) for line in lines) <= 104
    assert sum(line.strip().startswith("observed") for line in lines) > 1
    for label in labels:
        assert sum(f"  {label}" in line for line in lines if line.startswith("    observed")) == 1


def test_without_intervals():
    y, link, base = make("binomial", n=60, seed=10)
    found = evaluate(y, link, loss="binomial", baseline=base).bare
    assert all(m.low is None and m.high is None for m in found.measures.values())
    assert not any("95 %" in line for line in found.lines())
    assert set(found.to_dict()["auc"]) == {"value"}
    assert set(found.to_dict()["classes"]["sensitivity"]) == {"value"}


def test_printed_as_in_the_terminal():
    y, link = np.array([1.0, 2.0, 3.0, 5.0]), np.array([1.5, 1.5, 3.0, 4.5])
    found = evaluate(y, link).bare
    r2 = 1 - 0.75 / 8.75
    told = str(found).splitlines()
    assert told[:2] == ["held-out samples: 4 samples", f"  R²           {r2:.4f}"]
    assert found.lines() == told


def test_a_loss_that_is_not_evaluated_is_refused_as_word_and_as_object():
    for loss in ("multigaussian", riata.losses.Multigaussian()):
        with pytest.raises(ValueError, match="loss must be one of"):
            riata.evaluate([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], loss=loss)
