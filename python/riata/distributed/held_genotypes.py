"""Genotypes that workers hold, each a range of the variants, whatever they were read from."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from operator import attrgetter, methodcaller
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata import _core
from riata.distributed.arrays import LANE
from riata.distributed.host import Host
from riata.genetics.genotypes import Genotypes

if TYPE_CHECKING:
    from distributed import Client

    from riata.genetics.sources import Part

Positions = NDArray[np.int64]


class Holding(Protocol):
    """Where the genotypes come from, and how workers come to hold them."""

    def host(self, client: Client, columns: Positions, rows: Positions | None, a1: bool) -> Host:
        """Parts of some variants, at positions over all sources.

        Genotypes count A1 when `a1`, else A2; `rows` are the samples in use, None for all.
        """

    def about(self) -> dict[str, Any]:
        """How workers hold them, for a record."""


class HeldGenotypes(Genotypes):
    """Genotypes whose variants workers hold; otherwise as `riata.Genotypes`.

    Made by :func:`open_genotypes` and :func:`from_sgkit`. Tables of variants and samples are in this process;
    what asks for genotypes asks the workers. `identical_to` is refused.
    """

    _client: Client
    _holding: Holding

    @classmethod
    def of(cls, genotypes: Genotypes, client: Client, holding: Holding) -> HeldGenotypes:
        """The same genotypes, at the workers of a client."""
        held = cls.__new__(cls)
        held.__dict__.update(genotypes.__dict__)
        held._opened = held._frequency = None
        held._client, held._holding = client, holding
        return held

    def __getstate__(self) -> dict[str, Any]:
        """Refuse: a client is one of its process."""
        raise TypeError("genotypes that workers hold cannot be pickled: open them where they are used")

    def subset(self, *, samples: ArrayLike | None = None, variants: ArrayLike | None = None) -> HeldGenotypes:
        """See `riata.Genotypes.subset`. Workers read what the subset holds again."""
        return self.of(super().subset(samples=samples, variants=variants), self._client, self._holding)

    def identical_to(self) -> NDArray[np.int64]:
        """Refused: variants of one worker cannot be compared with those of another."""
        raise NotImplementedError("identical_to() needs genotypes in this process: use riata.open_genotypes")

    def cluster(self) -> dict[str, Any]:
        """What a record says of where the genotypes are: scheduler, workers, and how they hold them."""
        threads = self._client.nthreads()
        scheduler = self._client.scheduler.address
        return {
            "scheduler": scheduler,
            "workers": len(threads),
            "threads": sum(threads.values()),
            **self._holding.about(),
        }

    @cached_property
    def _host(self) -> Host:
        every = sum(source.p for source in self.sources)
        columns = np.arange(every) if self._columns is None else self._columns
        return self._holding.host(self._client, columns, self._rows, self.counted_allele == "A1")

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


def parts_of(p: int, count: int) -> list[int]:
    """First columns of parts of about the same size, multiples of 16, and p."""
    lanes = -(-p // LANE)
    cuts = {min(lanes * k // max(count, 1) * LANE, p) for k in range(max(count, 1))}
    return [*sorted(cuts - {p} | {0}), p]
