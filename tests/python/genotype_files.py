"""Small .pgen and .bgen files for tests, written from copies of the ALT (second) allele."""

import os
from pathlib import Path

import numpy as np

from riata._io.tables import Table

SHARED = Path(
    os.environ.get("RIATA_SHARED_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data")
)


class ArrayReader:
    """A reader of an array, variants x samples; `has_dosages` as told."""

    chromosome_set = None

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


#: PLINK's 2-bit codes of 0, 1, 2 copies of A1, and of no call.
_BED_CODES = {0.0: 3, 1.0: 2, 2.0: 0}


def write_bed(stem, variants, copies, samples=None):
    """Write stem.bed, .bim and .fam; returns the prefix.

    `variants` are (chrom, id, pos, a1, a2); `copies` of a1, variants x samples, NaN where missing; `samples`
    are IIDs, FIDs are f0, f1, ...
    """
    p, n = np.shape(copies)
    samples = [f"i{k}" for k in range(n)] if samples is None else samples
    stride = -(-n // 4)
    body = np.zeros((p, stride), dtype=np.uint8)
    for j, row in enumerate(copies):
        for i, value in enumerate(row):
            body[j, i // 4] |= _BED_CODES.get(float(value), 1) << 2 * (i % 4)
    Path(f"{stem}.bed").write_bytes(b"\x6c\x1b\x01" + body.tobytes())
    Path(f"{stem}.bim").write_text("".join(f"{c}\t{i}\t0\t{b}\t{x}\t{y}\n" for c, i, b, x, y in variants))
    Path(f"{stem}.fam").write_text("".join(f"f{k}\t{name}\t0\t0\t0\t-9\n" for k, name in enumerate(samples)))
    return str(stem)


def _rows(p, chrom, variants):
    return [(chrom, f"rs{j}", 100 + j, "A", "G") for j in range(p)] if variants is None else variants


def write_pgen(stem, copies, *, dosages=False, chrom=1, variants=None):
    """Write stem.pgen, .pvar and .psam; returns the .pgen file's name. `variants`: as for `write_bed`."""
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
    rows = _rows(p, chrom, variants)
    lines = "".join(f"{c}\t{pos}\t{name}\t{ref}\t{alt}\n" for c, name, pos, alt, ref in rows)
    Path(f"{stem}.pvar").write_text("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n" + lines)
    Path(f"{stem}.psam").write_text(
        "#FID\tIID\tSEX\tweight\n" + "".join(f"f{i}\ti{i}\t{1 + i % 2}\t{i / 2}\n" for i in range(n))
    )
    return path


def write_bgen(stem, copies, *, samples=True, bits=8, chrom=1, variants=None):
    """Write stem.bgen with probabilities whose mean is `copies`; returns its name."""
    import bgen

    n = copies.shape[1]
    names = [f"i{i}" for i in range(n)] if samples else []
    rows = _rows(len(copies), chrom, variants)
    with bgen.BgenWriter(f"{stem}.bgen", n, samples=names) as writer:
        for j, row in enumerate(copies.astype(np.float64)):
            twice = np.maximum(row - 1, 0)
            once = row - 2 * twice
            probabilities = np.column_stack((1 - once - twice, once, twice))
            c, name, pos, second, first = rows[j]
            writer.add_variant(f"v{j}", name, str(c), pos, [first, second], probabilities, bit_depth=bits)
    return f"{stem}.bgen"


def write_phased_bgen(stem, haplotypes, *, bits=8, chrom=1, variants=None):
    """Write stem.bgen with probabilities of the second allele by haplotype, (2, variants, samples)."""
    import bgen

    n = haplotypes.shape[2]
    rows = _rows(haplotypes.shape[1], chrom, variants)
    with bgen.BgenWriter(f"{stem}.bgen", n, samples=[f"i{i}" for i in range(n)]) as writer:
        for j, (one, two) in enumerate(zip(*haplotypes.astype(np.float64), strict=True)):
            probabilities = np.column_stack((1 - one, one, 1 - two, two))
            c, name, pos, second, first = rows[j]
            writer.add_variant(
                f"v{j}", name, str(c), pos, [first, second], probabilities, phased=True, bit_depth=bits
            )
    return f"{stem}.bgen"
