"""`progress=True`: a bar of tqdm, a line that is drawn anew, or lines, and nothing left behind."""

import io
import sys
import types

import numpy as np
import pytest
from support import make_problem

import riata
from riata._io import progress as progress_module

pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")


class Terminal(io.StringIO):
    def isatty(self):
        return True


class FakeTqdm:
    def __init__(self, **given):
        self.given, self.n, self.closed, self.told = given, 0, False, ""

    def set_postfix_str(self, text, refresh):
        self.told = text

    def update(self, count):
        self.n += count

    def close(self):
        self.closed = True


@pytest.fixture
def no_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)


def fits():
    X, y = make_problem()
    ys = [y, y**2]
    return {
        "fit_path": lambda progress: riata.fit_path(X, y, alphas=9, progress=progress),
        "cv_path": lambda progress: riata.cv_path(X, y, alphas=9, cv=3, progress=progress),
        "fit_paths": lambda progress: riata.fit_multi_path(X, ys, alphas=9, progress=progress),
        "cv_paths": lambda progress: riata.cv_multi_path(X, ys, alphas=9, cv=3, progress=progress),
    }


@pytest.mark.parametrize("name", fits())
def test_a_line_in_a_terminal(name, monkeypatch, no_tqdm):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    fits()[name](True)
    said = stream.getvalue()
    total = 18 if name.endswith("paths") else 9
    assert f"{total}/{total} alphas" in said
    assert said.endswith("\n")
    assert said.count("\n") == 1
    assert "active" in said
    assert ("mse" in said) == (name == "cv_path")


def test_the_fit_is_the_same(monkeypatch, no_tqdm):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    X, y = make_problem()
    with_bar = riata.fit_path(X, y, alphas=9, progress=True)
    assert (with_bar.coefs != riata.fit_path(X, y, alphas=9, progress=False).coefs).nnz == 0
    assert with_bar.stop_reason == ""


def test_lines_elsewhere(monkeypatch, no_tqdm):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    X, y = make_problem()
    riata.fit_path(X, y, alphas=9, progress=True)
    assert "\r" not in stream.getvalue()
    assert stream.getvalue().count("\n") == 1  # the last
    monkeypatch.setattr(progress_module, "SECONDS_A_LINE", 0.0)
    riata.fit_path(X, y, alphas=9, progress=True)
    assert stream.getvalue().count("\n") == 10


def test_in_a_notebook_the_line_goes_to_its_output(monkeypatch, no_tqdm, capsys):
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    X, y = make_problem()
    riata.fit_path(X, y, alphas=9, progress=True)
    said = capsys.readouterr()
    assert said.out.startswith("\r")
    assert said.err == ""


def test_a_bar_of_tqdm(monkeypatch):
    module = types.ModuleType("tqdm.auto")
    made = []
    module.tqdm = lambda **given: made.append(FakeTqdm(**given)) or made[-1]
    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    X, y = make_problem()
    path = riata.fit_path(X, y, alphas=9, max_active=4, progress=True)
    (bar,) = made
    assert bar.given["total"] == 9
    assert bar.n == len(path) < 9
    assert f"active {path.n_active[-1]}" in bar.told
    assert bar.closed


def test_a_failure_closes_the_line(monkeypatch, no_tqdm):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    X, y = make_problem()

    def fail(*arguments):
        raise RuntimeError("stopped")

    monkeypatch.setattr(progress_module._Line, "draw", fail)
    with pytest.raises(RuntimeError, match="stopped"):
        riata.fit_path(X, y, alphas=9, progress=True)


@pytest.mark.parametrize("given", [1, "yes", np.True_])
def test_other_values_are_refused(given):
    X, y = make_problem()
    with pytest.raises(TypeError, match="progress must be True, False, None or a callable"):
        riata.fit_path(X, y, progress=given)
