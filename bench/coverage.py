"""How often 95 % intervals of nested cross-validation hold what the procedure reaches on new samples.

Made-up gene expression: columns that share factors, as genes do. Without signal the labels are dealt out at
random, and the truth is known (AUC 0.5, correlation 0); with one it is the mean, over the runs, of what a
cross-validated fit to the training samples of an outer fold reaches on thousands of new samples. One CSV
row a scenario and measure: runs, those whose outer folds all selected nothing (which have no interval), the
truth, mean and standard deviation of the estimate, mean width of the interval, and how often it holds the
truth, lies below it and lies above it. `--naive` adds the interval of DeLong et al. for the folds that
chose alpha, pooled, as if they were a test.
"""

import argparse
import csv
import sys
import warnings

import numpy as np

import riata

SCENARIOS = ("binomial-null", "binomial-signal", "gaussian-null", "gaussian-signal")
FACTORS = 20
TEST = 4000
FIELDS = (
    "scenario",
    "measure",
    "runs",
    "nothing",
    "truth",
    "mean",
    "sd",
    "width",
    "covered",
    "below",
    "above",
)


class Population:
    """Samples of `p` genes that share factors; a few of them drive the response."""

    def __init__(self, p: int, signal: float, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        size = 1.0 / np.sqrt(1.0 + np.arange(FACTORS))
        self.loadings = rng.standard_normal((FACTORS, p)) * (size / np.linalg.norm(size))[:, None]
        self.causal = rng.choice(p, 5, replace=False)
        self.signs = np.sign(self.loadings[0, self.causal])  # their sum goes with the largest factor
        self.signal = signal
        self.spread = float(np.std(self.genes(20_000, self.causal, rng) @ self.signs))

    def genes(self, n, columns, rng):
        """Draw n samples of some genes: half of their variance is that of the factors."""
        common = rng.standard_normal((n, FACTORS)) @ self.loadings[:, columns]
        return np.sqrt(0.5) * (common + rng.standard_normal((n, len(columns))))

    def response(self, genes, loss, rng):
        """Draw responses given the genes that drive them."""
        score = self.signal * (genes @ self.signs) / self.spread
        if loss == "gaussian":
            return score + rng.standard_normal(len(score))
        return (rng.random(len(score)) < 1.0 / (1.0 + np.exp(-score))).astype(float)

    def draw(self, n, loss, rng):
        """Draw samples; without signal of two classes as many of each, dealt out at random."""
        genes = self.genes(n, np.arange(self.loadings.shape[1]), rng)
        if self.signal == 0.0 and loss == "binomial":
            return genes, rng.permutation(np.arange(n) % 2).astype(float)
        return genes, self.response(genes[:, self.causal], loss, rng)

    def reached(self, path, alpha, loss, null, rng):
        """What a fit reaches on new samples, of which only the genes that matter are drawn."""
        coef = np.asarray(path.coef(alpha))
        columns = np.union1d(np.flatnonzero(coef), self.causal)
        genes = self.genes(TEST, columns, rng)
        y = self.response(genes[:, np.searchsorted(columns, self.causal)], loss, rng)
        link = path.intercept(alpha) + genes @ coef[columns]
        found = riata.evaluate(y, link, loss=loss, null=np.full(TEST, null))
        if found.nothing:
            return {"auc": 0.5, "correlation": 0.0, "r2": 0.0}
        return {name: found.measures[name].value for name in MEASURES[loss]}


MEASURES = {"binomial": ("auc",), "gaussian": ("r2", "correlation")}


def run(population, loss, options, seed):
    """One data set: the nested evaluation, the naive one, and what a training set of its size reaches."""
    rng = np.random.default_rng([seed, 1])
    X, y = population.draw(options.n, loss, rng)
    how = {"loss": loss, "cv": options.cv, "n_threads": 1, "random_state": seed}
    cv = riata.cv_path(X, y, nested=options.nested, **how)
    train = np.flatnonzero(cv.nested.fold_ids != 0)
    alone = riata.cv_path(X[train], y[train], **how)
    null = float(cv.nested.null[cv.nested.fold_ids == 0][0])
    truth = population.reached(alone.path, alone.alpha, loss, null, rng)
    naive = riata.evaluate(y, cv.predict_held_out(kind="link"), loss=loss)
    return cv.evaluate(y), naive, truth


def summarise(scenario, found, truths, loss):
    """Yield a row for each measure."""
    for name in MEASURES[loss]:
        told = [e.measures[name] for e in found if not e.nothing]
        value, low, high = (np.array([getattr(m, part) for m in told]) for part in ("value", "low", "high"))
        truth = float(np.mean([t[name] for t in truths]))
        if scenario.endswith("null") and name != "r2":
            truth = 0.5 if name == "auc" else 0.0
        yield {
            "scenario": scenario, "measure": name, "runs": len(found), "nothing": len(found) - len(told),
            "truth": f"{truth:.4f}", "mean": f"{value.mean():.4f}", "sd": f"{value.std(ddof=1):.4f}",
            "width": f"{np.mean(high - low):.4f}",
            "covered": f"{np.mean((low <= truth) & (truth <= high)):.4f}",
            "below": f"{np.mean(high < truth):.4f}", "above": f"{np.mean(low > truth):.4f}",
        }  # fmt: skip


def main():
    """Run the scenarios and print a CSV."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenario", choices=(*SCENARIOS, "all"), default="all")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--n", type=int, default=80)
    parser.add_argument("--p", type=int, default=12_600)
    parser.add_argument("--cv", type=int, default=10)
    parser.add_argument("--nested", type=int, default=10)
    parser.add_argument(
        "--signal", type=float, default=3.0, help="standard deviation of the score that has one"
    )
    parser.add_argument("--first", type=int, default=0, help="seed of the first run")
    parser.add_argument("--naive", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    out = csv.DictWriter(sys.stdout, FIELDS)
    out.writeheader()
    for scenario in SCENARIOS if options.scenario == "all" else (options.scenario,):
        loss, kind = scenario.split("-")
        population = Population(options.p, options.signal if kind == "signal" else 0.0)
        seeds = range(options.first, options.first + options.runs)
        done = [run(population, loss, options, seed) for seed in seeds]
        truths = [truth for _, _, truth in done]
        out.writerows(summarise(scenario, [nested for nested, _, _ in done], truths, loss))
        if options.naive:
            out.writerows(summarise(f"{scenario}-naive", [naive for _, naive, _ in done], truths, loss))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
