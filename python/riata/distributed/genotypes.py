"""Genotypes that workers hold, each a range of the variants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from operator import attrgetter, methodcaller
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata import _core
from riata._io.text_files import StrPath
from riata.distributed.arrays import LANE
from riata.distributed.host import Host, client_of
from riata.genetics.genotypes import Genotypes
from riata.genetics.opening import open_genotypes as open_here
from riata.genetics.sources import PackedSource, make_parts

if TYPE_CHECKING:
    from distributed import Client

    from riata.genetics.sources import Part

Load = Literal["memory", "map"]


class HeldGenotypes(Genotypes):
    """Genotypes whose variants workers hold; otherwise as `riata.Genotypes`.

    Made by :func:`open_genotypes`. Tables of variants and samples are in this process; what asks for
    genotypes asks the workers. `identical_to` is refused.
    """

    _client: Client
    _load: Load

    @classmethod
    def of(cls, genotypes: Genotypes, client: Client, load: Load) -> HeldGenotypes:
        """The same genotypes, at the workers of a client."""
        held = cls.__new__(cls)
        held.__dict__.update(genotypes.__dict__)
        held._opened = held._frequency = None
        held._client, held._load = client, load
        return held

    def __getstate__(self) -> dict[str, Any]:
        """Refuse: a client is one of its process."""
        raise TypeError("genotypes that workers hold cannot be pickled: open them where they are used")

    def subset(self, *, samples: ArrayLike | None = None, variants: ArrayLike | None = None) -> HeldGenotypes:
        """See `riata.Genotypes.subset`. Workers read what the subset holds again."""
        return self.of(super().subset(samples=samples, variants=variants), self._client, self._load)

    def identical_to(self) -> NDArray[np.int64]:
        """Refused: variants of one worker cannot be compared with those of another."""
        raise NotImplementedError("identical_to() needs genotypes in this process: use riata.open_genotypes")

    @cached_property
    def _host(self) -> Host:
        p = self.shape[1]
        chosen = (
            np.arange(sum(source.p for source in self.sources)) if self._columns is None else self._columns
        )
        cuts = parts_of(p, len(self._client.nthreads()))
        openers = [
            PartOpener(
                [source for source in self.sources if isinstance(source, PackedSource)],
                chosen[first:last],
                self._rows,
                self.counted_allele == "A1",
                self._load,
            )
            for first, last in pairwise(cuts)
        ]
        return Host(self._client, cuts[:-1], openers)

    @cached_property
    def _held(self) -> _core.Design:
        return _core.hosted_design(self._host, len(self._host.firsts))

    def _parts(self) -> list[Part]:
        """What the base class asks of its storages, asked of the workers."""
        if self._opened is None:
            self._opened = [cast("Part", AskedParts(self._host, self.shape[1]))]
        return self._opened

    def _design(self) -> tuple[_core.Design, NDArray[np.int64] | None]:
        """See `riata.Genotypes`."""
        if 0 in self.shape:
            raise ValueError(f"X must have at least one sample and one variant, got shape {self.shape}")
        return self._held, self._rows


class AskedParts:
    """The variants of all workers, as one storage of a `Genotypes`."""

    def __init__(self, host: Host, p: int) -> None:
        self.host, self.p = host, p

    def _joined(self, question: Callable[[Any], Any]) -> NDArray[Any]:
        return np.concatenate(self.host.ask(question))

    @cached_property
    def counts(self) -> NDArray[np.uint32]:
        counts = self._joined(attrgetter("counts"))
        counts.flags.writeable = False  # it is kept
        return counts

    def frequency(self) -> NDArray[np.float64]:
        return self._joined(methodcaller("frequency"))

    def constant(self) -> NDArray[np.bool_]:
        return self._joined(methodcaller("constant"))

    def imputed(self) -> NDArray[np.float64]:
        return self._joined(methodcaller("imputed"))

    def standard_deviations(self) -> NDArray[np.float64]:
        return self._joined(methodcaller("standard_deviations"))


class PartOpener:
    """Opens a range of the variants on a worker."""

    def __init__(
        self,
        sources: Sequence[PackedSource],
        columns: NDArray[np.int64],
        rows: NDArray[np.int64] | None,
        a1: bool,
        load: Load,
    ) -> None:
        self.sources, self.columns, self.rows, self.a1, self.load = list(sources), columns, rows, a1, load

    def __call__(self, data: Any) -> tuple[Any, _core.Design]:
        """The part, and its design."""
        if self.load == "memory":
            part = make_parts([self.in_memory()], self.rows, None, self.a1)[0]
        else:
            part = make_parts(self.sources, self.rows, self.columns, self.a1)[0]
        return part, part.core

    def in_memory(self) -> PackedSource:
        """The variants of the part, read from the files."""
        ends = np.cumsum([source.p for source in self.sources])
        owner = np.searchsorted(ends, self.columns, side="right")
        n = self.sources[0].n
        packed = np.empty((len(self.columns), -(-n // 4)), dtype=np.uint8)
        for k, source in enumerate(self.sources):
            mine = owner == k
            if mine.any():
                packed[mine] = source.rows()[self.columns[mine] - (ends[k] - source.p)]
                source.check()
        return PackedSource(self.sources[0].path, n, len(packed), packed)


def open_genotypes(
    path: StrPath | Sequence[StrPath],
    *,
    client: Client | None = None,
    load: Load = "memory",
    counted_allele: Literal["A1", "A2", "ALT", "REF"] | None = None,
) -> HeldGenotypes:
    """Open PLINK 1 files for a cluster: each worker holds a range of the variants.

    Parameters
    ----------
    path : str, path-like, or sequence of them
        See `riata.open_genotypes`. This process reads the tables beside the ``.bed`` files, and workers the
        ``.bed`` files by the same names.
    client : distributed.Client, optional
        Default: the one in use.
    load : {"memory", "map"}, default="memory"
        Whether workers read their variants into memory, 2 bits a genotype, or map the files. Dask counts
        pages of mapped files as memory of the worker: with "map" set ``distributed.worker.memory`` to
        ``target``, ``spill``, ``pause`` and ``terminate`` false.
    counted_allele : {"A1", "A2", "ALT", "REF"}, optional
        See `riata.open_genotypes`.

    Returns
    -------
    HeldGenotypes
        To be given as X.

    Raises
    ------
    ValueError
        When there is no client, or a file is no PLINK 1 ``.bed``.

    Notes
    -----
    Parts are divided by variants, not by files, as many as there are workers when they are first used. A fit
    is the same, to the last bit, as that of `riata.open_genotypes`, for any number of workers. When a worker
    is lost another one reads its variants again, as often as the lost one had.

    Examples
    --------
    >>> import riata.distributed
    >>> geno = riata.distributed.open_genotypes("/data/study_chr@", client=client)  # doctest: +SKIP
    >>> path = riata.fit_path(geno, y)  # doctest: +SKIP
    """
    client = client_of(client)
    if load not in ("memory", "map"):
        raise ValueError(f"load must be 'memory' or 'map', got {load!r}")
    genotypes = open_here(path, counted_allele=counted_allele)
    for source in genotypes.sources:
        if not isinstance(source, PackedSource) or source.bed is None:
            raise ValueError(
                f"path must name PLINK 1 .bed files, got {source.path}: convert it with --make-bed"
            )
    return HeldGenotypes.of(genotypes, client, load)


def parts_of(p: int, count: int) -> list[int]:
    """First columns of parts of about the same size, multiples of 16, and p."""
    lanes = -(-p // LANE)
    cuts = {min(lanes * k // max(count, 1) * LANE, p) for k in range(max(count, 1))}
    return [*sorted(cuts - {p} | {0}), p]
