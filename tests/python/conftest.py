"""Fixtures every test module may use."""

import pytest


@pytest.fixture(autouse=True)
def _quiet_threads(monkeypatch):
    """Two threads at most, tests of threads say their own number."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
