"""Whether nested cross-validation of half the samples agrees with what the fit reaches on the other half.

For files of X and y as NumPy writes them (.npz): the AUC of two classes (0 and 1), else R2 and the
correlation. Halves are drawn anew for each run. One CSV row a file and measure: mean of the nested estimate,
mean of the value on the other half, mean width of the interval, and in how many runs it holds that mean.
"""

import argparse
import csv
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

import riata

FIELDS = ("data", "n", "p", "measure", "runs", "nested", "other_half", "width", "held")


def halves(X, y, loss, nested, seed):
    """Evaluate a fit to one half by nested folds within it, and on the other half."""
    labels = y if loss == "binomial" else None
    train, test = train_test_split(np.arange(len(y)), test_size=0.5, random_state=seed, stratify=labels)
    cv = riata.cv_path(X[train], y[train], loss=loss, nested=nested, random_state=seed, n_threads=1)
    link = cv.predict(X[test], kind="link")
    null = np.full(len(test), y[train].mean())
    if loss == "binomial":
        null = np.log(null / (1.0 - null))
    return cv.evaluate(y[train]), riata.evaluate(y[test], link, loss=loss, null=null)


def main():
    """Print a CSV."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--nested", type=int, default=10)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    out = csv.DictWriter(sys.stdout, FIELDS)
    out.writeheader()
    for name in options.files:
        data = np.load(name)
        X, y = data["X"].astype(np.float64), data["y"].astype(np.float64)
        loss = "binomial" if len(np.unique(y)) == 2 else "gaussian"
        done = [halves(X, y, loss, options.nested, seed) for seed in range(options.runs)]
        done = [pair for pair in done if not pair[0].nothing and not pair[1].nothing]
        for measure in ("auc",) if loss == "binomial" else ("r2", "correlation"):
            inside, other = ([found.measures[measure] for found in side] for side in zip(*done, strict=True))
            truth = float(np.mean([m.value for m in other]))
            out.writerow(
                {
                    "data": Path(name).stem, "n": len(y), "p": X.shape[1], "measure": measure,
                    "runs": len(done),
                    "nested": f"{np.mean([m.value for m in inside]):.4f}", "other_half": f"{truth:.4f}",
                    "width": f"{np.mean([m.high - m.low for m in inside]):.4f}",
                    "held": sum(m.low <= truth <= m.high for m in inside),
                }
            )  # fmt: skip
        sys.stdout.flush()


if __name__ == "__main__":
    main()
