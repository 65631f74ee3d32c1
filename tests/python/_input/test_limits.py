"""`max_active` and `memory`: what they allow is kept; what they leave nothing of is refused at every door."""

import re
import subprocess
import sys

import numpy as np
import pytest
from support import make_problem

import riata

FREE = np.r_[np.zeros(3), np.ones(17)]
DOORS = {
    "fit_path": lambda X, y, **given: riata.fit_path(X, y, **given),
    "cv_path": lambda X, y, **given: riata.cv_path(X, y, cv=3, **given),
    "fit_paths": lambda X, y, **given: riata.fit_multi_path(X, [y], **given),
    "cv_paths": lambda X, y, **given: riata.cv_multi_path(X, [y], cv=3, **given),
}


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "poisson", "cox"])
@pytest.mark.parametrize("door", list(DOORS))
def test_max_active_below_the_first_fit_is_refused(door, loss):
    X, y = make_problem(loss, 40, 20)
    fit = DOORS[door]
    with pytest.raises(ValueError, match=r"max_active must be at least 3, .* first alpha, got 1"):
        fit(X, y, loss=loss, penalty_factor=FREE, max_active=1)
    with pytest.raises(ValueError, match=r"max_active must be at least 20, .*got 5"):
        fit(X, y, loss=loss, l1_ratio=0.0, max_active=5)
    found = fit(X, y, loss=loss, penalty_factor=FREE, max_active=3, alphas=5)
    found = found[0] if isinstance(found, list) else found
    assert getattr(found, "path", found).n_active.tolist()[0] == 3


def test_the_response_is_named_when_there_are_several():
    X, y = make_problem(n=40, p=20)
    with pytest.raises(ValueError, match=r"max_active must be at least 3, .* in fit 1 of 2, got 2"):
        riata.fit_multi_path(X, [y, -y], penalty_factor=FREE, max_active=2)


@pytest.mark.parametrize("door", list(DOORS))
def test_memory_that_the_rows_alone_take_is_refused(door):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, 3))
    with pytest.raises(ValueError, match=r"memory must be at least \d+ bytes .* got 1048576"):
        DOORS[door](X, X[:, 0] + rng.standard_normal(20_000), memory="1M")


def test_what_memory_must_be_at_least_is_enough():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, 3))
    y = X[:, 0] + rng.standard_normal(20_000)
    with pytest.raises(ValueError, match="memory must be at least") as refused:
        riata.fit_path(X, y, memory=1000)
    least = int(re.search(r"at least (\d+)", str(refused.value))[1])
    path = riata.fit_path(X, y, memory=least + 2**20)
    assert path.stop_reason == ""
    np.testing.assert_allclose(path.coefs.toarray(), riata.fit_path(X, y).coefs.toarray(), atol=1e-5)


HELD = """
import sys, warnings
import numpy as np
import riata

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))

call, n, memory = getattr(riata, sys.argv[1]), int(sys.argv[2]), sys.argv[3]
rng = np.random.default_rng(0)
X = np.asfortranarray(rng.standard_normal((n, 5)))
y = X[:, 0] + rng.standard_normal(n)
warnings.simplefilter("ignore")
call(X[:200], y[:200])
before = peak()
out = call(X, y, **({"memory": memory} if memory != "none" else {}))
path = getattr(out, "path", out)
folds = {"cv": 10} if path is not out else {}
print(peak() - before, path.counters["memory"] / 2**20, riata.estimate_memory(X, **folds).total / 2**20)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measured in /proc")
@pytest.mark.parametrize(("call", "memory"), [("fit_path", "60M"), ("cv_path", "500M"), ("cv_path", "none")])
def test_memory_is_kept_on_tall_data_and_estimated(call, memory):
    """MiB held above what the process had, for 100,000 samples of five features."""
    command = [sys.executable, "-c", HELD, call, "100000", memory]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    held, told, estimate = map(float, done.stdout.split())
    if memory != "none":
        assert held <= 1.1 * float(memory[:-1])
    assert 0.75 * told <= held <= 1.25 * told
    assert 0.75 * estimate <= held <= 1.25 * estimate or memory != "none"


def test_tall_data_take_a_few_times_their_size():
    X = np.empty((10**6, 10))
    assert riata.estimate_memory(X, cv=5).total <= 2 * 2**30
    assert riata.estimate_memory(X).total <= 400 * 2**20


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["fit", "cv"])
def test_the_command_line_says_it_in_one_line(tmp_path, verb):
    riata.simulate_genotypes(tmp_path / "g", 60, 100)
    run = [sys.executable, "-m", "riata", verb, "--bfile", "g", "--l1-ratio", "0", "--out", "o", "--quiet"]
    for given, words in (
        (["--max-active", "5"], "max_active must be at least"),
        (["--memory", "10K"], "memory must"),
    ):
        done = subprocess.run([*run, *given], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert words in done.stderr
