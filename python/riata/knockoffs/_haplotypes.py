"""Knockoffs of genotypes: hidden Markov models of haplotypes, fitted by EM or by fastPHASE."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata import _core
from riata._input.validation import check_integer, check_seed, check_threads, threads_for
from riata.genetics.genome import Chromosome
from riata.genetics.genotypes import Genotypes
from riata.knockoffs._chains import Chain, ends_of, fit_chain, key_of
from riata.knockoffs._fastphase import read_fastphase
from riata.knockoffs._genotype_words import BATCH, Words, check_genotypes, words_of
from riata.knockoffs._knockoffs import Knockoffs, labels_of
from riata.knockoffs._packed_storage import genotypes_of, storage
from riata.knockoffs._phased_words import join, phased_words_of
from riata.knockoffs._populations import Populations, fitted_populations, populations_of
from riata.knockoffs._structure_of_samples import refuse_relatives, warn_of_structure

__all__ = ["Haplotypes"]

Positions = NDArray[np.int64]
Report = Callable[[int, int], Any]

_WORDS_AT_ONCE = 1 << 24  # of 16 genotypes each
_OPERATIONS = 30.0  # a genotype and pair of clusters, of a step of EM


class Haplotypes:
    """Knockoffs of genotypes, by a hidden Markov model of haplotypes.

    A haplotype is a mosaic of those of K clusters (Scheet & Stephens 2006): along a chromosome,

        z_1 ~ α_1,    P(z_j = l | z_(j-1) = k) = b_j [k = l] + (1 - b_j) α_jl,    allele 1 with prob. θ_jz,

    and a genotype is the sum of two independent haplotypes. `fit` estimates b, α and θ from genotypes by EM
    over unordered pairs of clusters, or from phased genotypes over clusters. `draw` draws the clusters of the
    two haplotypes of each sample given its genotypes, of each haplotype a knockoff (Sesia, Sabatti & Candès
    2019; of groups of variants: Sesia, Katsevich, Bates, Candès & Sabatti 2020), and alleles from those. When
    the model is the law of the genotypes, any set of variants, or of groups, may change places with its
    knockoffs and leave the joint law as it is, so that `knockoff_selection` keeps its false discovery rate.

    Parameters
    ----------
    n_clusters : int, default=10
        K. Too few leave linkage disequilibrium unexplained and let more false discoveries through, which
        `Knockoffs.check` sees; time grows with its square, or in proportion when `phased`: 50 take less time
        than 20 without phase.
    n_iter : int, default=12
        Steps of EM.
    fit_samples : int, default=2000
        The model is fitted to this many samples of each population, drawn at random.
    random_state : int, numpy Generator or RandomState, optional, default=0
        Draws these samples and the start of EM.
    strata : array-like of shape (n,), optional
        The population of each sample that `fit` is given: each has a model of its own.
    related : {"refuse", "ok"}, default="refuse"
        What `fit` does with samples that share rare alleles as relatives do: in a fifth of the stretches of
        50 variants that have any, beyond chance. Where rare alleles are few, it cannot tell; of more than
        6,000 samples it looks at the first 6,000 alone.
    phased : bool, default=False
        Whether genotypes, of `fit` and of `draw`, are those of ``.bgen`` files that hold both haplotypes of
        every sample, each allele with probability 0 or 1. Which haplotype is the first may differ between
        chromosomes.

    Attributes
    ----------
    chains_ : dict
        For each population the models of its chromosomes, with ``name, stay, landing, allele`` (b, α, θ) and
        ``log_likelihood``, before each step of EM.

    See Also
    --------
    riata.ld_groups : groups of consecutive variants.

    Notes
    -----
    The model holds for unrelated samples of one population. Relatives share long stretches of haplotypes, and
    of mixed populations alleles far apart go together; neither is mended by principal components as
    covariates. `fit` refuses relatives that it sees and warns of structure; `strata` takes populations apart.

    Variants have to have two copies in every sample: those on Y and MT, on X with men among the samples, and
    without a chromosome are refused. Missing calls are missing in the knockoffs as well. A variant that does
    not vary is its own knockoff.

    Time is about 30 K² operations a genotype for a step of EM, and as much for a draw, when phased 60 K;
    memory is that of the knockoffs, 2 bits a genotype, and of a chromosome at 2 bits a call (when phased, 4,
    and 2 more of the whole genome, on disk when large). The same seed gives the same bits for
    any number of threads; processors of different instruction sets differ by rounding, which may change
    single calls.

    References
    ----------
    Scheet & Stephens (2006), A fast and flexible statistical model for large-scale population genotype data,
    American Journal of Human Genetics 78.

    Sesia, Sabatti & Candès (2019), Gene hunting with hidden Markov model knockoffs, Biometrika 106.

    Sesia, Katsevich, Bates, Candès & Sabatti (2020), Multi-resolution localization of causal variants across
    the genome, Nature Communications 11.

    Examples
    --------
    >>> import riata, tempfile
    >>> geno = riata.open_genotypes(riata.simulate_genotypes(tempfile.mkdtemp() + "/study", 200, 300))
    >>> sampler = riata.knockoffs.Haplotypes(n_clusters=4, n_iter=3).fit(geno)
    >>> made = sampler.draw(geno, groups=riata.ld_groups(geno))
    >>> made
    <riata.knockoffs.Knockoffs: 200 x 300, haplotypes, seed 0>
    """

    chains_: dict[str, list[Chain]]
    populations_: Populations | None

    def __init__(
        self,
        *,
        n_clusters: int = 10,
        n_iter: int = 12,
        fit_samples: int = 2000,
        random_state: Any = 0,
        strata: ArrayLike | None = None,
        related: str = "refuse",
        phased: bool = False,
    ) -> None:
        self.n_clusters, self.n_iter, self.fit_samples = n_clusters, n_iter, fit_samples
        self.random_state, self.strata, self.related = random_state, strata, related
        self.phased = phased

    def __repr__(self) -> str:
        if not hasattr(self, "chains_"):
            return f"Haplotypes(n_clusters={self.n_clusters}, n_iter={self.n_iter})"
        chains = next(iter(self.chains_.values()))
        variants = sum(len(chain.stay) for chain in chains)
        clusters = chains[0].landing.shape[1]
        return f"<riata.knockoffs.Haplotypes: {variants:,} variants, {clusters} clusters>"

    def fit(
        self, X: Genotypes, *, n_threads: int | None = None, progress: Report | None = None
    ) -> Haplotypes:
        """Fit the model to genotypes; a response is never looked at.

        Parameters
        ----------
        X : Genotypes
            Hard calls, of phased ``.bgen`` files when `phased`. Samples without a phenotype may well be among
            them.
        n_threads : int, optional
            Results do not depend on it.
        progress : callable, optional
            Called after each step of EM with the number of steps done and of all.

        Returns
        -------
        Haplotypes
            Itself, fitted.

        Raises
        ------
        TypeError, ValueError
            For bad input, naming the argument, the value and what is allowed; for related samples; where
            haplotypes are asked for and the files do not tell them.

        Warns
        -----
        KnockoffWarning
            When variants far apart are correlated, as in a mixture of populations: those of different
            chromosomes or more than 10 million base pairs apart, so never of one shorter region.
        """
        clusters = check_integer("n_clusters", self.n_clusters, at_least=1)
        steps = check_integer("n_iter", self.n_iter, at_least=1)
        most = check_integer("fit_samples", self.fit_samples, at_least=1)
        seed, threads = check_seed(self.random_state), check_threads(n_threads)
        if self.related not in ("refuse", "ok"):
            raise ValueError(f"related must be 'refuse' or 'ok', got {self.related!r}")
        genome = check_genotypes(X)
        populations = fitted_populations(X, self.strata)
        read = self._reading(X)
        if self.related == "refuse":
            refuse_relatives(X, genome)
        done, total = 0, steps * len(genome) * len(populations.names)
        chains: dict[str, list[Chain]] = {}

        def tell() -> None:
            nonlocal done
            done += 1
            if progress is not None:
                progress(done, total)

        for name, rows in populations.members:
            chosen = _some_of(rows, most, key_of("samples", seed, name))
            warn_of_structure(X, genome, chosen, name)
            work = self._operations(clusters) * len(chosen) * X.shape[1]
            chains[name] = [
                fit_chain(
                    chromosome.name,
                    read(X, chromosome.columns, chosen),
                    self._copies * len(chosen),
                    X.counted_allele,
                    n_clusters=clusters,
                    n_iter=steps,
                    key=key_of("start", seed, name, chromosome.name),
                    n_threads=threads_for(threads, work),
                    phased=self.phased,
                    tell=tell,
                )
                for chromosome in genome
            ]
        self.chains_, self.populations_ = chains, populations
        return self

    @classmethod
    def from_fastphase(
        cls, prefix: str | os.PathLike[str] | Mapping[str, str | os.PathLike[str]]
    ) -> Haplotypes:
        """Read models that fastPHASE has fitted, in place of `fit`.

        Parameters
        ----------
        prefix : str, path-like, or mapping from chromosomes to these
            What the names of ``_rhat.txt``, ``_alphahat.txt`` and ``_thetahat.txt`` begin with; of several
            chromosomes, for each of them. Allele 1 of fastPHASE's input has to be the one that genotypes
            count.

        Returns
        -------
        Haplotypes
            Fitted, for genotypes of these variants in this order.

        Raises
        ------
        OSError, ValueError
            When a file cannot be read, naming it and the line.

        Examples
        --------
        >>> import riata
        >>> sampler = riata.knockoffs.Haplotypes.from_fastphase("out/chr21")  # doctest: +SKIP
        """
        named = prefix if isinstance(prefix, Mapping) else {"": prefix}
        out = cls()
        out.chains_ = {"": [read_fastphase(str(name), os.fspath(files)) for name, files in named.items()]}
        out.populations_ = None
        out.n_clusters = out.chains_[""][0].landing.shape[1]
        return out

    def draw(
        self,
        X: Genotypes,
        *,
        groups: Any = None,
        random_state: Any = 0,
        draw: int = 0,
        out: str | os.PathLike[str] | None = None,
        n_threads: int | None = None,
        progress: Report | None = None,
    ) -> Knockoffs:
        """Draw knockoffs of genotypes.

        Parameters
        ----------
        X : Genotypes
            Of the variants that the model was fitted to, phased when it is; samples may be others, of known
            populations.
        groups : array of int of shape (p,) or CorrelationGroups, optional
            Groups of consecutive variants that change places together, as `riata.ld_groups` makes them; by
            default every variant by itself.
        random_state : int, numpy Generator or RandomState, optional, default=0
            Seed.
        draw : int, default=0
            Which of the independent draws of this seed.
        out : str or path-like, optional
            A ``.bed`` to be written, with ``.bim`` and ``.fam``; by default knockoffs are kept in memory.
        n_threads : int, optional
            Results do not depend on it.
        progress : callable, optional
            Called with the number of chromosomes done and of all.

        Returns
        -------
        Knockoffs
            Its ``X`` are genotypes of the samples and variants of X.

        Raises
        ------
        TypeError, ValueError
            For bad input, naming the argument, the value and what is allowed.
        OSError
            When `out` cannot be written.
        """
        if not hasattr(self, "chains_"):
            raise ValueError("Haplotypes must be fitted before it draws: call fit(X)")
        genome = check_genotypes(X)
        seed, number = check_seed(random_state), check_integer("draw", draw, at_least=0)
        threads = check_threads(n_threads)
        populations = populations_of(X, self.populations_)
        order = _in_order(self.chains_, genome, X, named=self.populations_ is not None)
        labels, fixed = labels_of(groups, X.shape[1]), X.monomorphic()
        ends, read = ends_of(X, genome, labels, fixed), self._reading(X)
        with storage(X, out) as (packed, places):
            for k, chromosome in enumerate(genome):
                for name, rows in populations.members:
                    chain = order[name][k]
                    batches = max(1, _WORDS_AT_ONCE // len(chromosome.columns))
                    work = self._operations(chain.landing.shape[1]) * len(rows) * len(chromosome.columns)
                    for first in range(0, -(-len(rows) // BATCH), batches):
                        some = rows[BATCH * first : BATCH * (first + batches)]
                        words = _core.knock_off_haplotypes(
                            read(X, chromosome.columns, some),
                            self._copies * len(some),
                            *chain.of_a1(X.counted_allele),
                            ends[k],
                            fixed[chromosome.columns].astype(np.uint8),
                            key_of("draw", seed, number, name, chain.name),
                            self._copies * first,
                            threads_for(threads, work),
                            self.phased,
                        )
                        if self.phased:
                            words = join(words, -(-len(some) // BATCH))
                        _core.scatter_samples(
                            words, places[some], chromosome.columns, packed, threads_for(threads, work)
                        )
                if progress is not None:
                    progress(k + 1, len(genome))
        told = {"n_clusters": self.n_clusters, "populations": [name for name, _ in populations.members]}
        return Knockoffs(
            genotypes_of(X, packed, out),
            groups=labels,
            sampler="haplotypes",
            seed=seed,
            draw=number,
            info=told,
            fixed=fixed,
        )

    @property
    def _copies(self) -> int:
        """Samples of the model that each sample is."""
        return 2 if self.phased else 1

    def _operations(self, clusters: int) -> float:
        """About how many a genotype takes, of a step of EM or a draw."""
        return _OPERATIONS * (2 * clusters if self.phased else clusters**2)

    def _reading(self, X: Genotypes) -> Callable[[Genotypes, Positions, Positions], Words]:
        """How words are read; refuse files that do not tell what is asked for."""
        if not isinstance(self.phased, (bool, np.bool_)):
            raise TypeError(f"phased must be True or False, got {self.phased!r}")
        if not self.phased:
            return words_of
        X._first_haplotypes()
        return phased_words_of

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to an ``.npz`` archive, which `load` reads.

        Raises
        ------
        ValueError
            When nothing has been fitted.
        OSError
            When the file cannot be written.
        """
        from riata.knockoffs._haplotype_archive import write_archive

        if not hasattr(self, "chains_"):
            raise ValueError("Haplotypes must be fitted before it is saved: call fit(X)")
        write_archive(self, os.fspath(path))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Haplotypes:
        """Read a model that `save` has written.

        Raises
        ------
        OSError, ValueError
            When the file cannot be read, or is no such model.
        """
        from riata.knockoffs._haplotype_archive import read_archive

        return read_archive(cls, os.fspath(path))


