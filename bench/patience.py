"""Where `patience` would end cross-validated paths, and whether that moves the alpha that they choose.

For files of X and responses as NumPy writes them (.npz): y (classes 0, 1, ... or numbers), Y of several,
other numbers with a value a sample, or time and event; sparse X as data, indices, indptr and shape. Each
is cross-validated along its whole path. One CSV row a response, loss and l1_ratio: alphas of the path, the
position of the best, where a path would end with each patience, and `least`, the least patience from which
on the choice stays. With --fit N it is fitted again with that patience: `same` says whether alphas, scores
and choices are those of the whole path so far, `share` is the processor time of the second fit over that
of the first.
"""

import argparse
import csv
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import scipy.sparse as sp

import riata

PATIENCE = (3, 5, 8, 10, 15, 20)
OF_A_PATH = ("a0", "dev_ratio", "lambda")  # of a stored fit
MOST_CLASSES = 5  # of a response of whole numbers


def features_of(data):
    """Return X as numbers that a fit takes."""
    if "indptr" in data:
        parts = (data["data"].astype(np.float64), data["indices"], data["indptr"])
        return sp.csc_array(sp.csr_array(parts, shape=tuple(data["shape"])))
    X = np.asfortranarray(data["X"])
    if X.dtype == np.int8 and X.min() == -9:
        X = np.where(X == -9, np.nan, X.astype(np.float64))
    return X if X.dtype == np.int8 else X.astype(np.float64, order="F")


def responses_of(data, n, stem):
    """Yield names of responses, the responses and losses to try."""
    if "event" in data:
        yield "time", np.column_stack([data["time"], data["event"]]).astype(np.float64), ["cox"]
        return
    named = {name: data[name] for name in data.files if name.startswith("y")}
    if "Y" in data:
        named |= {f"Y{k}": data["Y"][:, k] for k in range(data["Y"].shape[1])}
        yield "Y", data["Y"].astype(np.float64), ["multigaussian"]
    named |= {
        name: data[name]
        for name in data.files
        if data[name].dtype.kind == "f" and data[name].shape == (n,) and name not in OF_A_PATH
    }
    for name, y in named.items():
        if y.shape != (n,) or y.dtype.kind not in "iuf":
            continue
        known = y[np.isfinite(y)]
        classes = len(np.unique(known))
        if classes == 2:
            losses = ["binomial"]
        elif classes <= MOST_CLASSES and y.dtype.kind in "iu":
            losses = ["multinomial"]
        elif y.dtype.kind in "iu" and known.min() >= 0 and "poisson" in stem:
            losses = ["poisson"]
        else:
            losses = ["gaussian"]
        yield name, y.astype(np.float64) if losses != ["multinomial"] else y, losses


def end_of(cv, patience):
    """Where a path ends: the best so far beaten by one standard error, downwards, so many times in a row."""
    cost = cv.mean_score * (-1.0 if cv.scoring in ("auc", "concordance") else 1.0)
    best, waited = 0, 0
    for k in range(len(cost)):
        if cost[k] < cost[best]:
            best = k
        waited = waited + 1 if cost[k] > cost[best] + cv.se_score[best] else 0
        if waited == patience:
            return k
    return len(cost) - 1


def moved(cv, end):
    """Whether a path up to there chooses otherwise."""
    best = int(np.flatnonzero(cv.path.alphas == cv.alpha_min)[0])
    return end < best


def timed(X, y, **options):
    """Cross-validate; return that and processor seconds."""
    began = time.process_time()
    cv = riata.cv_path(X, y, **options)
    return cv, time.process_time() - began


def main():
    """Print a CSV."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+")
    parser.add_argument("--fit", type=int, metavar="N", help="fit again with this patience")
    parser.add_argument("--l1-ratio", type=float, nargs="+", default=[1.0])
    parser.add_argument("--scoring", help="in place of the first score of each loss")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    fields = ["data", "response", "loss", "n", "p", "l1_ratio", "scoring", "alphas", "best", "one_se"]
    fields += [*(f"end_{k}" for k in PATIENCE), "least", "seconds", "same", "share"]
    out = csv.DictWriter(sys.stdout, fields)
    out.writeheader()
    for file in asked.files:
        data = np.load(file)
        if "X" not in data and "indptr" not in data:
            continue
        X = features_of(data)
        for name, y, losses in responses_of(data, X.shape[0], Path(file).stem):
            known = np.isfinite(y).reshape(len(y), -1).all(axis=1)
            here = X if known.all() else X[known]
            impute = "mean" if not sp.issparse(X) and X.dtype == np.float64 and np.isnan(X).any() else None
            for loss in losses:
                for ratio in asked.l1_ratio:
                    options = {"loss": loss, "l1_ratio": ratio, "impute": impute, "n_threads": 1}
                    try:
                        cv, spent = timed(here, y[known], scoring=asked.scoring, **options)
                    except ValueError as error:
                        print(f"{file} {name}: {error}", file=sys.stderr)
                        continue
                    alphas = cv.path.alphas
                    ends = {k: end_of(cv, k) for k in range(1, 41)}
                    bad = [k for k, end in ends.items() if moved(cv, end)]
                    row = {
                        "data": Path(file).stem, "response": name, "loss": loss, "n": len(y), "p": X.shape[1],
                        "l1_ratio": ratio, "scoring": cv.scoring, "alphas": len(alphas),
                        "best": int(np.flatnonzero(alphas == cv.alpha_min)[0]),
                        "one_se": int(np.flatnonzero(alphas == cv.alpha_1se)[0]),
                        "least": max(bad, default=0) + 1, "seconds": f"{spent:.2f}",
                        **{f"end_{k}": ends[k] for k in PATIENCE},
                    }  # fmt: skip
                    if asked.fit:
                        short, less = timed(
                            here, y[known], scoring=asked.scoring, patience=asked.fit, **options
                        )
                        count = len(short.path.alphas)
                        row["same"] = bool(
                            count == ends[asked.fit] + 1
                            and np.array_equal(short.path.alphas, alphas[:count])
                            and np.allclose(short.scores, cv.scores[:count], rtol=1e-12, atol=0.0)
                            and np.array_equal(short.fold_gaps, cv.fold_gaps[:count])
                            and short.alpha_min == cv.alpha_min
                            and short.alpha_1se == cv.alpha_1se
                        )
                        row["share"] = f"{less / spent:.2f}"
                    out.writerow(row)
                    sys.stdout.flush()


if __name__ == "__main__":
    main()
