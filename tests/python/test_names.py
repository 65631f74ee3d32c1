"""The public names of the package: all of them there, and nothing else shown."""

import pytest

import riata

MODULES = ("losses", "penalties", "plotting")


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
