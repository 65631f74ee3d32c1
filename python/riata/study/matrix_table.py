"""A table of samples by features, as every format is read into it, and what is asked of its reader."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.id_columns import COUNTED, IdColumns, find_ids, looks_numeric
from riata._io.repeated_names import suffixed
from riata._io.tables import Table, expand_names, is_missing, quoted, some
from riata._io.text_files import StrPath
from riata._io.wording import counted
from riata.study.joining import TURN, Joiner, repeated


@dataclass
class MatrixTable:
    """A numeric table: `X` is (n samples, p features), with names for both and any text columns apart.

    `X` is an array or, of sparse files, in CSC. With `open_ended` a feature that it does not name is zero.
    `text` maps the name of each non-numeric feature (a class label, say) to its n cells; `beside` likewise
    what is stored beside the features of an ``.npz``, or before those of a PLINK ``.raw``. `families` are
    FIDs where the table has them. `header` names all columns as they follow each other in the file.
    """

    path: str
    X: Any
    feature_names: NDArray[Any]
    sample_ids: NDArray[Any]
    text: dict[str, list[str]] = field(default_factory=dict)
    beside: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    families: NDArray[Any] | None = None
    header: Sequence[str] = ()
    open_ended: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.shape[0], self.X.shape[1]

    @property
    def columns(self) -> list[str]:
        """Names of all columns but those of ids, in the order of the file."""
        names = dict.fromkeys([*self.text, *self.beside, *(str(name) for name in self.feature_names)])
        first = [name for name in self.header if name in names]
        return list(dict.fromkeys([*first, *names]))

    def joiner(self, named: Collection[str] = ()) -> Joiner:
        """Return the samples, for other files to be matched to; columns `named` there are no ids."""
        joiner = Joiner(
            self.path, list(self.sample_ids), None if self.families is None else list(self.families)
        )
        joiner.report.notes.extend(self.notes)
        joiner.named = frozenset(named)
        joiner.other_axis = frozenset(str(name) for name in self.feature_names)
        return joiner

    def samples(self, rows: NDArray[np.int64]) -> Table:
        """Return the ids of some samples, ``fid`` and ``iid`` or ``id``."""
        if self.families is None:
            return Table({"id": self.sample_ids[rows]})
        return Table({"fid": self.families[rows], "iid": self.sample_ids[rows]})

    def pop_column(self, name: str) -> list[str]:
        """Take feature `name` out of the table and return its cells as text."""
        return self.pop_columns([name])[name]

    def pop_columns(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Take features out of the table and return the cells of each as text."""
        place = {str(name): j for j, name in enumerate(self.feature_names)} if names else {}
        out: dict[str, list[str]] = {}
        taken: list[int] = []
        for name in names:
            apart = next((columns for columns in (self.text, self.beside) if name in columns), None)
            if apart is not None:
                out[name] = apart.pop(name)
            elif name in place:
                taken.append(place[name])
                out[name] = [repr(value) for value in _column(self.X, place[name]).tolist()]
            elif name not in out:
                turned = f"; a row has that name: {TURN}" if name in set(self.sample_ids) else ""
                raise ValueError(
                    f"{self.path}: no column {quoted(name)}; columns are {some(self.columns)}{turned}"
                )
        if taken:
            kept = ~np.isin(np.arange(self.shape[1]), taken)
            self.X, self.feature_names = self.X[:, kept], self.feature_names[kept]
        return out


def _column(X: Any, j: int) -> NDArray[Any]:
    return np.asarray(X[:, j] if isinstance(X, np.ndarray) else X[:, [j]].toarray()[:, 0])


def dense_columns(X: Any, columns: NDArray[np.int64] | Sequence[int]) -> NDArray[np.float64]:
    """Return some columns of an array or a sparse matrix as doubles."""
    chosen = X[:, columns]
    return np.asarray(chosen if isinstance(chosen, np.ndarray) else chosen.toarray(), dtype=np.float64)


def constant_columns(X: Any) -> NDArray[np.int64]:
    """Return which columns hold one value alone."""
    if isinstance(X, np.ndarray):
        return np.flatnonzero(X.min(axis=0) == X.max(axis=0))
    return np.flatnonzero(X.min(axis=0).toarray().ravel() == X.max(axis=0).toarray().ravel())


@dataclass(frozen=True)
class Asked:
    """How a table is to be read: see `riata.study.matrices.read_matrix`."""

    orient: str
    named: Collection[str]
    duplicates: str | None
    feature_names: StrPath | None = None
    sample_ids: StrPath | None = None
    layer: str | None = None

    @property
    def transposed(self) -> bool:
        return self.orient == "samples-columns"

    def ids(self, header: Sequence[str], head: Sequence[Sequence[str]], path: str) -> IdColumns:
        """Find the ids of a table, given the first cells of each column."""
        first = [next((cell for cell in cells if not is_missing(cell)), "NA") for cells in head]
        text = (k for k, cell in enumerate(first) if not looks_numeric(cell))
        classes = {k for k in text if repeated(cell for cell in head[k] if not is_missing(cell))}
        return find_ids(header, first, set(expand_names(list(self.named), header, path)), classes)


def refuse_repeated(names: Sequence[Any] | NDArray[Any], path: str, what: str) -> None:
    values, counts = np.unique(np.asarray(names, dtype=str), return_counts=True)
    if (counts > 1).any():
        hint = (
            ""
            if what == "sample"
            else "; --duplicates suffix keeps each under a name of its own, --duplicates mean their mean"
        )
        raise ValueError(
            f"{path}: {what} names must be distinct, repeated: {some(list(values[counts > 1]))}{hint}"
        )


def assembled(
    path: str,
    X: NDArray[Any],
    names: Sequence[str],
    found: IdColumns,
    header: Sequence[str],
    cells: Mapping[int, list[str]],
    text: Sequence[int],
) -> MatrixTable:
    """Put a table of samples in rows together; `cells` are those of the columns that are no features."""
    ids, note = counted_names(len(X)), found.told
    text = list(text)
    if found.sample >= 0 and not found.certain and repeated(cells[found.sample]):
        note = f"{COUNTED}, since column {quoted(header[found.sample])} repeats"
        text.insert(0, found.sample)
    elif found.sample >= 0:
        ids = cells[found.sample]
    apart = dict(zip(suffixed([header[k] for k in text]), (cells[k] for k in text), strict=True))
    notes = [note]
    twice = sum(name.endswith("_HET") for name in names) if found.beside else 0
    if twice:
        notes.append(
            f"{counted(twice, 'feature')} whose name ends in _HET: indicators of heterozygotes, as plink "
            "--recode AD writes"
        )
    return MatrixTable(
        path,
        X,
        np.array(names, dtype=object),
        np.array(ids, dtype=object),
        text=apart,
        beside={header[k]: cells[k] for k in found.beside if header[k]},
        notes=notes,
        families=None if found.family < 0 else np.array(cells[found.family], dtype=object),
        header=header,
    )


def counted_names(n: int) -> list[str]:
    return [str(k + 1) for k in range(n)]


def numbered_names(p: int) -> list[str]:
    return [f"x{j + 1}" for j in range(p)]
