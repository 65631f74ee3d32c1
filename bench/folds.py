"""What ten folds cost over the path alone, on real genotypes from the .bed and as float64 columns, and on
made-up columns.

    OMP_NUM_THREADS=1 python bench/folds.py --repeats 3

Body weight of 1,814 mice on 10,346 variants (mouse_hs of the folder that RIATA_SHARED_DATA names; left out
where there is none), and 500 x 20,000 columns with correlation 0.5 to their neighbours. In turn, each
--repeats times: the path of 100 alphas, cross-validation with all of them, and with the stopping rule of
the command line (patience=10). One CSV row a problem: median processor seconds of one thread, their ratios
to the path, and whether the stopping rule left both chosen alphas.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
from compare import provenance
from scipy import signal

import riata

SHARED = Path(
    os.environ.get("RIATA_SHARED_DATA", Path(__file__).resolve().parents[1].parent / "shared" / "data")
)
PATIENCE = 10
FIELDS = ("date", "commit", "machine", "problem", "n", "p", "path_s", "cv_s", "cv_over_path", "patience_s")
FIELDS += ("patience_over_path", "alphas", "alphas_with_patience", "same_choice")


def mice() -> Iterator[tuple[str, object, np.ndarray]]:
    """The .bed, and the same as columns."""
    if not (SHARED / "mouse_hs.bed").exists():
        print(f"no mouse_hs.bed in {SHARED}: left out", file=sys.stderr)
        return
    with np.load(SHARED / "mouse_hs.npz") as data:
        y = data["body_weight"].astype(np.float64)
    opened = riata.open_genotypes(str(SHARED / "mouse_hs.bed"))
    yield "mice, .bed", opened, y
    yield "mice, float64", np.asfortranarray(opened.to_numpy()), y


def columns(n: int, p: int) -> tuple[str, np.ndarray, np.ndarray]:
    """Neighbouring columns have the correlation 0.5; 50 of them matter."""
    rng = np.random.default_rng(0)
    X = signal.lfilter([1.0], [1.0, -0.5], rng.standard_normal((n, p)), axis=1)
    y = X[:, rng.choice(p, 50, replace=False)] @ rng.standard_normal(50)
    return "neighbours 0.5", np.asfortranarray(X), y / y.std() + rng.standard_normal(n) / np.sqrt(3.0)


def timed(fit: Callable[[], object]) -> tuple[object, float]:
    """What it returns, and processor seconds."""
    began = time.process_time()
    result = fit()
    return result, time.process_time() - began


def row_of(name: str, X: object, y: np.ndarray, repeats: int) -> dict:
    """One problem."""
    fits = {
        "path": lambda: riata.fit_path(X, y, n_threads=1),
        "cv": lambda: riata.cv_path(X, y, cv=10, random_state=0, n_threads=1),
        "patience": lambda: riata.cv_path(X, y, cv=10, random_state=0, patience=PATIENCE, n_threads=1),
    }
    spent: dict[str, list[float]] = {what: [] for what in fits}
    fits["path"]()  # warms up
    found = {}
    for _ in range(repeats):
        for what, fit in fits.items():
            found[what], seconds = timed(fit)
            spent[what].append(seconds)
    path, cv, patience = (median(seconds) for seconds in spent.values())
    whole, ended = found["cv"], found["patience"]
    same = whole.alpha_min == ended.alpha_min and whole.alpha_1se == ended.alpha_1se
    return {
        "date": provenance.today(), "commit": provenance.commit(), "machine": provenance.machine(),
        "problem": name, "n": X.shape[0], "p": X.shape[1], "path_s": f"{path:.3g}", "cv_s": f"{cv:.3g}",
        "cv_over_path": f"{cv / path:.2f}", "patience_s": f"{patience:.3g}",
        "patience_over_path": f"{patience / path:.2f}", "alphas": len(whole.alphas),
        "alphas_with_patience": len(ended.alphas), "same_choice": "yes" if same else "no",
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--quick", action="store_true", help="made-up columns, 60 x 400; the times mean nothing"
    )
    parser.add_argument("--out", type=Path, help="CSV to write; default: the terminal")
    args = parser.parse_args()
    problems = [columns(60, 400)] if args.quick else [*mice(), columns(500, 20_000)]
    rows = []
    for name, X, y in problems:
        rows.append(row_of(name, X, y, 1 if args.quick else args.repeats))
        if args.out:
            print(rows[-1], flush=True)
    with args.out.open("w", newline="") if args.out else sys.stdout as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
