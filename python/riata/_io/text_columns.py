"""Columns of text for tables of millions of rows: compact in memory, strings only where asked for."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._io.text_files import NOT_UTF8

_BLOCK = 1 << 16  # rows turned into strings at a time


class TextColumn:
    """A read-only sequence of strings, indexed as an array is.

    A number gives a string; a slice, mask or array of positions gives a column. `np.asarray` turns the whole
    into an array of Python strings. Comparing with a string or with as many strings gives truth values, one
    a row. Either every row has its own text, one after the other in `data` (`PlainColumn`), or there is a
    number for each row and a list of the distinct texts (`CodedColumn`).
    """

    dtype: ClassVar[np.dtype[Any]] = np.dtype(object)
    ndim: ClassVar[int] = 1
    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        raise NotImplementedError

    def take(self, positions: NDArray[np.int64]) -> TextColumn:
        """The rows at `positions`, each within [0, len)."""
        raise NotImplementedError

    def match(self, wanted: Sequence[str]) -> NDArray[np.int32]:
        """For each row the first of the `wanted` texts that equals it, or -1."""
        raise NotImplementedError

    def repeated(self) -> NDArray[np.bool_]:
        """Whether an earlier row has the same text."""
        raise NotImplementedError

    def _strings(self, start: int, stop: int) -> list[str]:
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int]:
        return (len(self),)

    @property
    def size(self) -> int:
        return len(self)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int | np.integer):
            k = int(key) + (len(self) if key < 0 else 0)
            if not 0 <= k < len(self):
                raise IndexError(f"row {int(key)} of a column of {len(self)}")
            return self._strings(k, k + 1)[0]
        if isinstance(key, slice):
            return self.take(np.arange(*key.indices(len(self))))
        rows = np.asarray(key)
        if rows.dtype == bool:
            if rows.shape != self.shape:
                raise IndexError(f"a mask of {rows.shape} for a column of {len(self)}")
            return self.take(np.flatnonzero(rows))
        rows = np.where(rows < 0, rows + len(self), rows).astype(np.int64, copy=False)
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of a column of {len(self)}")
        return self.take(rows)

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _BLOCK):
            yield from self._strings(start, min(start + _BLOCK, len(self)))

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and bool((self.match([text]) >= 0).any())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        out = np.empty(len(self), dtype=object)
        out[:] = self.tolist()
        return out if dtype is None else out.astype(dtype)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, str):
            return self.match([other]) >= 0
        if not isinstance(other, Iterable):
            return NotImplemented
        return np.asarray(self) == np.asarray(other, dtype=object)

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else ~equal

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:3]))
        return f"<{len(self):,} texts: {shown}{', ...' if len(self) > 3 else ''}>"

    def tolist(self) -> list[str]:
        """Every row as a string."""
        return list(self)

    def isin(self, texts: Iterable[str]) -> NDArray[np.bool_]:
        """Say which rows are among `texts`."""
        return np.asarray(self.match(list(texts)) >= 0)

    def find(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return, for each of `texts`, the first row that has it (-1: none) and how many rows have it."""
        match = self.match(texts)
        rows = np.flatnonzero(match >= 0)[::-1]
        first = np.full(len(texts), -1, dtype=np.int64)
        first[match[rows]] = rows  # from the last to the first, which stays
        count = np.bincount(match[rows], minlength=len(texts)).astype(np.int64)
        same = plain_column(texts).match(texts)  # where a text given twice was found
        return first[same], count[same]


class PlainColumn(TextColumn):
    """Texts one after the other: row i is ``data[offsets[i]:offsets[i + 1]]`` in UTF-8."""

    def __init__(self, data: NDArray[np.uint8], offsets: NDArray[np.uint32]) -> None:
        self.data, self.offsets = data, offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def take(self, positions: NDArray[np.int64]) -> PlainColumn:
        return PlainColumn(*_core.take_texts(self.data, self.offsets, positions))

    def match(self, wanted: Sequence[str]) -> NDArray[np.int32]:
        other = plain_column(wanted)
        return _core.match_texts(self.data, self.offsets, other.data, other.offsets)

    def repeated(self) -> NDArray[np.bool_]:
        return _core.repeated_texts(self.data, self.offsets)

    def _strings(self, start: int, stop: int) -> list[str]:
        bounds = self.offsets[start : stop + 1].tolist()
        block = self.data[bounds[0] : bounds[-1]].tobytes()
        return [block[a - bounds[0] : b - bounds[0]].decode(errors=NOT_UTF8) for a, b in pairwise(bounds)]


