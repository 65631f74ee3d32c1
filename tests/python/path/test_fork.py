"""Fits in processes forked from one that has fitted with threads: they end, and to the same bits."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        "fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork on this system"
    ),
]

GENOTYPES = Path(__file__).parents[2] / "data" / "genotypes" / "tiny.bed"
COMMON = """
import multiprocessing, os, signal, sys, time
import numpy as np
import scipy.sparse as sp
import riata

rng = np.random.default_rng(0)
X = rng.standard_normal((150, 3000))
y = X[:, 0] + rng.standard_normal(150)

def fit(storage=np.asarray, **options):
    return riata.fit_path(storage(X), y, n_threads=2, alphas=8, **options).coefs.toarray()

def everything():
    geno = riata.open_genotypes(sys.argv[1])
    cv = riata.cv_path(X, y, n_threads=2, alphas=5, cv=3)
    return [fit(), fit(sp.csc_array), fit(np.float32), fit(loss="huber"), cv.scores, geno.counts()]

def same(found, right):
    return all(np.array_equal(a, b) for a, b in zip(found, right, strict=True))
"""

SCRIPTS = {
    "multiprocessing": """
        right = everything()
        def work(queue):
            queue.put(same(everything(), right))
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=work, args=(queue,))
        child.start()
        assert queue.get()
        child.join()
    """,
    "a server with its program loaded, and a child of its child": """
        right = everything()  # the program has fitted before it makes its workers
        for _ in range(2):
            worker = os.fork()
            if worker == 0:
                grandchild = os.fork()
                if grandchild == 0:
                    os._exit(0 if same(everything(), right) else 3)
                done = os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1])
                os._exit(done if done else 0 if same(everything(), right) else 3)
            assert os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == 0
        assert same(everything(), right)
    """,
    "joblib, processes that are forked": """
        import joblib
        right = fit()
        with joblib.parallel_config("multiprocessing", n_jobs=2):
            found = joblib.Parallel()(joblib.delayed(fit)() for _ in range(3))
        assert same(found, [right] * 3)
    """,
    "joblib, processes of loky": """
        import joblib
        right = fit()
        def again(X, y):
            import riata
            return riata.fit_path(X, y, n_threads=2, alphas=8).coefs.toarray()
        found = joblib.Parallel(n_jobs=2, backend="loky")(joblib.delayed(again)(X, y) for _ in range(3))
        assert same(found, [right] * 3)
    """,
    "scikit-learn's search with a forking backend": """
        import joblib
        from sklearn.model_selection import GridSearchCV
        riata.Lasso(0.1, n_threads=2).fit(X, y)
        search = GridSearchCV(riata.Lasso(n_threads=2), {"alpha": [0.1, 0.2]}, cv=2, n_jobs=2)
        with joblib.parallel_config("multiprocessing"):
            assert search.fit(X, y).best_params_["alpha"] in (0.1, 0.2)
    """,
    "threads that stay": """
        fit()
        child = os.fork()
        if child == 0:
            def threads():
                fit()
                return set(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else {1, 2}
            first = threads()
            os._exit(7 if len(first) > 1 and all(threads() == first for _ in range(3)) else 3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    """,
    "Ctrl-C in the child": """
        fit()
        child = os.fork()
        if child == 0:
            try:
                while True:
                    riata.fit_path(X, y, n_threads=2, alphas=300, eps=1e-6, tol=1e-14, max_iter=10**9)
            except KeyboardInterrupt:
                os._exit(7)
        time.sleep(1.0)
        os.kill(child, signal.SIGINT)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    """,
}


@pytest.mark.parametrize("how", SCRIPTS)
def test_a_forked_process_fits(how):
    script = COMMON + textwrap.dedent(SCRIPTS[how])
    command = [sys.executable, "-W", "ignore", "-c", script, str(GENOTYPES)]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        _, said = child.communicate(timeout=120)
    except subprocess.TimeoutExpired:  # with all that it has forked
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        pytest.fail("it does not end")
    assert child.returncode == 0, said
