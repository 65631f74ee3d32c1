"""Knockoffs of genotypes: what they cost, and false discoveries on real genotypes with made-up traits.

    python bench/selection/haplotypes.py cost [--samples 2000] [--variants 100000] [--fit-samples 2000]
    python bench/selection/haplotypes.py real FILE [FILE ...] [--traits 100] [--fdr 0.1] [--r2 0.3]
        [--clusters 10]

`cost` simulates a study and prints processor seconds of EM, of a draw and of the filter (a cross-validated
lasso on the pairs), and the peak memory of the process. `real` takes genotypes of real people or animals,
whose law is not that of the model, draws traits with 20 effects that explain half of their variance, and
prints the share of false groups among those selected, on average over traits with new knockoffs each, its
standard error, the share of true ones found, and what the check of the knockoffs says. Variants that have
one copy in some samples are left out, as are constant ones. CSV on standard output.
"""

import argparse
import csv
import resource
import sys
import tempfile
import time
import warnings

import numpy as np

import riata

CAUSAL, H2 = 20, 0.5


def seconds(run):
    """Processor seconds that a call takes, and what it returns."""
    began = time.process_time()
    out = run()
    return time.process_time() - began, out


def peak():
    """Megabytes of memory that the process had in use, at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def cost(given):
    """Print what each step costs."""
    prefix = tempfile.mkdtemp() + "/study"
    riata.simulate_genotypes(prefix, given.samples, given.variants, n_causal=50, seed=1)
    study = riata.open_genotypes(prefix)
    y = np.array([float(value) for value in study.samples["phenotype"]])
    rows = csv.writer(sys.stdout)
    rows.writerow(["step", "seconds", "peak_mb"])
    sampler = riata.knockoffs.Haplotypes(fit_samples=given.fit_samples)
    rows.writerow(["fit", round(seconds(lambda: sampler.fit(study))[0], 1), round(peak())])
    spent, made = seconds(lambda: sampler.draw(study))
    rows.writerow(["draw", round(spent, 1), round(peak())])
    spent, found = seconds(lambda: riata.knockoff_selection(study, y, knockoffs=made, check=False))
    rows.writerow(["filter", round(spent, 1), round(peak())])
    spent, told = seconds(lambda: made.check(study))
    rows.writerow(["check", round(spent, 1), round(peak())])
    print(f"{len(found.selected)} selected; {told!r}", file=sys.stderr)


def usable(file):
    """Genotypes of a file without what haplotype models are not for."""
    geno = riata.open_genotypes(file)
    kinds = {name: geno.chromosome_set.kind(name) for name in geno.variants.chrom.unique()}
    diploid = np.array([kinds[name] in ("autosome", "XY", "other") for name in geno.variants.chrom])
    return geno.subset(variants=diploid & ~geno.monomorphic())


def real(given):
    """Print errors and power for each file."""
    rows = None
    for file in given.files:
        geno = usable(file)
        n, p = geno.shape
        groups = riata.ld_groups(geno, r2=given.r2)
        sampler = riata.knockoffs.Haplotypes(n_clusters=given.clusters, related="ok")
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            fitting, _ = seconds(lambda sampler=sampler, geno=geno: sampler.fit(geno))
        check = sampler.draw(geno, groups=groups).check(geno)
        false, power, selected, spent = [], [], [], 0.0
        for trait in range(given.traits):
            rng = np.random.default_rng(trait)
            causal = rng.choice(p, CAUSAL, replace=False)
            X = geno.to_numpy(causal)
            X = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
            value = (X - X.mean(axis=0)) / X.std(axis=0) @ rng.choice([-1.0, 1.0], CAUSAL)
            y = value + rng.standard_normal(n) * value.std() * np.sqrt(1.0 / H2 - 1.0)
            made = sampler.draw(geno, groups=groups, random_state=trait)
            took, found = seconds(
                lambda geno=geno, y=y, made=made, groups=groups, trait=trait: riata.knockoff_selection(
                    geno, y, knockoffs=made, groups=groups, fdr=given.fdr, check=False, random_state=trait
                )
            )
            chosen, right = set(found.selected.tolist()), set(groups.labels[causal].tolist())
            false.append(len(chosen - right) / max(len(chosen), 1))
            power.append(len(chosen & right) / len(right))
            selected.append(len(chosen))
            spent += took
        error = np.std(false, ddof=1) / np.sqrt(len(false)) if len(false) > 1 else np.nan
        row = {
            "file": file.rsplit("/", 1)[-1],
            "samples": n,
            "variants": p,
            "groups": len(groups),
            "traits": given.traits,
            "nominal": given.fdr,
            "fdr": round(np.mean(false), 3),
            "se": round(error, 3),
            "power": round(np.mean(power), 3),
            "selected": round(np.mean(selected), 1),
            "check_between": round(check.ratio_between, 2),
            "check_across": round(check.ratio_across, 2),
            "check_ok": check.ok,
            "warned": len(told),
            "fit_seconds": round(fitting, 1),
            "trait_seconds": round(spent / given.traits, 2),
        }
        if rows is None:
            rows = csv.DictWriter(sys.stdout, row)
            rows.writeheader()
        rows.writerow(row)
        sys.stdout.flush()


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(required=True)
    one = verbs.add_parser("cost")
    one.add_argument("--samples", type=int, default=2000)
    one.add_argument("--variants", type=int, default=100_000)
    one.add_argument("--fit-samples", type=int, default=2000)
    one.set_defaults(run=cost)
    other = verbs.add_parser("real")
    other.add_argument("files", nargs="+")
    other.add_argument("--traits", type=int, default=100)
    other.add_argument("--fdr", type=float, default=0.1)
    other.add_argument("--r2", type=float, default=0.3)
    other.add_argument("--clusters", type=int, default=10)
    other.set_defaults(run=real)
    given = parser.parse_args()
    given.run(given)


if __name__ == "__main__":
    main()