class CodedColumn(TextColumn):
    """Texts that repeat: row i is ``names[codes[i]]``."""

    def __init__(self, codes: NDArray[Any], names: Sequence[str]) -> None:
        self.codes, self.names = codes, list(names)

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, positions: NDArray[np.int64]) -> CodedColumn:
        return CodedColumn(self.codes[positions], self.names)

    def match(self, wanted: Sequence[str]) -> NDArray[np.int32]:
        return (
            plain_column(self.names).match(wanted)[self.codes] if self.names else np.empty(0, dtype=np.int32)
        )

    def repeated(self) -> NDArray[np.bool_]:
        out = np.ones(len(self), dtype=np.bool_)
        out[np.unique(self.codes, return_index=True)[1]] = False
        return out

    def unique(self) -> list[str]:
        """The texts there are, in the order they first appear."""
        used, first = np.unique(self.codes, return_index=True)
        return [self.names[k] for k in used[np.argsort(first)]]

    def _strings(self, start: int, stop: int) -> list[str]:
        return [self.names[k] for k in self.codes[start:stop].tolist()]


def converted(column: Iterable[Any], convert: Callable[[str], str]) -> NDArray[Any]:
    """Return texts of which many repeat, each converted, as an array of strings."""
    if isinstance(column, CodedColumn):
        names = np.array([convert(name) for name in column.names], dtype=object)
        return np.asarray(names[column.codes])
    texts = [str(text) for text in column]
    done = {text: convert(text) for text in set(texts)}
    return np.array([done[text] for text in texts], dtype=object)


class TextBuilder:
    """A `PlainColumn` in the making: texts are kept as it keeps them, block by block."""

    def __init__(self) -> None:
        self._data, self._lengths = bytearray(), array("I")

    def extend(self, texts: Iterable[str]) -> None:
        """Add texts at the end."""
        encoded = [text.encode(errors="surrogateescape") for text in texts]
        self._lengths.extend(map(len, encoded))
        self._data += b"".join(encoded)

    def column(self) -> PlainColumn:
        """Return the column; nothing may be added after."""
        if len(self._data) >= 1 << 32:
            raise ValueError("a column of text must not take more than 4 GiB")
        offsets = np.zeros(len(self._lengths) + 1, dtype=np.uint32)
        np.cumsum(np.frombuffer(self._lengths, dtype=np.uint32), out=offsets[1:])
        return PlainColumn(np.frombuffer(self._data, dtype=np.uint8), offsets)


def plain_column(texts: Iterable[str]) -> PlainColumn:
    """Keep strings one after the other."""
    if isinstance(texts, PlainColumn):
        return texts
    builder = TextBuilder()
    builder.extend(texts)
    return builder.column()


def coded_texts(texts: Iterable[str]) -> CodedColumn:
    """Keep strings that repeat as numbers of the distinct ones."""
    place: dict[str, int] = {}
    codes = np.fromiter((place.setdefault(text, len(place)) for text in texts), dtype=np.int32)
    return coded_column(codes, list(place))


def coded_column(codes: NDArray[np.int32], names: Sequence[str]) -> CodedColumn:
    """Keep numbers of texts in as few bytes as they need."""
    for dtype in (np.uint8, np.uint16):
        if len(names) <= np.iinfo(dtype).max:
            return CodedColumn(codes.astype(dtype), names)
    return CodedColumn(codes, names)


def join_columns(columns: Sequence[Any]) -> TextColumn:
    """The rows of several columns, one after the other; lists of strings are columns too."""
    if all(isinstance(column, CodedColumn) for column in columns):
        place: dict[str, int] = {}
        codes = []
        for column in columns:
            new = np.array([place.setdefault(name, len(place)) for name in column.names], dtype=np.int32)
            codes.append(new[column.codes] if len(new) else np.empty(0, dtype=np.int32))
        return coded_column(np.concatenate(codes), list(place))
    plain = [plain_column(column) for column in columns]
    shift = np.cumsum([0, *(int(column.offsets[-1]) for column in plain)])
    if shift[-1] >= 1 << 32:
        raise ValueError("a column of text must not take more than 4 GiB")
    offsets = [column.offsets[1:] + np.uint32(start) for column, start in zip(plain, shift, strict=False)]
    data = [column.data[: int(column.offsets[-1])] for column in plain]
    return PlainColumn(np.concatenate(data), np.concatenate([[np.uint32(0)], *offsets], dtype=np.uint32))


def differing_rows(a: Any, b: Any) -> NDArray[np.int64]:
    """Rows at which two columns, or arrays of names, of equal length differ."""
    plain = isinstance(a, PlainColumn) and isinstance(b, PlainColumn)
    if plain and np.array_equal(a.offsets, b.offsets) and np.array_equal(a.data, b.data):
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.asarray(a, dtype=object) != np.asarray(b, dtype=object))


def same_texts(a: Any, b: Any) -> bool:
    """Whether two columns of equal length have the same texts."""
    if isinstance(a, CodedColumn) and isinstance(b, CodedColumn):
        if a.names == b.names and np.array_equal(a.codes, b.codes):
            return True
        pairs = np.unique(np.stack([a.codes.astype(np.int64), b.codes.astype(np.int64)]), axis=1)
        return all(a.names[j] == b.names[k] for j, k in pairs.T.tolist())
    return len(differing_rows(a, b)) == 0
