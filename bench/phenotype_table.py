"""Peak memory and time of reading a few columns of a long phenotype table, beside all of it where asked."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from riata._io.tables import read_text_table


def write_table(path: Path, samples: int, phenotypes: int, seed: int) -> None:
    """Write FID, IID and phenotypes P1, P2, ... of three decimals, NA in one cell of fifty."""
    rng = np.random.default_rng(seed)
    words = np.array([f"{value:.3f}" for value in rng.standard_normal(50_000)], dtype=object)
    words[::50] = "NA"
    with path.open("w", encoding="ascii") as file:
        file.write("\t".join(["FID", "IID", *(f"P{k + 1}" for k in range(phenotypes))]) + "\n")
        for i in range(samples):
            cells = words[rng.integers(0, len(words), phenotypes)]
            file.write(f"F{i}\tS{i}\t" + "\t".join(cells) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--phenotypes", type=int, default=500)
    parser.add_argument("--wanted", type=int, default=3, help="columns that are asked for; 0: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the table is written, and kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        path = folder / f"phenotypes_{options.samples}_{options.phenotypes}_{options.seed}.tsv"
        if not path.exists():
            write_table(path, options.samples, options.phenotypes, options.seed)
        before, began = peak_mb(), time.perf_counter()
        wanted = [f"P{1 + k * 7 % options.phenotypes}" for k in range(options.wanted)]
        table = read_text_table(path, wanted=wanted or None)
        seconds = time.perf_counter() - began
        for name in wanted:
            cells = table.column(name)
            assert len(cells) == options.samples
        print("samples,phenotypes,wanted,file_mb,before_mb,peak_mb,seconds")
        size = os.path.getsize(path) / 1e6
        print(
            f"{options.samples},{options.phenotypes},{options.wanted},{size:.0f},{before:.0f},{peak_mb():.0f},"
            f"{seconds:.1f}"
        )


def peak_mb() -> float:
    """Return the largest resident set of the process, in MB."""
    unit = 1.0 if sys.platform == "darwin" else 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main()
