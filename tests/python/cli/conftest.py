"""Every verb asks for things by their present names: its users would be shown the warning."""

import pytest


@pytest.fixture(autouse=True)
def no_earlier_names(monkeypatch):
    def refuse(old, new, stacklevel=3):
        raise AssertionError(f"{old} is now called {new}")

    monkeypatch.setattr("riata._input.renamed.warn_renamed", refuse)
    monkeypatch.setattr("riata.path.given.warn_renamed", refuse)
