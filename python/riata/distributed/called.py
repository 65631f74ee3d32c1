"""Datasets of sgkit and stores of VCF Zarr as X: calls packed at the workers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from os import fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from riata._io.extras import needs
from riata.distributed.called_parts import CallReader, Calls
from riata.distributed.called_tables import Read, as_stored, samples_of, variants_of
from riata.distributed.held_genotypes import HeldGenotypes
from riata.distributed.host import client_of
from riata.genetics.chromosomes import ChromosomeSet, ChrSet
from riata.genetics.genotypes import Genotypes
from riata.genetics.opening import allele_named, chromosomes_of
from riata.genetics.sources import ReaderSource

if TYPE_CHECKING:
    from distributed import Client

_DIMENSIONS = ("variants", "samples", "ploidy")
#: Bytes of calls that one task reads of a store, if its chunks are no larger.
_TASK_BYTES = 1 << 27


def from_sgkit(
    dataset: Any,
    client: Client | None = None,
    *,
    counted_allele: Literal["A1", "A2", "ALT", "REF"] | None = None,
    chr_set: ChrSet = None,
) -> HeldGenotypes:
    """Keep the genotypes of an sgkit dataset or a VCF Zarr store at the workers of a cluster, for fits.

    Parameters
    ----------
    dataset : xarray.Dataset, str or path-like
        As sgkit has it: ``call_genotype`` (variants x samples x 2), ``variant_contig``, ``variant_position``,
        ``variant_allele``, ``sample_id``; where they are there also ``call_genotype_mask``, ``variant_id``
        and what sgkit reads of a ``.fam``. Or the path of a Zarr store with these, such as ``bio2zarr`` makes
        of VCF and ``save_dataset`` of sgkit, which workers see under the same name.
    client : distributed.Client, optional
        Default: the one in use.
    counted_allele : {"A1", "A2", "ALT", "REF"}, optional
        Which allele a genotype counts; default ALT, the `a1` of ``.variants``.
    chr_set : str, int or ChromosomeSet, optional
        See `riata.open_genotypes`.

    Returns
    -------
    HeldGenotypes
        To be given as X, as of :func:`open_genotypes`.

    Raises
    ------
    ValueError
        When variables are missing or do not fit together, the ploidy is not 2, or, once genotypes are asked
        for, when calls are of a third allele, or packed they do not fit the memory of a worker.
    ImportError
        When a path is given without zarr.

    Notes
    -----
    Workers read each chunk once, when genotypes are first asked for, and pack it at 2 bits a genotype;
    chunks along the samples are joined packed. A call with one allele missing is missing, a haploid one (-2
    in the second place) counts 0 or 2. A fit is the same, to the last bit, as that of the same genotypes in a
    ``.bed``. ``.subset()`` reads what it holds again.

    References
    ----------
    Czech et al. (2025), Analysis-ready VCF at Biobank scale using Zarr, GigaScience 14.

    Examples
    --------
    >>> import riata.distributed
    >>> geno = riata.distributed.from_sgkit("/shared/study.vcz", client=client)  # doctest: +SKIP
    >>> path = riata.fit_path(geno, y)  # doctest: +SKIP
    """
    client = client_of(client)
    counted = allele_named(counted_allele)
    asked = None if chr_set is None else ChromosomeSet.of(chr_set)
    if isinstance(dataset, str | os.PathLike):
        calls, read, attributes = _of_store(fspath(dataset))
    else:
        calls, read, attributes = _of_dataset(dataset)
    p, n, _ = calls.alleles.shape
    variants = variants_of(read, attributes, calls.name, p)
    samples = samples_of(read, calls.name, n)
    chromosome_set, odd = chromosomes_of(variants.chrom.unique(), asked)
    source = ReaderSource(CallReader(client, calls, variants, samples))
    geno = Genotypes([source], variants, samples, counted, chromosome_set=chromosome_set, notes=odd)
    return HeldGenotypes.of(geno, client, calls)


def _of_dataset(dataset: Any) -> tuple[Calls, Read, dict[str, Any]]:
    """Calls of an xarray.Dataset, what reads its variables, and its attributes."""
    if not hasattr(dataset, "data_vars") or not hasattr(dataset, "attrs"):
        raise TypeError(
            "dataset must be an xarray.Dataset as sgkit has it, or the path of a Zarr store, got an object "
            f"of type {type(dataset).__name__}"
        )
    name = Path(str(dataset.encoding.get("source") or "dataset")).name

    def array(variable: str) -> Any:
        found = dataset[variable]
        if set(found.dims) != set(_DIMENSIONS):
            raise ValueError(
                f"{name}: {variable} must have the dimensions {', '.join(_DIMENSIONS)}, got "
                f"{', '.join(map(str, found.dims))}"
            )
        found = found.transpose(*_DIMENSIONS)
        if found.chunks is None:
            found = found.chunk(
                dict(zip(_DIMENSIONS, _chunks(found.shape, (1, found.shape[1])), strict=True))
            )
        return found.data

    def read(variable: str) -> NDArray[Any] | None:
        return np.asarray(dataset[variable].values) if variable in dataset else None

    return _checked(name, lambda variable: variable in dataset, array), read, dict(dataset.attrs)


def _of_store(path: str) -> tuple[Calls, Read, dict[str, Any]]:
    """Calls of a Zarr store, what reads its arrays, and its attributes."""
    try:
        import zarr
    except ImportError as error:
        raise needs(f"reading {path}", "zarr") from error
    from dask import array as arrays

    if not Path(path).exists():
        raise FileNotFoundError(f"{path}: no such store")
    try:
        group = zarr.open(path, mode="r")
    except (FileNotFoundError, ValueError) as error:
        raise ValueError(f"{path}: it must be a Zarr store, as of VCF Zarr: zarr finds none there") from error
    if not hasattr(group, "group_keys"):
        raise ValueError(f"{path}: it must be a group with call_genotype, as of VCF Zarr, got an array")

    def array(variable: str) -> Any:
        found = group[variable]
        if found.ndim != len(_DIMENSIONS):
            raise ValueError(
                f"{path}: {variable} must have the dimensions {', '.join(_DIMENSIONS)}, got {found.ndim}"
            )
        from_zarr: Any = arrays.from_zarr
        return from_zarr(path, component=variable, chunks=_chunks(found.shape, found.chunks))

    def read(variable: str) -> NDArray[Any] | None:
        return np.asarray(group[variable][...]) if variable in group else None

    return _checked(path, lambda variable: variable in group, array), read, dict(group.attrs)


def _checked(name: str, has: Any, array: Any) -> Calls:
    """Calls, once their shape and type are what they must be."""
    if not has("call_genotype"):
        raise ValueError(
            f"{name}: call_genotype must be among the variables, as in a dataset of sgkit or VCF Zarr"
        )
    alleles = as_stored(array("call_genotype"), name, "call_genotype")
    if alleles.shape[2] != 2:
        raise ValueError(f"{name}: call_genotype must have ploidy 2, got {alleles.shape[2]}")
    if alleles.dtype.kind != "i":
        raise ValueError(f"{name}: call_genotype must hold signed integers, got {alleles.dtype}")
    mask = array("call_genotype_mask") if has("call_genotype_mask") else None
    if mask is not None and (mask.shape != alleles.shape or mask.dtype != np.bool_):
        raise ValueError(
            f"{name}: call_genotype_mask must be boolean and have the shape of call_genotype, "
            f"{alleles.shape}, got {mask.dtype} and {mask.shape}"
        )
    return Calls(name, alleles, mask)


def _chunks(shape: tuple[int, ...], stored: Sequence[int]) -> tuple[int, ...]:
    """Whole chunks of a store, as many side by side as a task reads, first along the samples."""
    p, n, ploidy = shape
    variants, samples = min(stored[0], p), min(stored[1], n)
    a_sample = max(variants * ploidy, 1)
    samples = min(n, max(_TASK_BYTES // (a_sample * max(samples, 1)), 1) * samples)
    if samples == n:
        variants = min(p, max(_TASK_BYTES // max(a_sample * n, 1), 1) * variants)
    return max(variants, 1), max(samples, 1), ploidy
