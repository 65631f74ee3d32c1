"""Ctrl-C stops a long fit within half a second, whatever the solver."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

SCRIPT = """
import os, signal, sys, threading, time
import numpy as np
import riata

signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore it
rng = np.random.default_rng(0)
X = np.asfortranarray(rng.standard_normal((600, 6000)) + rng.standard_normal((600, 1)))
y = rng.standard_normal(600)
solver, loss = sys.argv[1:]
y = (y > 0).astype(float) if loss == "binomial" else y
sent = []

def interrupt():
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)

timer = threading.Timer(0.7, interrupt)
start = time.perf_counter()
timer.start()
try:
    while True:  # long enough on any machine
        riata.fit_path(X, y, loss=loss, solver=solver, alphas=1000, eps=1e-6, tol=1e-14, max_iter=10**9)
except KeyboardInterrupt:
    print(f"{time.perf_counter() - sent[0]:.3f}")
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent differently there")
@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
@pytest.mark.parametrize("solver", ["active_set", "cd", "prox"])
def test_control_c(solver, loss):
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(SCRIPT), solver, loss]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.5


def test_the_handler_is_left_alone():
    """Fitting does not touch the signal handlers."""
    import riata

    before = signal.getsignal(signal.SIGINT)
    riata.Lasso(0.1).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
    assert signal.getsignal(signal.SIGINT) is before
