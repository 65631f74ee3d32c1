"""Offsets: a model fitted with one does not predict without it in silence, whatever made or kept it."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import make_problem, write_plink

import riata

LOSSES = ("gaussian", "binomial", "poisson", "huber", "cox", "multinomial", "multigaussian")
ASKED = "offset must be given: the model was fitted with one"


def problem(loss):
    X, y = make_problem("poisson" if loss.startswith("multi") else loss, 40, 8)
    if loss == "multinomial":
        y = (np.arange(40) + (X[:, 0] > 0)) % 3
    if loss == "multigaussian":
        y = np.column_stack([X[:, 0] + y, X[:, 1]])
    outputs = {"multinomial": (3,), "multigaussian": (2,)}.get(loss, ())
    return X, y, np.random.default_rng(0).uniform(-0.5, 0.5, (40, *outputs))


def doors(loss):
    """What fits and predicts: name -> (fit(X, y, **given), predict(model, X, **given))."""
    one = {"loss": loss, "alphas": 5}
    found = {
        "fit_path": (
            lambda X, y, **kw: riata.fit_path(X, y, **one, **kw),
            lambda path, X, **kw: path.predict(X, path.alphas[-1], kind="link", **kw),
        ),
        "cv_path": (
            lambda X, y, **kw: riata.cv_path(X, y, cv=3, **one, **kw),
            lambda cv, X, **kw: cv.predict(X, kind="link", **kw),
        ),
    }
    if loss.startswith("multi"):
        return found
    return (
        found
        | {
            "relax": (
                lambda X, y, **kw: riata.relax(riata.fit_path(X, y, **one, **kw), X, y, **kw),
                lambda fit, X, **kw: fit.predict(X, fit.path.alphas[2], 0.5, kind="link", **kw),
            ),
            "constrained_lasso": (
                lambda X, y, **kw: riata.constrained_lasso(X, y, 0.3, loss=loss, **kw),
                lambda fit, X, **kw: fit.predict(X, kind="link", **kw),
            ),
        }
        | (
            {}
            if loss == "cox"
            else {
                "fit_multi_path": (
                    lambda X, y, **kw: riata.fit_multi_path(X, [y, y], **one, **kw)[1],
                    lambda path, X, **kw: path.predict(X, path.alphas[-1], kind="link", **kw),
                ),
                "cv_multi_path": (
                    lambda X, y, **kw: riata.cv_multi_path(X, [y, y], cv=3, **one, **kw)[1],
                    lambda cv, X, **kw: cv.predict(X, kind="link", **kw),
                ),
            }
        )
    )


CASES = [(loss, door) for loss in LOSSES for door in doors(loss)]


@pytest.mark.parametrize(("loss", "door"), CASES)
def test_what_was_fitted_with_an_offset_asks_for_one(loss, door):
    X, y, offset = problem(loss)
    fit, predict = doors(loss)[door]
    model = fit(X, y, offset=offset)
    with pytest.raises(ValueError, match=ASKED):
        predict(model, X)
    without = predict(model, X, offset=0)
    assert_allclose(predict(model, X, offset=offset), without + offset, atol=1e-12)
    assert_allclose(predict(model, X, offset=1.5), without + 1.5, atol=1e-12)
    new = predict(model, X[:7], offset=offset[:7])
    assert_allclose(new, (without + offset)[:7], atol=1e-12)
    with pytest.raises(ValueError, match="offset must hold"):
        predict(model, X, offset=offset[:5])
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="offset must be finite"):
            predict(model, X, offset=bad)
    plain = fit(X, y)
    assert_allclose(predict(plain, X, offset=offset), predict(plain, X) + offset, atol=1e-12)


@pytest.mark.parametrize("loss", ["gaussian", "poisson", "multinomial"])
def test_saved_models_remember(loss, tmp_path):
    X, y, offset = problem(loss)
    for name, fit in (("path", riata.fit_path), ("cv", lambda *a, **kw: riata.cv_path(*a, cv=3, **kw))):
        model = fit(X, y, loss=loss, offset=offset, alphas=5)
        model.save(tmp_path / f"{name}.npz")
        again = riata.load(tmp_path / f"{name}.npz")
        with pytest.raises(ValueError, match=ASKED):
            again.predict(X)
        assert_array_equal(again.predict(X, offset=offset), model.predict(X, offset=offset))
        fit(X, y, loss=loss, alphas=5).save(tmp_path / f"{name}.npz")
        plain = riata.load(tmp_path / f"{name}.npz")
        assert getattr(plain, "path", plain).has_offset is False


def test_files_that_do_not_tell_say_so(tmp_path):
    X, y, offset = problem("poisson")
    for kind, fit in (("path", riata.fit_path), ("cv_path", lambda *a, **kw: riata.cv_path(*a, cv=3, **kw))):
        model = fit(X, y, loss="poisson", offset=offset, alphas=5)
        model.save(tmp_path / "new.npz")
        with np.load(tmp_path / "new.npz") as archive:
            arrays = dict(archive)
        meta = json.loads(str(arrays["meta"]))
        assert meta["kind"] == kind
        del meta["has_offset"]
        np.savez(tmp_path / "old.npz", **(arrays | {"meta": np.array(json.dumps(meta))}))
        old = riata.load(tmp_path / "old.npz")
        with pytest.warns(
            UserWarning, match="does not record whether it had an offset, and predicts without"
        ):
            found = old.predict(X)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_array_equal(found, old.predict(X, offset=0))
            assert_array_equal(old.predict(X, offset=offset), model.predict(X, offset=offset))


def test_held_out_predictions_have_the_offset_of_the_fit():
    X, y, offset = problem("poisson")
    cv = riata.cv_path(X, y, loss="poisson", offset=offset, cv=3, alphas=5)
    test = cv.folds[0]
    train = np.ones(40)
    train[test] = 0.0
    fold = riata.fit_path(X, y, loss="poisson", offset=offset, alphas=cv.alphas, sample_weight=train)
    expected = fold.predict(X[test], cv.alpha, offset=offset[test])
    assert_allclose(cv.predict_held_out()[test], expected, rtol=1e-5)


def test_refits_need_the_offset_of_the_path():
    X, y, offset = problem("gaussian")
    with pytest.raises(ValueError, match=ASKED):
        riata.relax(riata.fit_path(X, y, offset=offset), X, y)
    with pytest.raises(ValueError, match="offset must be left out, as the path was fitted without one"):
        riata.relax(riata.fit_path(X, y), X, y, offset=offset)


@pytest.mark.parametrize("loss", ["binomial", "multinomial"])
def test_offsets_of_classifiers(loss):
    X, y, offset = problem(loss)
    given = {"standardize": False, "alphas": [0.1, 0.05], "tol": 1e-10}
    path = riata.fit_path(X, y, loss=loss, offset=offset, **given)
    search = riata.SparseLogisticRegressionCV(alphas=[0.1, 0.05], cv=3, tol=1e-10)
    for model in (riata.SparseLogisticRegression(0.05, tol=1e-10), search):
        assert model.fit(X, y, offset=offset) is model
        assert model.has_offset_
        alpha = getattr(model, "alpha_", 0.05)
        link = path.predict(X, alpha, kind="link", offset=offset)
        assert_allclose(model.decision_function(X, offset), link, atol=1e-4)
        assert_allclose(model.decision_function(X, 0), link - offset, atol=1e-4)
        response = path.predict(X, alpha, offset=offset)
        likely = np.column_stack([1.0 - response, response]) if response.ndim == 1 else response
        assert_allclose(model.predict_proba(X, offset), likely, atol=1e-4)
        assert_allclose(np.exp(model.predict_log_proba(X, offset)), likely, atol=1e-4)
        classes = model.classes_[likely.argmax(axis=1)]
        assert_array_equal(model.predict(X, offset), classes)
        assert model.score(X, y, offset=offset) == np.mean(classes == y)
        for ask in (model.decision_function, model.predict, model.predict_proba, lambda X: model.score(X, y)):  # noqa: B023
            with pytest.raises(ValueError, match=ASKED):
                ask(X)
        plain = model.fit(X, y)
        assert not plain.has_offset_
        assert_allclose(plain.decision_function(X, offset), plain.decision_function(X) + offset)
    folds = [(np.flatnonzero(np.arange(40) % 2 == k), np.flatnonzero(np.arange(40) % 2 != k)) for k in (0, 1)]
    search = riata.SparseLogisticRegressionCV(alphas=[0.1, 0.05], cv=folds, tol=1e-10)
    cv = riata.cv_path(X, y, loss=loss, offset=offset, cv=folds, **given)
    assert_allclose(search.fit(X, y, offset=offset).score_path_, cv.scores, rtol=1e-6)


def test_a_series_for_other_samples_is_refused(tmp_path):
    """Beside genotypes, what names its samples must name theirs: offsets, entries and strata too."""
    rng = np.random.default_rng(0)
    genotypes = riata.open_genotypes(
        write_plink(tmp_path / "g", rng.binomial(2, 0.3, (40, 10)).astype(float))
    )
    iid = list(genotypes.samples.iid)
    time = rng.exponential(size=40) + 0.1
    y = np.column_stack([time, np.arange(40) % 3 > 0])
    series = {
        "offset": pd.Series(np.zeros(40), index=iid),
        "start": pd.Series(0.5 * time, index=iid),
        "strata": pd.Series(np.arange(40) % 2, index=iid),
    }
    model = riata.SparseCox(0.05).fit(genotypes, y, **series)
    asked = {name: series[name] for name in ("offset", "strata")}
    assert model.predict_survival_function(genotypes, 0.5, **asked).shape == (40,)
    for name in series:
        shuffled = series | {name: series[name].iloc[::-1]}
        with pytest.raises(ValueError, match=f"{name} must have the samples of X in the same order"):
            riata.SparseCox(0.05).fit(genotypes, y, **shuffled)
        with pytest.raises(ValueError, match=f"{name} must have the samples of X in the same order"):
            model.score(genotypes, y, **shuffled)
    for name in asked:
        with pytest.raises(ValueError, match=f"{name} must have the samples of X in the same order"):
            model.predict_survival_function(genotypes, 0.5, **(asked | {name: asked[name].iloc[::-1]}))
    counts = rng.poisson(2.0, 40)
    reverse = series["offset"].iloc[::-1]
    for estimator in (riata.SparsePoissonRegressor(), riata.SparseLogisticRegression()):
        fitted = estimator.fit(genotypes, counts > 1, offset=series["offset"])
        for ask in (fitted.predict, lambda X, offset: fitted.fit(X, counts > 1, offset=offset)):  # noqa: B023
            with pytest.raises(ValueError, match="offset must have the samples of X in the same order"):
                ask(genotypes, offset=reverse)
    budget = riata.constrained_lasso(genotypes, counts, 0.1, loss="poisson", offset=series["offset"])
    with pytest.raises(ValueError, match="offset must have the samples of X in the same order"):
        budget.predict(genotypes, offset=reverse)
