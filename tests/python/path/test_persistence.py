"""Saving and loading: whole or not at all, and nothing lost."""

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support import make_problem

import riata


def assert_same(a, b):
    for item in fields(a):
        x, y = getattr(a, item.name), getattr(b, item.name)
        if item.name == "coefs":
            assert_array_equal(x.toarray(), y.toarray())
        elif isinstance(x, riata.RegularizationPath):
            assert_same(x, y)
        elif item.name in ("folds", "trained_on") and x is not None:
            assert len(x) == len(y)
            assert all(np.array_equal(p, q) for p, q in zip(x, y, strict=True))
        elif isinstance(x, np.ndarray):
            assert_array_equal(x, y)
            assert x.dtype == y.dtype
        else:
            assert x == y, item.name


@pytest.fixture(params=["path", "cv"])
def fitted(request):
    pd = pytest.importorskip("pandas")
    X, y = make_problem("binomial")
    frame = pd.DataFrame(X, columns=[f"gène {j}" for j in range(X.shape[1])])
    labels = np.where(y > 0, "AML", "ALL")
    if request.param == "path":
        return riata.fit_path(frame, labels, loss="binomial", alphas=10)
    return riata.cv_path(frame, labels, loss="binomial", alphas=10, cv=3, alpha_rule="1se")


def test_round_trip(fitted, tmp_path):
    target = tmp_path / "kept.npz"
    fitted.save(target)
    again = riata.load(target)
    assert type(again) is type(fitted)
    kept = replace(fitted, trained_on=None) if hasattr(fitted, "trained_on") else fitted  # as it documents
    assert_same(kept, again)
    assert [f.name for f in tmp_path.iterdir()] == ["kept.npz"]
    assert_same(fitted, pickle.loads(pickle.dumps(fitted)))


@pytest.mark.parametrize("loss", ["binomial", "multinomial"])
def test_labels_held_as_objects(loss, tmp_path):
    X, y = make_problem("binomial")
    labels = np.where(y > 0, "AML", "ALL").astype(object)  # as pandas has text
    path = riata.fit_path(X, labels, loss=loss, alphas=3)
    path.save(tmp_path / "kept.npz")
    assert riata.load(tmp_path / "kept.npz").classes.tolist() == ["ALL", "AML"]


def test_a_name_is_kept_as_given(fitted, tmp_path):
    fitted.save(tmp_path / "result")
    assert (tmp_path / "result").exists()


def test_a_failed_save_leaves_the_old_file(fitted, tmp_path, monkeypatch):
    target = tmp_path / "kept.npz"
    fitted.save(target)
    before = target.read_bytes()

    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match="disk full"):
        fitted.save(target)
    assert target.read_bytes() == before
    assert [f.name for f in tmp_path.iterdir()] == ["kept.npz"]


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        riata.load(tmp_path / "absent.npz")
    for name, content in (("text.npz", b"hello"), ("empty.npz", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(OSError, match="not a path saved by riata"):
            riata.load(tmp_path / name)
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(OSError, match="not a path saved by riata"):
        riata.load(tmp_path / "other.npz")


@pytest.mark.parametrize("write", ["save", "report"])
def test_a_folder_that_is_not_there_is_named(tmp_path, write):
    X, y = make_problem("gaussian", 30, 5)
    cv = riata.cv_path(X, y, cv=3, alphas=5)
    with pytest.raises(FileNotFoundError) as failed:
        getattr(cv, write)(tmp_path / "absent" / "fit.file")
    told = str(failed.value)
    assert told == f"{tmp_path / 'absent' / 'fit.file'}: no such folder: {tmp_path / 'absent'}"
