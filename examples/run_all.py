"""Run every lesson: their figures land in FOLDER, and a claim that no longer holds ends the run.

python examples/run_all.py [FOLDER]
"""

from __future__ import annotations

import importlib
import time

from lesson import arguments, run

LESSONS = (
    "diamond_and_circle",
    "shrinkage",
    "bias_and_variance",
    "scale",
    "prior",
    "interactions",
    "leukemia",
    "gene_sets",
    "lorenz",
    "roessler",
    "forecast",
    "false_selections",
)

if __name__ == "__main__":
    given = arguments(__doc__).parse_args()
    for name in LESSONS:
        began = time.perf_counter()
        print(f"==== {name}")
        files = run(importlib.import_module(name).lesson, given.folder, given.kind)
        if not files or not all(file.stat().st_size for file in files):
            raise SystemExit(f"{name} left a figure out: {files}")
        for file in files:
            print(f"wrote {file}, {file.stat().st_size / 1000:.0f} kB")
        print(f"{time.perf_counter() - began:.1f} s")
