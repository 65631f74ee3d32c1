"""The public names of the package: all of them there, and nothing else shown.

Run as a program, it writes what type checkers see of them, `riata/__init__.pyi`.
"""

from pathlib import Path

import pytest

import riata

MODULES = ("distributed", "knockoffs", "losses", "penalties", "plotting")
SEEN_BY_TYPE_CHECKERS = Path(__file__).parents[2] / "python/riata/__init__.pyi"


def stub():
    """Return the public names as imports that mypy takes for exports; any other name is unknown to it."""
    lines = ["# Written by tests/python/test_names.py from the table in __init__.py.", ""]
    lines += [f"from riata import {module} as {module}" for module in MODULES]
    homes = sorted((module, name) for name, module in riata._HOME.items())
    lines += [f"from riata.{module} import {name} as {name}" for module, name in homes]
    return "\n".join(lines) + "\n"


def test_type_checkers_see_the_public_names():
    assert SEEN_BY_TYPE_CHECKERS.read_text() == stub()


def test_dir_shows_the_public_names_alone():
    assert dir(riata) == sorted(riata.__all__)
    assert len(set(riata.__all__)) == len(riata.__all__)


@pytest.mark.parametrize("name", riata.__all__)
def test_every_public_name_is_there(name):
    assert getattr(riata, name) is not None


@pytest.mark.parametrize("module", MODULES)
def test_public_modules(module):
    found = getattr(riata, module)
    assert found.__name__ == f"riata.{module}"
    assert all(hasattr(found, name) for name in found.__all__)


def test_plots_are_those_that_paths_draw():
    from riata.report import plots

    assert riata.plotting.plot_path is plots.plot_path
    assert riata.plotting.plot_cv is plots.plot_cv


def test_an_unknown_name_is_told():
    with pytest.raises(AttributeError, match="has no attribute 'fit_pathh'"):
        riata.fit_pathh  # noqa: B018


if __name__ == "__main__":
    SEEN_BY_TYPE_CHECKERS.write_text(stub())
