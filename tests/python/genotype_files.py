"""Small .pgen and .bgen files for tests, written from copies of the ALT (second) allele."""

import os
from pathlib import Path

import numpy as np

from riata.tables import Table

SHARED = Path(
    os.environ.get("RIATA_SHARED_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data")
)


class ArrayReader:
    """A reader of an array, variants x samples; `has_dosages` as told."""

    def __init__(self, copies, has_dosages=None):
        self.copies, self.has_dosages = copies, has_dosages
        self.path, self.files = "array", ["array"]
        self.samples = Table({"iid": np.arange(copies.shape[1])})
        self.variants = Table({"id": np.arange(copies.shape[0])})

    def read(self, columns):
        part = self.copies[columns]
        return part if self.has_dosages is not False else np.where(np.isnan(part), 3, part).astype(np.uint8)


def random_copies(n, p, *, missing=0.1, seed=0):
    """Copies 0, 1, 2 with NaN for missing, variants x samples, float32."""
    rng = np.random.default_rng(seed)
    copies = rng.integers(0, 3, (p, n)).astype(np.float32)
    copies[rng.random((p, n)) < missing] = np.nan
    return copies


def random_dosages(n, p, *, missing=0.1, seed=0):
    """Multiples of 1/16384 in [0, 2] with NaN for missing, variants x samples, float32."""
    rng = np.random.default_rng(seed)
    dosages = (rng.integers(0, 2 * 16384 + 1, (p, n)) / 16384).astype(np.float32)
    dosages[rng.random((p, n)) < missing] = np.nan
    return dosages


def write_pgen(stem, copies, *, dosages=False, chrom=1):
    """Write stem.pgen, .pvar and .psam; returns the .pgen file's name."""
    import pgenlib

    p, n = copies.shape
    path = f"{stem}.pgen"
    with pgenlib.PgenWriter(
        path.encode(), n, variant_ct=p, nonref_flags=False, dosage_present=dosages
    ) as writer:
        for row in np.where(np.isnan(copies), -9, copies):
            if dosages:
                writer.append_dosages(row.astype(np.float64))
            else:
                writer.append_biallelic(row.astype(np.int8))
    variants = "".join(f"{chrom}\t{100 + j}\trs{j}\tG\tA\n" for j in range(p))
    Path(f"{stem}.pvar").write_text("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n" + variants)
    Path(f"{stem}.psam").write_text(
        "#FID\tIID\tSEX\tweight\n" + "".join(f"f{i}\ti{i}\t{1 + i % 2}\t{i / 2}\n" for i in range(n))
    )
    return path


def write_bgen(stem, copies, *, samples=True, bits=8, chrom=1):
    """Write stem.bgen with probabilities whose mean is `copies`; returns its name."""
    import bgen

    n = copies.shape[1]
    names = [f"i{i}" for i in range(n)] if samples else []
    with bgen.BgenWriter(f"{stem}.bgen", n, samples=names) as writer:
        for j, row in enumerate(copies.astype(np.float64)):
            twice = np.maximum(row - 1, 0)
            once = row - 2 * twice
            probabilities = np.column_stack((1 - once - twice, once, twice))
            writer.add_variant(
                f"v{j}", f"rs{j}", str(chrom), 100 + j, ["G", "A"], probabilities, bit_depth=bits
            )
    return f"{stem}.bgen"
