"""Seconds and memory of riata.ld_groups on simulated genotypes.

    OMP_NUM_THREADS=1 python bench/ld_groups.py --samples 2000 --variants 100000

Prints CPU seconds and groups for each r2; the check of the answer is tests/python/grouping.
"""

import argparse
import resource
import tempfile
import time

import riata


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--variants", type=int, default=100_000)
    parser.add_argument("--max-size", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        geno = riata.open_genotypes(
            riata.simulate_genotypes(f"{folder}/study", options.samples, options.variants)
        )
        before = time.process_time()
        found = riata.ld_groups(geno, r2=[0.8, 0.5, 0.2], max_size=options.max_size, n_threads=1)
        spent = time.process_time() - before
    print(f"{options.samples} samples, {options.variants} variants, groups of at most {options.max_size}")
    print(f"{spent:.2f} CPU s, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    for groups in found:
        print(f"r2 {groups.r2:g}: {len(groups)} groups, the largest of {groups.sizes.max()}")


if __name__ == "__main__":
    main()
