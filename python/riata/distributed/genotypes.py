"""PLINK 1 files as X: workers hold their variants."""

from __future__ import annotations

from collections.abc import Sequence
from os import fspath
from typing import TYPE_CHECKING, Literal

from riata._io.text_files import StrPath
from riata.distributed.bed_parts import BedFiles, Load
from riata.distributed.held_genotypes import HeldGenotypes
from riata.distributed.host import client_of
from riata.genetics.genotypes import Genotypes
from riata.genetics.opening import open_genotypes as open_here
from riata.genetics.sources import PackedSource

if TYPE_CHECKING:
    from distributed import Client


def open_genotypes(
    path: StrPath | Sequence[StrPath],
    *,
    client: Client | None = None,
    load: Load = "memory",
    scratch: StrPath | None = None,
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
    scratch : str or path-like, optional
        With ``load="map"``: a folder of a local disk, by the same name for all workers. Each copies its
        variants there and maps the copy, which goes when they are no more in use.
    counted_allele : {"A1", "A2", "ALT", "REF"}, optional
        See `riata.open_genotypes`.

    Returns
    -------
    HeldGenotypes
        To be given as X.

    Raises
    ------
    ValueError
        When there is no client, it is closed, workers have another version of riata, a file is no PLINK 1
        ``.bed``, or, once genotypes are asked for, parts do not fit the memory of a worker.
    RuntimeError
        When no worker comes within a minute.
    OSError
        Once genotypes are asked for, when a worker does not see a file, or another one, or when
        `scratch` is not there for a worker, or has no room.

    Warns
    -----
    UserWarning
        When instruction sets of workers differ, and all use the lowest; when Dask would pause or kill workers
        for what they map.

    Notes
    -----
    Parts are divided by variants, not by files, as many as there are workers when they are first used. A fit
    is the same, to the last bit, as that of `riata.open_genotypes`, for any number of workers. When a worker
    is lost another one reads its variants twice, whatever the lost one had read.

    Examples
    --------
    >>> import riata.distributed
    >>> geno = riata.distributed.open_genotypes("/data/study_chr@", client=client)  # doctest: +SKIP
    >>> path = riata.fit_path(geno, y)  # doctest: +SKIP
    """
    client = client_of(client)
    if load not in ("memory", "map"):
        raise ValueError(f"load must be 'memory' or 'map', got {load!r}")
    if scratch is not None and load != "map":
        raise ValueError(f"scratch needs load='map', got load={load!r}")
    return hold(open_here(path, counted_allele=counted_allele), client, load, scratch)


def hold(genotypes: Genotypes, client: Client, load: Load, scratch: StrPath | None) -> HeldGenotypes:
    """Genotypes of ``.bed`` files that this process has opened, at the workers of a client."""
    sources = []
    for source in genotypes.sources:
        if not isinstance(source, PackedSource) or source.bed is None:
            raise ValueError(
                f"path must name PLINK 1 .bed files, got {source.path}: convert it with --make-bed"
            )
        sources.append(source)
    files = BedFiles(sources, load, None if scratch is None else fspath(scratch))
    return HeldGenotypes.of(genotypes, client, files)
