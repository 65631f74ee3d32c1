"""Haplotypes of a chromosome in words: those of sample i are samples 2i and 2i + 1 of the models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata.genetics.genotypes import Genotypes
from riata.knockoffs._genotype_words import Words, words_of

Positions = NDArray[np.int64]

_VARIANTS_AT_ONCE = 512
_LOW, _HIGH, _EVEN = np.uint32(0x55555555), np.uint32(0xAAAAAAAA), np.uint32(0x33333333)
#: Shifts that bring pairs of bits apart, each with the bits that are then in their place.
_SPREAD = ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333))


def phased_words_of(geno: Genotypes, columns: Positions, samples: Positions) -> Words:
    """Return words of the haplotypes of some samples, numbered as in `geno`, at some variants.

    The code of a haplotype is that of two copies of its allele.
    """
    calls, first = words_of(geno, columns, samples), geno._first_haplotypes()
    rows = samples if geno._rows is None else geno._rows[samples]
    out = np.empty((-(-len(rows) // 8), len(columns)), dtype=np.uint32)
    for start in range(0, len(columns), _VARIANTS_AT_ONCE):
        block = slice(start, start + _VARIANTS_AT_ONCE)
        out[:, block] = split(calls[:, block], _core.gather_samples(first[columns[block]], rows), len(out))
    return out


def split(calls: Words, first: Words, batches: int) -> Words:
    """Return words of haplotypes, given genotypes and which allele first haplotypes have."""
    one_copy = (calls >> np.uint32(1)) & ~calls & _LOW
    one_copy |= one_copy << np.uint32(1)
    one, two = (calls & ~one_copy) | (first & one_copy), (calls & ~one_copy) | (~first & one_copy)
    out = np.empty((2 * len(calls), calls.shape[1]), dtype=np.uint32)
    for half in range(2):
        shift = np.uint32(16 * half)
        out[half::2] = _spread((one >> shift) & np.uint32(0xFFFF))
        out[half::2] |= _spread((two >> shift) & np.uint32(0xFFFF)) << np.uint32(2)
    return out[:batches]


def join(words: Words, batches: int) -> Words:
    """Return words of genotypes, given those of haplotypes."""
    out = np.zeros((batches, words.shape[1]), dtype=np.uint32)
    for half in range(2):
        mine = words[half::2]
        one, two = mine & _EVEN, (mine >> np.uint32(2)) & _EVEN
        calls = _gather(((one | two) & _HIGH) | (one & two & _LOW))
        out[: len(mine)] |= calls << np.uint32(16 * half)
    missing = np.uint32(0x55550000)
    if len(words) < 2 * batches:
        out[-1] |= missing
    return out


def _spread(words: Words) -> Words:
    """Eight codes of two bits each, four bits apart."""
    for shift, kept in _SPREAD:
        words = (words | (words << np.uint32(shift))) & np.uint32(kept)
    return words


def _gather(words: Words) -> Words:
    """The other way round."""
    for shift, kept in ((2, 0x0F0F0F0F), (4, 0x00FF00FF), (8, 0x0000FFFF)):
        words = (words | (words >> np.uint32(shift))) & np.uint32(kept)
    return words
