"""Variants and samples of a dataset of sgkit, or a store of VCF Zarr, as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import Table
from riata._io.text_columns import TextColumn, coded_column, coded_texts, plain_column
from riata.genetics.pgen import sample_table

#: Reads a variable of the dataset, None where it has none of that name.
Read = Callable[[str], "NDArray[Any] | None"]

#: Columns of samples, and the variables that sgkit has them in.
_SAMPLES = {
    "FID": "sample_family_id",
    "IID": "sample_id",
    "PAT": "sample_paternal_id",
    "MAT": "sample_maternal_id",
    "SEX": "sample_sex",
    "PHENO1": "sample_phenotype",
}
_NONE = {"FID": "0", "PAT": "0", "MAT": "0", "SEX": "0", "PHENO1": "NA"}


def variants_of(read: Read, attributes: Mapping[str, Any], name: str, p: int) -> Table:
    """The table of the variants: ``chrom, id, cm, pos, a1, a2``; a1 is ALT, and a2 REF.

    Several alternate alleles are written ``C,T``. Variants without ids are called by chromosome, position and
    alleles.
    """
    alleles = [
        [text for text in row if text] for row in _texts2(_needed(read, "variant_allele", name, p)).tolist()
    ]
    a2 = [row[0] if row else "." for row in alleles]
    a1 = [",".join(row[1:]) or "." for row in alleles]
    pos = np.maximum(as_stored(_needed(read, "variant_position", name, p), name, "variant_position"), 0)
    chrom = _contigs(read, attributes, name, p)
    ids = read("variant_id")
    if ids is None:
        names = [":".join(map(str, row)) for row in zip(chrom, pos.tolist(), a2, a1, strict=True)]
    else:
        names = [text or "." for text in _texts(ids)]
    return Table(
        {
            "chrom": chrom,
            "id": plain_column(names),
            "cm": np.zeros(p),
            "pos": pos.astype(np.int64),
            "a1": coded_texts(a1),
            "a2": coded_texts(a2),
        }
    )


def as_stored(values: Any, name: str, variable: str) -> Any:
    """Integers that xarray has left as they are: it takes the fill value of an array, often 0, for missing.

    Raises
    ------
    ValueError
        When they are floats.
    """
    if values.dtype.kind == "f":
        raise ValueError(
            f"{name}: {variable} must hold integers, got {values.dtype}, as xarray makes of arrays with a "
            "fill value: open the store with mask_and_scale=False, or give its path"
        )
    return values


def samples_of(read: Read, name: str, n: int) -> Table:
    """The table of the samples, with the columns of a ``.fam``."""
    columns = {"IID": _texts(_needed(read, "sample_id", name, n))}
    for column, variable in _SAMPLES.items():
        if column not in columns and (values := read(variable)) is not None:
            columns[column] = [
                _NONE[column] if text in ("", ".", "-1", "nan") else text for text in _texts(values)
            ]
    return sample_table(columns, [column for column in _SAMPLES if column in columns])


def _needed(read: Read, variable: str, name: str, size: int) -> NDArray[Any]:
    values = read(variable)
    if values is None:
        raise ValueError(
            f"{name}: {variable} must be among the variables, as in a dataset of sgkit or VCF Zarr"
        )
    if len(values) != size:
        raise ValueError(
            f"{name}: {variable} must be as long as call_genotype, {size:,}, got {len(values):,} values"
        )
    return values


def _contigs(read: Read, attributes: Mapping[str, Any], name: str, p: int) -> TextColumn:
    codes = as_stored(_needed(read, "variant_contig", name, p), name, "variant_contig")
    if codes.dtype.kind not in "iu":
        return coded_texts(_texts(codes))
    found = read("contig_id")
    names = _texts(found) if found is not None else [str(text) for text in attributes.get("contigs", ())]
    if p and not 0 <= int(codes.min()) <= int(codes.max()) < len(names):
        raise ValueError(
            f"{name}: variant_contig must number the contigs, 0 to {len(names) - 1} of contig_id, got "
            f"{int(codes.min())} to {int(codes.max())}"
        )
    return coded_column(codes.astype(np.int32), names)


def _texts(values: NDArray[Any]) -> list[str]:
    return [text.decode() if isinstance(text, bytes) else str(text) for text in values.tolist()]


def _texts2(values: NDArray[Any]) -> NDArray[Any]:
    """Alleles, (p, k), as an array of strings; one allele of all variants may be in one dimension."""
    flat = np.array(_texts(values.reshape(-1)), dtype=object)
    return flat.reshape(len(values), -1)
