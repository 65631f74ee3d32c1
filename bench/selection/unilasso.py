"""The univariate-guided lasso beside the lasso: features selected, and accuracy on samples held out.

    python bench/selection/unilasso.py [--genotypes 1000x5000] [--seeds 10] [FILE.npz[:RESPONSE] ...]

Simulated genotypes (100 causal variants, heritability 0.5, a new simulation for each seed), and files of X
and y as NumPy writes them. For each seed a fifth of the samples is held out; both methods choose alpha by the
same five folds of the others and predict the held-out samples: R2 of numbers, AUC of two classes. Means over
seeds, and the mean difference with its standard error. One CSV row for each set of data and rule.
"""

import argparse
import csv
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import train_test_split

import riata

FIELDS = (
    "data", "n", "p", "rule", "seeds", "lasso_size", "unilasso_size", "lasso_score", "unilasso_score",
    "difference", "se",
)  # fmt: skip
METHODS = {"lasso": None, "unilasso": riata.penalties.UniLasso()}


def simulated(shape, seed):
    """Genotypes that share blocks of linkage disequilibrium, and a trait."""
    n, p = (int(number) for number in shape.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder) / "made"
        riata.simulate_genotypes(prefix, n, p, seed=seed)
        geno = riata.open_genotypes(prefix)
        y = np.loadtxt(f"{prefix}.pheno.txt", skiprows=1, usecols=2)
        calls = geno.to_numpy()
        return np.where(np.isnan(calls), np.nanmean(calls, axis=0), calls), y


def stored(name):
    """X and y of a file, samples without y left out."""
    name, _, response = name.partition(":")
    data = np.load(name)
    X, y = data["X"].astype(np.float64), data[response or "y"].astype(np.float64)
    return X[np.isfinite(y)], y[np.isfinite(y)]


def compare(X, y, seed):
    """{(method, rule): (features selected, score of held-out samples)}."""
    binary = len(np.unique(y)) == 2
    train, test = train_test_split(
        np.arange(len(y)), test_size=0.2, random_state=seed, stratify=y if binary else None
    )
    out = {}
    for method, penalty in METHODS.items():
        cv = riata.cv_path(
            X[train],
            y[train],
            loss="binomial" if binary else "gaussian",
            penalty=penalty,
            cv=5,
            random_state=seed,
        )
        for rule, alpha in (("min", cv.alpha_min), ("1se", cv.alpha_1se)):
            link = cv.path.predict(X[test], alpha, kind="link")
            score = roc_auc_score(y[test], link) if binary else r2_score(y[test], link)
            out[method, rule] = (np.count_nonzero(cv.path.coef(alpha)), score)
    return out


def main():
    """Print a CSV."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*")
    parser.add_argument("--genotypes", default="1000x5000", help="samples x variants to simulate; none: none")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    out = csv.DictWriter(sys.stdout, FIELDS)
    out.writeheader()
    sets = (
        []
        if options.genotypes == "none"
        else [("simulated genotypes", lambda seed: simulated(options.genotypes, seed))]
    )
    sets += [
        (Path(name).stem if ":" not in name else Path(name).name, lambda seed, name=name: stored(name))
        for name in options.files
    ]
    for name, read in sets:
        found = []
        for seed in range(options.seeds):
            X, y = read(seed)
            found.append(compare(X, y, seed))
        for rule in ("min", "1se"):
            table = {
                method: np.array([one[method, rule] for one in found], dtype=float) for method in METHODS
            }
            apart = table["unilasso"][:, 1] - table["lasso"][:, 1]
            out.writerow(
                {
                    "data": name, "n": X.shape[0], "p": X.shape[1], "rule": rule, "seeds": options.seeds,
                    **{f"{method}_size": f"{table[method][:, 0].mean():.1f}" for method in METHODS},
                    **{f"{method}_score": f"{table[method][:, 1].mean():.3f}" for method in METHODS},
                    "difference": f"{apart.mean():.3f}",
                    "se": f"{apart.std(ddof=1) / len(apart) ** 0.5:.3f}" if len(apart) > 1 else "",
                }
            )  # fmt: skip
            sys.stdout.flush()


if __name__ == "__main__":
    main()
