"""Made-up genotypes as PLINK files of any size, with linkage disequilibrium, missing calls and a trait."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from os import fspath
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from riata._input.validation import check_choice, check_integer, check_real
from riata._io.output_files import OutputSet, write_tsv
from riata._io.tables import StrPath
from riata.losses import Binomial, Gaussian
from riata.losses._known import loss_of

#: Losses of the traits there are.
SIMULATED = (Gaussian.name, Binomial.name)
#: Founder haplotypes of each chromosome: what linkage disequilibrium is made of.
FOUNDERS = 64
#: Share of haplotypes that go on with another founder where an LD block ends.
_SWITCH = 0.3
#: Share of alleles that differ from the founder's, so that neighbours are seldom identical columns.
_MUTATION = 0.002
_STRETCH = 4096  # variants whose founder alleles are held at a time
_LINE_BYTES = 48  # of a .bim or .fam, roughly: only to tell a disk that is far too small
_ALLELES = np.array([(a, b) for a in "ACGT" for b in "ACGT" if a != b])
_SHIFTS = np.arange(0, 8, 2, dtype=np.uint8)  # where the four samples of a byte lie
_LOW_BITS = np.uint8(0b01010101)

_BED_MAGIC = b"\x6c\x1b\x01"  # variant-major

Bits = NDArray[np.uint8]


def simulate_genotypes(
    prefix: StrPath,
    n_samples: int,
    n_variants: int,
    *,
    n_chromosomes: int = 22,
    maf_min: float = 0.05,
    missing: float = 0.01,
    ld: float = 0.95,
    block: int = 50,
    h2: float = 0.5,
    n_causal: int | None = None,
    loss: str = "gaussian",
    prevalence: float = 0.5,
    seed: int = 0,
) -> str:
    """Write made-up genotypes and a phenotype as PLINK files, a stretch of variants at a time.

    Each chromosome has 64 founder haplotypes. A founder's alleles are latent normals with correlation `ld`
    between neighbouring variants, cut so that the share of founders carrying A1 has density proportional to
    1/f from `maf_min` to 0.5. Both haplotypes of a sample copy founders: three in ten change founder where
    an LD block ends, and 0.2 % of the alleles mutate. So r² falls with distance and at each block's end: with
    the defaults it averages 0.36 between neighbours of a block, 0.12 ten variants apart, 0.01 one block apart
    and 0.001 four blocks apart; chromosomes are independent.

    Peak memory does not grow with `n_variants`. The same arguments give the same bytes.

    Parameters
    ----------
    prefix : str or path-like
        Files are named after it: ``.bed``, ``.bim``, ``.fam`` (A1 is the rarer allele among the founders, the
        phenotype is in the ``.fam`` too), ``.pheno.txt`` (FID, IID, PHENO) and ``.truth.tsv`` (the causal
        variants, with the effect of one copy of A1 in BETA and of one standard deviation in BETA_STD). They
        appear together once all are complete. They replace an earlier simulation, but no other genotypes.
    n_samples : int
        Number of samples, at least 2.
    n_variants : int
        Number of variants, shared evenly by the chromosomes.
    n_chromosomes : int, default 22
        Number of autosomes, at most 22.
    maf_min : float in [1/64, 0.5], default 0.05
        Smallest frequency of A1 among the founders, rounded to a whole number of them.
    missing : float in [0, 1), default 0.01
        Probability of a call to be missing.
    ld : float in [0, 1), default 0.95
        Correlation of the latent normals of neighbouring variants.
    block : int, default 50
        Variants in an LD block.
    h2 : float in [0, 1], default 0.5
        Heritability: the share of the variance of the phenotype (binomial: of the liability) that the causal
        variants explain in these very samples, before calls went missing.
    n_causal : int, optional
        Number of causal variants, chosen at random, with normal effects on standardised genotypes. Default
        100, or all variants when there are fewer.
    loss : {"gaussian", "binomial"}, default "gaussian"
        A phenotype of mean 0 and variance 1, or cases (2) and controls (1): the samples of highest liability
        are the cases.
    prevalence : float in (0, 1), default 0.5
        Share of cases, when `loss` is binomial.
    seed : int, default 0
        Of the random numbers. Genotypes do not depend on the arguments of the phenotype, nor on `missing`.

    Returns
    -------
    str
        The ``.bed`` file, for :func:`open_genotypes`.

    Raises
    ------
    ValueError
        When an argument is out of its range.
    OSError
        When genotypes that were not simulated have that name, when files cannot be written, or when the disk
        is too small for them; the first and the last are told before writing.

    Examples
    --------
    >>> bed = riata.simulate_genotypes("simulated", 500, 10_000, seed=1)    # doctest: +SKIP
    >>> riata.open_genotypes(bed).shape                                     # doctest: +SKIP
    (500, 10000)
    """
    n = check_integer("n_samples", n_samples, at_least=2)
    p = check_integer("n_variants", n_variants, at_least=1)
    genome = _Genome(
        n_samples=n,
        n_variants=p,
        n_chromosomes=check_integer("n_chromosomes", n_chromosomes, at_least=1),
        maf_min=check_real("maf_min", maf_min, at_least=1.0 / FOUNDERS, at_most=0.5),
        missing=check_real("missing", missing, at_least=0.0, below=1.0),
        ld=check_real("ld", ld, at_least=0.0, below=1.0),
        block=check_integer("block", block, at_least=1),
    )
    if genome.n_chromosomes > 22:
        raise ValueError(f"n_chromosomes must be <= 22, got {n_chromosomes}")
    trait = _Trait(
        h2=check_real("h2", h2, at_least=0.0, at_most=1.0),
        n_causal=min(100, p) if n_causal is None else check_integer("n_causal", n_causal, at_least=0),
        loss=check_choice("loss", loss, SIMULATED),
        n_cases=round(n * check_real("prevalence", prevalence, above=0.0, below=1.0)),
    )
    if trait.n_causal > p:
        raise ValueError(f"n_causal must be <= n_variants = {p}, got {n_causal}")
    if trait.h2 > 0.0 and trait.n_causal == 0:
        raise ValueError(f"h2 must be 0 without causal variants (n_causal=0), got {h2}")
    if loss_of(trait.loss).has_classes and not 0 < trait.n_cases < n:
        raise ValueError(f"prevalence must leave cases and controls among {n} samples, got {prevalence}")
    _write(fspath(prefix), genome, trait, check_integer("seed", seed, at_least=0))
    return f"{fspath(prefix)}.bed"


@dataclass(frozen=True)
class _Genome:
    n_samples: int
    n_variants: int
    n_chromosomes: int
    maf_min: float
    missing: float
    ld: float
    block: int

    def chromosomes(self) -> Iterator[tuple[int, int, int]]:
        """Yield (chromosome, its first variant, the first of the next)."""
        for k in range(self.n_chromosomes):
            first = self.n_variants * k // self.n_chromosomes
            yield k + 1, first, self.n_variants * (k + 1) // self.n_chromosomes

    def bytes_needed(self) -> int:
        stride = -(-self.n_samples // 4)
        return 3 + self.n_variants * (stride + _LINE_BYTES) + 2 * self.n_samples * _LINE_BYTES


@dataclass(frozen=True)
class _Trait:
    h2: float
    n_causal: int
    loss: str
    n_cases: int


def _write(prefix: str, genome: _Genome, trait: _Trait, seed: int) -> None:
    founders_rng, copying_rng, missing_rng, names_rng, trait_rng = map(
        np.random.default_rng, np.random.SeedSequence(seed).spawn(5)
    )
    _check_free(prefix)
    with OutputSet(prefix) as outputs:
        _check_disk(prefix, genome.bytes_needed())
        causal = _Causal(trait_rng, genome, trait)
        haplotypes = _Haplotypes(copying_rng, genome.n_samples)
        with (
            open(outputs.path("bed"), "wb") as bed,
            open(outputs.path("bim"), "w", encoding="ascii", newline="\n") as bim,
        ):
            bed.write(_BED_MAGIC)
            for chromosome, start, stop in genome.chromosomes():
                _write_bim(bim, names_rng, chromosome, start, stop, causal)
                haplotypes.begin()
                for first, alleles in _founder_blocks(founders_rng, genome, start, stop):
                    pair = haplotypes.copy(alleles)
                    causal.add(first, pair)
                    codes = _codes(pair, genome.n_samples)
                    _lose_calls(missing_rng, codes, genome)
                    bed.write(codes.T.tobytes())
        phenotype = causal.phenotype(trait_rng)
        sexes = names_rng.integers(1, 3, genome.n_samples).tolist()
        _write_samples(outputs, phenotype, sexes)
        write_tsv(outputs.path("truth.tsv"), causal.table())


def _check_free(prefix: str) -> None:
    """Refuse to write over somebody's study."""
    taken = [f"{prefix}.{suffix}" for suffix in ("bed", "bim", "fam") if Path(f"{prefix}.{suffix}").exists()]
    if taken and not Path(f"{prefix}.truth.tsv").exists():
        raise FileExistsError(
            f"{taken[0]} exists and was not simulated ({prefix}.truth.tsv is not beside it): "
            "choose another name"
        )


