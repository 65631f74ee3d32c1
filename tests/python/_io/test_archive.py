"""Saved models that are damaged, or do not fit together: one sentence that names the file, and no crash."""

import warnings
from pathlib import Path

import numpy as np
import pytest

import riata
from riata._io.archive import read_arrays
from riata.cli.parser import main

DATA = Path(__file__).parents[2] / "data" / "genotypes"
STUDY = ["--bfile", str(DATA / "tiny"), "--pheno", str(DATA / "tiny.phe"), "--pheno-name", "height"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of the command line, as arrays."""
    out = tmp_path_factory.mktemp("model") / "o"
    assert main(["cv", *STUDY, "--alphas", "8", "--cv", "3", "--out", str(out), "--quiet"]) == 0
    return read_arrays(f"{out}.path.npz", "a model")


DAMAGE = {
    "indices beyond the end": ("coef_indices", lambda a: a + 2**20),
    "one index beyond the end": ("coef_indices", lambda a: np.where(np.arange(len(a)) == len(a) - 1, 60, a)),
    "negative indices": ("coef_indices", lambda a: a - 10**6),
    "indices that are no integers": ("coef_indices", lambda a: a.astype(float)),
    "values cut short": ("coef_values", lambda a: a[:-1]),
    "values that are text": ("coef_values", lambda a: a.astype(str)),
    "columns that fall": ("coef_indptr", lambda a: a[::-1].copy()),
    "columns cut short": ("coef_indptr", lambda a: a[:-1]),
    "columns far away": ("coef_indptr", lambda a: a * 10**6),
    "a mean of three": ("mean", lambda a: a[:3]),
    "means in two dimensions": ("mean", lambda a: np.stack([a, a])),
    "alphas cut short": ("alphas", lambda a: a[:-1]),
    "intercepts of another shape": ("intercepts", lambda a: a[None, :-1]),
    "intercepts of objects": ("intercepts", lambda a: a.astype(str)),
    "scales cut short": ("scale", lambda a: a[1:]),
    "gaps in two dimensions": ("dual_gaps", lambda a: a[:, None]),
    "names that leave their bytes": ("feature_names_offsets", lambda a: a + np.uint32(10**6)),
    "names that fall": ("feature_names_offsets", lambda a: a[::-1].copy()),
    "names cut short": ("feature_names_offsets", lambda a: a[:-1]),
    "active variants far away": ("study_active", lambda a: a + 2**40),
    "active variants below zero": ("study_active", lambda a: a - 100),
    "positions cut short": ("variants_pos", lambda a: a[:-1]),
    "folds that do not add up": ("cv_fold_sizes", lambda a: a + 1),
    "folds below zero": ("cv_fold_sizes", lambda a: a * np.where(np.arange(len(a)) == 0, -1, 3)),
    "scores of another shape": ("cv_scores", lambda a: a.T),
    "held-out predictions of fewer samples": ("cv_held_out", lambda a: a[:3]),
    "held-out predictions at fewer alphas": ("cv_held_out", lambda a: a[:, 1:]),
    "no words": ("meta", lambda a: np.array("{}")),
    "words that are none": ("meta", lambda a: np.array("[1]")),
    "an alpha that is a word": (
        "study_meta",
        lambda a: np.array(str(a).replace('"alpha": ', '"alpha": "x", "b": ')),
    ),
}


def refused(tmp_path, capsys, arrays):
    file = tmp_path / "bad.path.npz"
    np.savez(file, **arrays)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        status = main(["predict", "--model", str(file), *STUDY[:2], "--out", str(tmp_path / "p"), "--quiet"])
    said = capsys.readouterr().err
    assert status == 2
    assert said.count("\n") == 1
    assert "bad.path.npz" in said
    assert "(a bug" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["bad.path.npz"]
    return file


@pytest.mark.parametrize("damage", DAMAGE)
def test_arrays_that_do_not_fit(tmp_path, capsys, model, damage):
    name, change = DAMAGE[damage]
    file = refused(tmp_path, capsys, {**model, name: change(model[name])})
    if not name.startswith("study"):
        with pytest.raises((ValueError, OSError), match=r"bad\.path\.npz"):
            riata.load(file)


def test_arrays_that_are_missing(tmp_path, capsys, model):
    optional = ("report", "meta", "variants_sd", "cv_fold_gaps", "cv_held_out")
    for name in model:
        if not name.startswith(optional) and name not in ("classes", "penalty_factor"):
            refused(tmp_path, capsys, {other: array for other, array in model.items() if other != name})


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + b"x" * 100, b"\x93NUMPY", b"text"])
def test_files_that_are_no_archives(tmp_path, capsys, content):
    file = tmp_path / "bad.path.npz"
    file.write_bytes(content)
    with pytest.raises(OSError, match=r"bad\.path\.npz is not a path saved by riata"):
        riata.load(file)
    assert main(["info", str(file)]) == 2
    assert "(a bug" not in capsys.readouterr().err


def test_an_archive_cut_anywhere(tmp_path, model):
    file = tmp_path / "whole.npz"
    np.savez_compressed(file, **model)
    raw = file.read_bytes()
    bad = tmp_path / "bad.npz"
    for end in range(0, len(raw), len(raw) // 40):
        bad.write_bytes(raw[:end])
        with pytest.raises(OSError, match=r"bad\.npz is not a path saved by riata"):
            riata.load(bad)
