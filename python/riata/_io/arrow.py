"""Tables for other libraries without a copy of each cell: the Arrow PyCapsule interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riata._io.extras import needs
from riata._io.text_columns import CodedColumn, PlainColumn, TextColumn


def arrow_stream(columns: Mapping[str, Any], requested_schema: Any = None) -> Any:
    """Return columns as a capsule of an Arrow stream, for `polars.DataFrame`, `pyarrow.table` and the like.

    pyarrow makes it where it is installed, else polars.

    Raises
    ------
    ImportError
        When neither is installed.
    """
    try:
        import pyarrow as pa
    except ImportError:
        return _by_polars(columns, requested_schema)
    arrays = {name: _arrow_array(values) for name, values in columns.items()}
    return pa.table(arrays).__arrow_c_stream__(requested_schema)


def _by_polars(columns: Mapping[str, Any], requested_schema: Any) -> Any:
    try:
        import polars as pl
    except ImportError:
        raise needs("an Arrow stream", "pyarrow") from None
    frame = pl.DataFrame(
        {
            name: values.tolist() if isinstance(values, TextColumn) else np.asarray(values)
            for name, values in columns.items()
        }
    )
    return frame.__arrow_c_stream__(requested_schema)


def _arrow_array(values: Any) -> Any:
    import pyarrow as pa

    if isinstance(values, CodedColumn):
        codes = pa.array(values.codes.astype(np.int32))
        return pa.DictionaryArray.from_arrays(codes, pa.array(values.names, pa.string())).dictionary_decode()
    if isinstance(values, PlainColumn):
        return _of_bytes(values)
    return pa.array(values.tolist()) if values.dtype == object else pa.array(values)


def _of_bytes(column: PlainColumn) -> Any:
    """Return texts as they lie in memory where that is Arrow's layout, else text by text."""
    import pyarrow as pa

    small = column.offsets[-1] < 1 << 31
    kind, offsets = (
        (pa.StringArray, column.offsets.view(np.int32))
        if small
        else (pa.LargeStringArray, column.offsets.astype(np.int64))
    )
    array = kind.from_buffers(len(column), pa.py_buffer(offsets), pa.py_buffer(column.data))
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:  # names in a file that is not UTF-8
        return pa.array(column.tolist(), array.type)
    return array
