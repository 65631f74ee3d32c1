"""What ``riata info`` says of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from riata._io.orientation import transposed_hint
from riata._io.tables import some
from riata._io.wording import counted
from riata.study.expected_cost import cost_line
from riata.study.matrices import read_matrix
from riata.study.matrix_table import constant_columns
from riata.study.options import SourceOptions
from riata.study.table_cells import code_missing


def matrix_lines(options: SourceOptions) -> list[str]:
    """Describe a table."""
    assert options.matrix is not None
    table = read_matrix(
        options.matrix,
        options.orient,
        duplicates="suffix",
        feature_names=options.feature_names,
        sample_ids=options.sample_ids,
        layer=options.layer,
    )
    code_missing(table, None)
    n, p = table.shape
    incomplete, cells = _missing(table.X)
    lines = [
        f"{table.path}: {counted(n, 'sample')} x {counted(p, 'feature')}, {_storage(table.X)}",
        f"  features    {some(list(table.feature_names), 4)}",
        f"  samples     {some(list(table.sample_ids), 4)}",
        f"  incomplete  {counted(incomplete, 'feature')} with missing or infinite values"
        + (f" ({cells:,} of {n * p:,})" if cells else ""),
        f"  constant    {counted(len(constant_columns(table.X)), 'feature')}",
    ]
    lines += [f"  text        {name}: {some(sorted(set(cells)), 4)}" for name, cells in table.text.items()]
    lines += [
        f"  beside      {name}: {some(list(dict.fromkeys(cells)), 4)}" for name, cells in table.beside.items()
    ]
    lines += [f"  note        {note}" for note in table.notes]
    header = str(table.header[0]) if len(table.header) else ""
    hint = transposed_hint(list(table.sample_ids), list(table.feature_names), header, options.orient)
    return [*lines, *([f"  hint        {hint}"] if hint else []), cost_line(_numbers(table.X), 12)]


def _numbers(X: Any) -> Any:
    """Return a table with numbers in the place of what is missing, which cost the same."""
    return X if not isinstance(X, np.ndarray) or np.isfinite(X).all() else np.nan_to_num(X)


def _storage(X: Any) -> str:
    if isinstance(X, np.ndarray):
        return str(X.dtype)
    return f"sparse, {100.0 * X.nnz / (X.shape[0] * X.shape[1]):.2g} % of the cells stored"


def _missing(X: Any) -> tuple[int, int]:
    """Return how many features are incomplete, and how many cells are missing or infinite."""
    if isinstance(X, np.ndarray):
        bad = (~np.isfinite(X)).sum(axis=0)
        return int(np.count_nonzero(bad)), int(bad.sum())
    bad = np.repeat(np.arange(X.shape[1]), np.diff(X.indptr))[~np.isfinite(X.data)]
    return len(np.unique(bad)), len(bad)
