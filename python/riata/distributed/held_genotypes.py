"""Genotypes that workers hold, each a range of the variants, whatever they were read from."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from hashlib import blake2b
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

    from riata.genetics.sources import PackedPart, Part

Positions = NDArray[np.int64]
#: Bytes of what stands for the genotypes of a variant where variants of workers are compared.
_DIGEST = 16


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
    what asks for genotypes asks the workers.
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
            p = self.shape[1]
            self._opened = [cast("Part", AskedParts(self._host, p))] if p > 0 else []
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

    def identical(self) -> Positions:
        """By digests of 128 bits: the first variant with the same one, -1 where it is that."""
        found = np.ascontiguousarray(self._joined(digests)).view(f"V{_DIGEST}").ravel()
        _, first, kind = np.unique(found, return_index=True, return_inverse=True)
        same = first[kind]
        return np.where(same < np.arange(self.p), same, -1)

    def imputed(self) -> NDArray[np.float64]:
        return self._joined(methodcaller("imputed"))

    def standard_deviations(self) -> NDArray[np.float64]:
        return self._joined(methodcaller("standard_deviations"))


def digests(part: PackedPart) -> NDArray[np.uint8]:
    """What tells apart the genotypes of a part in the samples in use, (p, 16)."""
    n = part.sources[0].n
    used = np.ones(n, dtype=np.uint8) if part.rows is None else np.zeros(n, dtype=np.uint8)
    if part.rows is not None:
        used[part.rows] = 1
    codes = np.zeros(4 * -(-n // 4), dtype=np.uint8)
    codes[:n] = 3 * used
    mask = (codes.reshape(-1, 4) << np.arange(0, 8, 2, dtype=np.uint8)).sum(axis=1).astype(np.uint8)
    ends = np.cumsum([source.p for source in part.sources])
    columns = np.arange(ends[-1]) if part.columns is None else part.columns
    owner = np.searchsorted(ends, columns, side="right")
    out = np.empty((len(columns), _DIGEST), dtype=np.uint8)
    for j, (k, column) in enumerate(zip(owner.tolist(), columns.tolist(), strict=True)):
        source = part.sources[k]
        row = source.rows()[column - (ends[k] - source.p)] & mask
        out[j] = np.frombuffer(blake2b(row.tobytes(), digest_size=_DIGEST).digest(), dtype=np.uint8)
    return out


def parts_of(p: int, count: int) -> list[int]:
    """First columns of parts of about the same size, multiples of 16, and p."""
    lanes = -(-p // LANE)
    cuts = {min(lanes * k // max(count, 1) * LANE, p) for k in range(max(count, 1))}
    return [*sorted(cuts - {p} | {0}), p]