def _some_of(rows: Positions, most: int, key: int) -> Positions:
    """At most so many of the samples, at random, in their order."""
    if len(rows) <= most:
        return rows
    numbers = np.random.Philox(key=np.array([key, 0], dtype=np.uint64)).random_raw(len(rows))
    return np.asarray(rows[np.sort(np.argsort(numbers, kind="stable")[:most])])


def _in_order(
    chains: Mapping[str, Sequence[Chain]], genome: list[Chromosome], geno: Genotypes, *, named: bool
) -> dict[str, list[Chain]]:
    """The chains of each population in the order of chromosomes; refuse genotypes of others."""
    out = {}
    for name, given in chains.items():
        by_name = {geno.chromosome_set.plain(chain.name): chain for chain in given}
        if not named and len(given) == 1 and len(genome) == 1 and not given[0].name:
            by_name = {genome[0].name: given[0]}
        theirs = {chromosome.name: len(chromosome.columns) for chromosome in genome}
        ours = {chain: len(by_name[chain].stay) for chain in by_name}
        for chromosome in theirs:
            if ours.get(chromosome) != theirs[chromosome]:
                raise ValueError(
                    f"X must have the variants that the model is of, got {theirs[chromosome]:,} on "
                    f"chromosome {chromosome}, of which the model has {ours.get(chromosome, 0):,}"
                )
        out[name] = [by_name[chromosome.name] for chromosome in genome]
    return out
