"""Stability selection: seconds beside refits of each half, memory, and power beside other ways to select.

    python bench/selection/stability.py cost [--shape 1000x20000] [--pairs 50] [--q 140] [--bed | --csc]
    python bench/selection/stability.py power [--seeds 20] [--correlation 0.0] [--ways NAME ...]
    python bench/selection/stability.py errors [--replicates 100]

`cost` prints processor seconds of all halves (--threads, --memory; the median of --repeats), of a loop of
`fit_path` over copies of the rows of a half (times the number of halves; of genotypes, over subsets of the
samples, whose other rows weigh nothing), and of one path on all samples to as many features; elapsed seconds
of the halves; and how much the peak of the process grew beside X. `power` draws 200 samples of 1,000
features, ten of which matter by half a standard deviation of the noise, and prints how many right and wrong
ones each way selects, on average: stability selection at several error rates, multi-split p-values, the
lasso at both choices of cross-validation, and where they are installed model-X knockoffs of hidimstat and
integrated path stability selection of ipss. `errors` draws as many samples of independent features, with ten
signals and with none, and prints how many false selections there are, on average, beside what each bound
allows. CSV on standard output.
"""

import argparse
import csv
import resource
import sys
import tempfile
import time
import warnings
from functools import partial

import numpy as np
import scipy.sparse as sp

import riata

SIGNALS, EFFECT = 10, 0.5


def seconds(run):
    """Processor seconds that a call takes, and what it returns."""
    began = time.process_time()
    out = run()
    return time.process_time() - began, out


def problem(shape, storage):
    """Features with 40 effects and a response: normal numbers, one in 20 of uniform ones, or genotypes."""
    n, p = (int(number) for number in shape.split("x"))
    if storage == "bed":
        prefix = riata.simulate_genotypes(tempfile.mkdtemp() + "/study", n, p, n_causal=50)
        study = riata.open_genotypes(prefix)
        return study, np.array([float(value) for value in study.samples["phenotype"]])
    rng = np.random.default_rng(0)
    if storage == "csc":
        X = sp.random(n, p, density=0.05, format="csc", random_state=0)
        return X, np.asarray(X[:, :40].sum(axis=1)).ravel() * 3 + rng.standard_normal(n)
    X = np.asfortranarray(rng.standard_normal((n, p)))
    return X, X[:, :40].sum(axis=1) * 5 / np.sqrt(n) + rng.standard_normal(n)