def _check_disk(prefix: str, needed: int) -> None:
    free = shutil.disk_usage(Path(prefix).parent).free
    if free < needed:
        raise OSError(
            f"{prefix}.bed: about {needed:,} bytes will be written, but only {free:,} are free there"
        )


def _founder_blocks(
    rng: np.random.Generator, genome: _Genome, start: int, stop: int
) -> Iterator[tuple[int, Bits]]:
    """Yield (first variant, alleles of the founders as variants x founders of 0 and 1) for each LD block."""
    stretch = genome.block * max(1, _STRETCH // genome.block)
    scale = np.float32(math.sqrt(1.0 - genome.ld**2))
    latent = None
    for first in range(start, stop, stretch):
        width = min(stretch, stop - first)
        noise = rng.standard_normal((width, FOUNDERS), dtype=np.float32)
        noise[0 if latent is not None else 1 :] *= scale
        if latent is None:
            latent = np.zeros((1, FOUNDERS), dtype=np.float32)
        ones, feedback = np.ones(1, dtype=np.float32), np.array([1.0, -genome.ld], dtype=np.float32)
        normals, latent = lfilter(ones, feedback, noise, axis=0, zi=latent)
        frequency = genome.maf_min * (0.5 / genome.maf_min) ** rng.random(width)
        carriers = np.rint(frequency * FOUNDERS).astype(np.intp)
        cut = np.sort(normals, axis=1)[np.arange(width), FOUNDERS - carriers]
        alleles = (normals >= cut[:, None]).view(np.uint8)
        for at in range(0, width, genome.block):
            yield first + at, alleles[at : at + genome.block]


class _Haplotypes:
    """The two haplotypes of every sample, as copies of founders that change from block to block.

    Samples are held as they lie in a ``.bed``: sample i is slot i % 4 of byte i // 4.
    """

    def __init__(self, rng: np.random.Generator, n_samples: int) -> None:
        self._rng = rng
        self._founder = np.zeros((2, 4, -(-n_samples // 4)), dtype=np.intp)

    def begin(self) -> None:
        """Begin a chromosome: every haplotype draws its founder."""
        self._founder[...] = self._rng.integers(FOUNDERS, size=self._founder.shape)

    def copy(self, alleles: Bits) -> tuple[Bits, Bits]:
        """Return A1 on the first and the second haplotype, bytes x variants, one low bit per sample."""
        shifted = alleles.T.copy()[None] << _SHIFTS[:, None, None]
        first, second = (self._packed(shifted, founder) for founder in self._founder)
        flat = self._founder.reshape(-1)
        changed = _rare(self._rng, flat.size, _SWITCH)
        flat[changed] = self._rng.integers(FOUNDERS, size=changed.size)
        return first, second

    def _packed(self, shifted: Bits, founder: NDArray[np.intp]) -> Bits:
        bits: Bits = shifted[0].take(founder[0], axis=0)
        for slot in range(1, 4):
            bits |= shifted[slot].take(founder[slot], axis=0)
        flat = bits.reshape(-1)
        for shift in _SHIFTS:
            flat[_rare(self._rng, flat.size, _MUTATION)] ^= np.uint8(1) << shift
        return bits


def _rare(rng: np.random.Generator, size: int, probability: float) -> NDArray[np.int64]:
    """Return which of `size` things an event of this probability happens to; some more than once.

    Throws at random hit each of them independently when their number is Poisson, -log(1 - probability) each.
    """
    return rng.integers(size, size=rng.poisson(-math.log1p(-probability) * size))


def _codes(pair: tuple[Bits, Bits], n_samples: int) -> Bits:
    """Return PLINK codes, bytes x variants: 00 two copies of A1, 10 one, 11 none."""
    first, second = pair
    low = ~(first | second) & _LOW_BITS
    high = ~(first & second) & _LOW_BITS
    codes = low | high << np.uint8(1)
    return _clear_padding(codes, n_samples)


def _clear_padding(codes: Bits, n_samples: int) -> Bits:
    if used := n_samples % 4:
        codes[-1] &= np.uint8(4**used - 1)
    return codes


def _lose_calls(rng: np.random.Generator, codes: Bits, genome: _Genome) -> None:
    """Set calls to missing (01) in place."""
    if genome.missing > 0.0:
        flat = codes.reshape(-1)
        for shift in _SHIFTS:
            lost = _rare(rng, flat.size, genome.missing)
            flat[lost] = flat[lost] & ~(np.uint8(3) << shift) | np.uint8(1) << shift
        _clear_padding(codes, genome.n_samples)


class _Causal:
    """The causal variants: their places, names and effects, and the genetic value they add up to."""

    def __init__(self, rng: np.random.Generator, genome: _Genome, trait: _Trait) -> None:
        self._trait, self._n = trait, genome.n_samples
        self.places = np.sort(
            rng.choice(genome.n_variants, size=trait.n_causal, replace=False, shuffle=False)
        )
        self._effects = rng.standard_normal(trait.n_causal)
        self._frequency, self._deviation = np.zeros(trait.n_causal), np.zeros(trait.n_causal)
        self._genetic = np.zeros(genome.n_samples)
        self._names: list[tuple[Any, ...]] = []

    def between(self, start: int, stop: int) -> range:
        """Return which of the causal variants lie in [start, stop)."""
        first, end = np.searchsorted(self.places, [start, stop])
        return range(first, end)

    def name(self, *fields: Any) -> None:
        """Take chromosome, position, id, A1 and A2 of the next causal variant."""
        self._names.append(fields)

    def add(self, start: int, pair: tuple[Bits, Bits]) -> None:
        """Add what a block of variants, the first of them number `start`, contributes."""
        for k in self.between(start, start + pair[0].shape[1]):
            column = self.places[k] - start
            first, second = ((bits[:, column, None] >> _SHIFTS) & 1 for bits in pair)
            copies = (first + second).reshape(-1)[: self._n]
            self._frequency[k], self._deviation[k] = copies.mean() / 2, copies.std()
            if self._deviation[k] > 0.0:
                self._genetic += self._effects[k] / self._deviation[k] * (copies - copies.mean())

    def phenotype(self, rng: np.random.Generator) -> list[str]:
        """Scale the effects to the heritability wanted; return the phenotype as text."""
        genetic, h2 = self._genetic, self._trait.h2
        noise = rng.standard_normal(self._n)
        if h2 > 0.0:
            if not genetic.any():
                raise ValueError("h2 must be 0 here: no causal variant varies in so few samples")
            spread = genetic.std()
            genetic, self._effects = genetic / spread, self._effects / spread
            noise -= genetic * (noise @ genetic) / (genetic @ genetic)
        self._effects *= math.sqrt(h2)
        noise -= noise.mean()
        value = math.sqrt(h2) * genetic + math.sqrt(1.0 - h2) * noise / noise.std()
        if loss_of(self._trait.loss).squares:
            return [f"{v:.10g}" for v in value.tolist()]
        cases = set(np.argsort(-value, kind="stable")[: self._trait.n_cases].tolist())
        return ["2" if i in cases else "1" for i in range(self._n)]

    def table(self) -> list[tuple[str, Any]]:
        """Return the columns of the truth file."""
        each = np.divide(
            self._effects, self._deviation, out=np.zeros_like(self._effects), where=self._deviation > 0.0
        )
        names = list(zip(*self._names, strict=True)) or [()] * 5
        heads = ("CHROM", "POS", "ID", "EFFECT_ALLELE", "OTHER_ALLELE")
        return [
            *zip(heads, names, strict=True),
            ("EAF", self._frequency),
            ("BETA", each),
            ("BETA_STD", self._effects),
        ]


def _write_bim(
    bim: IO[str], rng: np.random.Generator, chromosome: int, start: int, stop: int, causal: _Causal
) -> None:
    spacing = max(1, min(1000, 240_000_000 // max(1, stop - start)))
    for first in range(start, stop, _STRETCH):
        end = min(first + _STRETCH, stop)
        alleles = _ALLELES[rng.integers(len(_ALLELES), size=end - first)].tolist()
        positions = range((first - start + 1) * spacing, (end - start) * spacing + 1, spacing)
        bim.writelines(
            f"{chromosome}\tsnp{j}\t0\t{pos}\t{a1}\t{a2}\n"
            for j, pos, (a1, a2) in zip(range(first + 1, end + 1), positions, alleles, strict=True)
        )
        for j in causal.places[causal.between(first, end)] - first:
            causal.name(chromosome, positions[j], f"snp{first + j + 1}", *alleles[j])


def _write_samples(outputs: OutputSet, phenotype: list[str], sexes: list[int]) -> None:
    with (
        open(outputs.path("fam"), "w", encoding="ascii", newline="\n") as fam,
        open(outputs.path("pheno.txt"), "w", encoding="ascii", newline="\n") as pheno,
    ):
        pheno.write("FID\tIID\tPHENO\n")
        for i, (value, sex) in enumerate(zip(phenotype, sexes, strict=True), 1):
            fam.write(f"s{i}\ts{i}\t0\t0\t{sex}\t{value}\n")
            pheno.write(f"s{i}\ts{i}\t{value}\n")
