"""Seconds to apply a long score file to many variants: `riata predict --weights` beside `plink2 --score`.

    python bench/score_speed.py --samples 2000 --variants 4000000 --rows 200000 --repeats 5

Makes a fileset and a score file of such sizes, checks that the sums agree, then runs the two programs in
turn, each as a process of its own. One CSV row a program: median and least seconds, and median processor
seconds. Needs plink2.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

BLOCK = 50_000  # variants written at a time
_CODES = np.array(
    [3, 3, 3, 2, 2, 2, 0, 1], dtype=np.uint8
)  # of three genotypes and no call, as often as these stand


def write_fileset(stem: Path, n: int, p: int, rng: np.random.Generator) -> list[tuple[str, ...]]:
    """Write stem.bed, .bim and .fam; genotypes repeat every few blocks, which no reader can tell."""
    stride = -(-n // 4)
    codes = _CODES[rng.integers(0, 8, (2, min(BLOCK, p), 4 * stride), dtype=np.uint8)]
    packed = codes[..., 0::4] | codes[..., 1::4] << 2 | codes[..., 2::4] << 4 | codes[..., 3::4] << 6
    if n % 4:
        packed[..., -1] &= (1 << 2 * (n % 4)) - 1
    with open(f"{stem}.bed", "wb") as file:
        file.write(b"\x6c\x1b\x01")
        for k, start in enumerate(range(0, p, BLOCK)):
            file.write(packed[k % 2, : min(BLOCK, p - start)].tobytes())
    chrom = np.sort(rng.integers(1, 23, p)).astype(str)
    letters = np.array([("A", "G"), ("C", "T"), ("G", "A"), ("T", "C")])[rng.integers(0, 4, p)]
    variants = [
        (chrom[j], f"rs{j}", "0", str(50 + 700 * j % 240_000_000), *letters[j].tolist()) for j in range(p)
    ]
    Path(f"{stem}.bim").write_text("".join("\t".join(row) + "\n" for row in variants))
    Path(f"{stem}.fam").write_text("".join(f"f{i} i{i} 0 0 0 -9\n" for i in range(n)))
    return variants


def write_scores(path: Path, variants: list[tuple[str, ...]], rows: int, rng: np.random.Generator) -> None:
    chosen = np.sort(rng.choice(len(variants), rows, replace=False)).tolist()
    weights = rng.standard_normal(rows).tolist()
    lines = ["ID\tCHROM\tPOS\tA1\tA2\tBETA\n"]
    for j, weight in zip(chosen, weights, strict=True):
        chrom, name, _, pos, a1, a2 = variants[j]
        lines.append(f"{name}\t{chrom}\t{pos}\t{a1}\t{a2}\t{weight:.6g}\n")
    path.write_text("".join(lines))


def timed(command: list[str]) -> tuple[float, float]:
    """Run a program; return its seconds and its processor seconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = spent.ru_utime + spent.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, used


def column(path: Path, name: str) -> np.ndarray:
    header, *rows = (line.split("\t") for line in path.read_text().splitlines())
    k = header.index(name)
    return np.array([float(row[k]) for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("samples", 2000), ("variants", 4_000_000), ("rows", 200_000), ("repeats", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="where to put the files (default: a temporary folder)")
    parser.add_argument("--smoke", action="store_true", help="tiny, to see that it runs")
    options = parser.parse_args()
    if options.smoke:
        options.samples, options.variants, options.rows, options.repeats = 60, 2000, 200, 1
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    rng = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        stem, score = Path(folder) / "g", Path(folder) / "s.txt"
        variants = write_fileset(stem, options.samples, options.variants, rng)
        write_scores(score, variants, options.rows, rng)
        ours, theirs = Path(folder) / "ours", Path(folder) / "theirs"
        programs = {
            "riata": [
                sys.executable, "-m", "riata", "predict", "--weights", str(score), "--bfile", str(stem),
                "--out", str(ours), "--quiet",
            ],
            "plink2": [
                "plink2", "--bfile", str(stem), "--score", str(score), "1", "4", "6", "header",
                "cols=+scoresums", "--threads", str(options.threads), "--out", str(theirs),
            ],
        }  # fmt: skip
        for command in programs.values():
            timed(command)
        sums = column(Path(f"{ours}.scores.tsv"), "SCORE"), column(Path(f"{theirs}.sscore"), "SCORE1_SUM")
        np.testing.assert_allclose(*sums, rtol=1e-4, atol=1e-3)  # plink2 prints six digits
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
        for _ in range(options.repeats):
            for name, command in programs.items():
                spent[name].append(timed(command))
    print("program,samples,variants,rows,threads,median_s,least_s,median_cpu_s")
    for name, runs in spent.items():
        wall, used = zip(*runs, strict=True)
        sizes = f"{options.samples},{options.variants},{options.rows},{options.threads}"
        print(f"{name},{sizes},{median(wall):.2f},{min(wall):.2f},{median(used):.2f}")


if __name__ == "__main__":
    main()