def cost(given):
    """Print what halves cost."""
    storage = "bed" if given.bed else "csc" if given.csc else "dense"
    X, y = problem(given.shape, storage)
    n = len(y)
    run = {"tol": 1e-4, "n_threads": given.threads}
    end = {"alphas": 301, "eps": 1e-3, "max_active": given.q}
    riata.fit_path(X, y, **run, **end)  # warm
    path = np.median([seconds(lambda: riata.fit_path(X, y, **run, **end))[0] for _ in range(5)])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours, elapsed = [], []
    for _ in range(given.repeats):
        began = time.perf_counter()
        spent, found = seconds(
            lambda: riata.stability_selection(
                X, y, q=given.q, n_pairs=given.pairs, memory=given.memory, **run
            )
        )
        ours.append(spent)
        elapsed.append(time.perf_counter() - began)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    half = np.sort(np.random.default_rng(1).permutation(n)[: n // 2])
    part = X.subset(samples=half) if given.bed else X[half] if given.csc else np.asfortranarray(X[half])
    loop = np.median([seconds(lambda: riata.fit_path(part, y[half], **run, **end))[0] for _ in range(5)])
    row = {
        "shape": given.shape, "storage": storage, "pairs": given.pairs, "q": given.q,
        "threads": given.threads, "memory": given.memory or "", "seconds": f"{np.median(ours):.2f}",
        "elapsed": f"{np.median(elapsed):.2f}", "loop_of_fits": f"{loop * 2 * given.pairs:.2f}",
        "one_path": f"{path:.3f}", "halves_in_paths": f"{np.median(ours) / path / (2 * given.pairs):.2f}",
        "peak_mib": f"{grown:.0f}", "selected": len(found.selected),
    }  # fmt: skip
    table = csv.DictWriter(sys.stdout, row)
    table.writeheader()
    table.writerow(row)


def draw(seed, correlation):
    """200 samples of 1,000 features, neighbours correlated, ten that are far apart matter."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((200, 1000))
    for j in range(1, 1000):
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1 - correlation**2) * X[:, j]
    true = np.arange(50, 1000, 100)
    signs = np.where(np.arange(SIGNALS) % 2, -1.0, 1.0)
    return X, EFFECT * X[:, true] @ signs + rng.standard_normal(200), true


def ways():
    """Name ways to select, each a function of X and y that returns feature numbers."""
    out = {}
    for pfer in (0.1, 0.5, 1):
        out[f"stability, pfer {pfer}"] = lambda X, y, pfer=pfer: (
            riata.stability_selection(X, y, pfer=pfer, n_threads=1).selected
        )
    out["stability, q 61"] = lambda X, y: riata.stability_selection(X, y, q=61, n_threads=1).selected
    out["stability, unimodal, pfer 1"] = lambda X, y: (
        riata.stability_selection(X, y, pfer=1, bound="unimodal", n_threads=1).selected
    )
    out["multi-split, p 0.05"] = lambda X, y: np.flatnonzero(
        riata.stability_selection(X, y, q=16, p_values=True, n_threads=1).p_values <= 0.05
    )
    for rule in ("min", "1se"):
        out[f"lasso, {rule}"] = lambda X, y, rule=rule: np.flatnonzero(
            riata.cv_path(X, y, alpha_rule=rule, n_threads=1).coef()
        )
    return out | integrated() | knockoffs_of_hidimstat()


def integrated():
    """The ways of ipss, by the expected number of false selections or the false discovery rate aimed at."""
    try:
        from ipss import ipss
    except ImportError:
        return {}

    def select(X, y, **target):
        np.random.seed(0)  # noqa: NPY002  # what it draws halves with
        return ipss(X, y, selector="l1", **target)["selected_features"]

    return {
        "ipss, 1 false": partial(select, target_fp=1),
        "ipss, 0.5 false": partial(select, target_fp=0.5),
        "ipss, fdr 0.1": partial(select, target_fdr=0.1),
    }


def knockoffs_of_hidimstat():
    """The ways of hidimstat."""
    out = {}
    try:
        import hidimstat
    except ImportError:
        return out

    def knockoffs(X, y, fdr):
        tool = hidimstat.ModelXKnockoff(random_state=0)
        tool.fit_importance(X, y)
        return np.flatnonzero(tool.fdr_selection(fdr=fdr))

    for fdr in (0.1, 0.2):
        out[f"hidimstat knockoffs, fdr {fdr}"] = lambda X, y, fdr=fdr: knockoffs(X, y, fdr)
    return out


def power(given):
    """Print right and wrong selections of each way."""
    table = csv.writer(sys.stdout)
    table.writerow(["way", "seeds", "right", "wrong", "wrong_se", "far_wrong", "seconds"])
    for name, select in ways().items():
        if given.ways and not any(name.startswith(way) for way in given.ways):
            continue
        rows = []
        seeds = min(given.seeds, 2) if name.startswith("hidimstat") else given.seeds
        for seed in range(seeds):
            X, y, true = draw(seed, given.correlation)
            spent, chosen = seconds(partial(select, X, y))
            near = np.abs(np.asarray(chosen)[:, None] - true).min(axis=1, initial=1000)
            rows.append(((near == 0).sum(), (near > 0).sum(), (near > 5).sum(), spent))
        right, wrong, far, spent = np.array(rows, dtype=float).T
        error = wrong.std(ddof=1) / np.sqrt(seeds)
        table.writerow(
            [name, seeds, right.mean(), wrong.mean(), round(error, 3), far.mean(), round(spent.mean(), 2)]
        )
        sys.stdout.flush()


def errors(given):
    """Print false selections beside their bounds, of 200 samples of 1,000 independent features."""
    table = csv.writer(sys.stdout)
    table.writerow(["signals", "bound", "q", "threshold", "allowed", "false", "false_se", "right"])
    for signals in (0, SIGNALS):
        for bound, q in (("worst", 22), ("unimodal", 31), ("r-concave", 61), ("r-concave", None)):
            rows = []
            for seed in range(given.replicates):
                X, y, true = draw(seed, 0.0)
                if not signals:
                    y, true = np.random.default_rng(1000 + seed).standard_normal(200), true[:0]
                asked = {"pfer": 1} if q is None else {"q": q, "threshold": 0.75}
                found = riata.stability_selection(X, y, bound=bound, n_threads=1, **asked)
                right = np.isin(found.selected, true).sum()
                rows.append((len(found.selected) - right, right))
            false, right = np.array(rows, dtype=float).T
            error = false.std(ddof=1) / np.sqrt(len(false))
            plan = found.plan
            table.writerow(
                [signals, bound, plan.q, plan.threshold, f"{plan.pfer:.2f}", false.mean(), f"{error:.3f}",
                 right.mean()]
            )  # fmt: skip
            sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(required=True)
    one = verbs.add_parser("cost")
    one.add_argument("--shape", default="1000x20000")
    one.add_argument("--pairs", type=int, default=50)
    one.add_argument("--q", type=int, default=140)
    one.add_argument("--threads", type=int, default=1)
    one.add_argument("--memory")
    one.add_argument("--repeats", type=int, default=1)
    kind = one.add_mutually_exclusive_group()
    kind.add_argument("--bed", action="store_true")
    kind.add_argument("--csc", action="store_true")
    one.set_defaults(run=cost)
    two = verbs.add_parser("power")
    two.add_argument("--seeds", type=int, default=20)
    two.add_argument("--correlation", type=float, default=0.0)
    two.add_argument("--ways", nargs="+", help="only those whose names begin so")
    two.set_defaults(run=power)
    three = verbs.add_parser("errors")
    three.add_argument("--replicates", type=int, default=100)
    three.set_defaults(run=errors)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    given.run(given)
