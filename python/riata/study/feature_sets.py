"""Groups of features from a file: gene sets (GMT), or a feature and its group a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.features import rows_named
from riata._input.validation import check_integer
from riata._io.tables import StrPath, some
from riata._io.text_columns import TextColumn, plain_column
from riata._io.text_files import find_layout, is_comment, numbered_lines, split_cells
from riata._io.wording import agree, counted, counted_of

__all__ = ["FeatureGroups", "read_gene_sets"]


@dataclass(frozen=True, repr=False)
class FeatureGroups(Mapping[str, NDArray[np.int64]]):
    """Groups of a file, found among the features of a study: a mapping from names to positions of features.

    Made by `read_gene_sets`. Given as `groups` to a group lasso it is as good as the dict `members`.

    Attributes
    ----------
    path : str
    members : dict of str to (k,) arrays
        Of each group that is used, the positions of its features, increasing.
    names : list of str
        All groups of the file.
    listed, found : (G,) arrays
        For each of `names`, how many different features the file lists, and how many of them there are here.
    smallest, largest : int, int or None
        How many features a group must have here to be used.
    n_listed, n_unknown : int
        Different features of the file, and those that are not here.
    n_repeated : int
        Features that a group lists again: they count once.
    n_alone, n_shared : int
        Features here that are in no group that is used, and those in several.
    only : bool
        Whether features in none are left out, and not groups of their own.

    Examples
    --------
    >>> import riata
    >>> sets = riata.read_gene_sets({"REPAIR": ["TP53", "ATM"], "CYCLE": ["CDK4"]}, ["ATM", "CDK4", "TP53"])
    >>> list(sets), sets["REPAIR"]
    (['REPAIR', 'CYCLE'], array([0, 2]))
    """

    path: str
    members: dict[str, NDArray[np.int64]]
    names: list[str]
    listed: NDArray[np.int64]
    found: NDArray[np.int64]
    smallest: int
    largest: int | None
    n_listed: int
    n_unknown: int
    n_repeated: int
    n_alone: int
    n_shared: int
    only: bool = False

    def __getitem__(self, name: str) -> NDArray[np.int64]:
        return self.members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    def __repr__(self) -> str:
        return f"<riata.FeatureGroups {len(self):,} of the {len(self.names):,} groups of {self.path}>"

    @property
    def absent(self) -> list[str]:
        """Groups without a feature here."""
        return self._named(self.found == 0)

    @property
    def too_small(self) -> list[str]:
        """Groups that have some features here, but fewer than `smallest`."""
        return self._named((self.found > 0) & (self.found < self.smallest))

    @property
    def too_large(self) -> list[str]:
        """Groups that have more features here than `largest`."""
        return [] if self.largest is None else self._named(self.found > self.largest)

    @property
    def columns(self) -> list[tuple[str, NDArray[Any]]]:
        """What became of each group, as written to ``.sets.tsv``."""
        used = np.array([name in self.members for name in self.names], dtype=np.bool_)
        return [
            ("GROUP", np.array(self.names, dtype=object)),
            ("LISTED", self.listed),
            ("FOUND", self.found),
            ("USED", np.where(used, "yes", "no").astype(object)),
        ]

    def to_frame(self) -> Any:
        """What became of each group, as a pandas table: listed, found and used, by its name."""
        import pandas as pd

        columns = {name.lower(): values for name, values in self.columns}
        columns["used"] = columns["used"] == "yes"
        return pd.DataFrame(columns).set_index("group")

    def to_dict(self) -> dict[str, Any]:
        """Counts, for a manifest."""
        return {
            "file": self.path,
            "listed": len(self.names),
            "found": len(self.members),
            "absent": self.absent,
            "too_small": len(self.too_small),
            "too_large": len(self.too_large),
            "alone": self.n_alone,
            "shared": self.n_shared,
            "members": {
                "listed": self.n_listed,
                "found": self.n_listed - self.n_unknown,
                "repeated": self.n_repeated,
            },
        }

    def alone(self, n_features: int) -> NDArray[np.int64]:
        """Return the positions of features in no group that is used."""
        inside = np.concatenate([*self.members.values(), np.empty(0, dtype=np.int64)])
        return np.setdiff1d(np.arange(n_features), inside)

    def lines(self, noun: str = "features") -> list[str]:
        """Say what was read and found, a line each."""
        sizes = sorted({len(rows) for rows in self.members.values()})
        range_ = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
        most = counted_of(sizes[-1], noun) if len(sizes) == 1 else f"{range_} {noun}"
        lines = [f"{counted(len(self.members), 'group')} of {most} from {self.path}"]
        if self.n_shared:
            shared = counted_of(self.n_shared, noun)
            lines.append(f"{shared} in several groups: effects are sums of a part for each")
        if self.n_alone and not self.only:
            lines.append(f"{counted_of(self.n_alone, noun)} in no group: each is a group of its own")
        if self.n_unknown:
            found = self.n_listed - self.n_unknown
            listed = counted_of(self.n_listed, noun)
            lines.append(f"of the {listed} in {self.path} {found:,} {agree(found, 'is', 'are')} here")
        if self.n_repeated:
            lines.append(f"{self.n_repeated:,} listed again in the same group: counted once")
        for what, names in (
            (f"groups without {noun} here", self.absent),
            (f"groups of fewer than {self.smallest:,} {noun} here, left out", self.too_small),
            (f"groups of more than {self.largest or 0:,} {noun} here, left out", self.too_large),
        ):
            if names:
                lines.append(f"{what}: {len(names):,} ({some(names)})")
        return lines

    def _named(self, chosen: NDArray[np.bool_]) -> list[str]:
        return [self.names[k] for k in np.flatnonzero(chosen)]


class _Numbers(dict[str, int]):
    """A number for each different text, in the order they first come."""

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        return number

    def of(self, texts: Iterable[str]) -> NDArray[np.int32]:
        return np.fromiter(map(self.__getitem__, texts), dtype=np.int32)


@dataclass
class ListedSets:
    """Groups as a file lists them: the different features, and of each group the numbers of its own."""

    numbers: _Numbers = field(default_factory=_Numbers)
    members: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    may_have_header: bool = False  # the first group may be the header of two columns


def read_sets(path: StrPath) -> ListedSets:
    """Read the features of each group.

    A name that ends in ``.gmt`` (also ``.gmt.gz``) means gene sets, one per line: name, description, genes,
    with tabs between. Other files have two columns, feature and group; the first line may be a header.

    Raises
    ------
    OSError, ValueError
        When the file cannot be read or a line is something else; the message names it.
    """
    name = str(path)
    lines = dropwhile(lambda item: is_comment(item[1]), numbered_lines(path))
    out = _sets_in(lines, name) if is_gmt(path) else _pairs_in(list(lines), name)
    if not out.members:
        raise ValueError(f"{name}: no groups in it")
    return out


def is_gmt(path: StrPath) -> bool:
    """Whether the name of a file says that it holds gene sets."""
    return str(path).lower().removesuffix(".gz").endswith(".gmt")


def _sets_in(lines: Iterable[tuple[int, str]], name: str) -> ListedSets:
    out = ListedSets()
    for number, line in lines:
        where = f"{name}, line {number}"
        cells = line.split("\t") if '"' not in line and " " not in line else split_cells(line, "\t", where)
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) < 3 or not cells[0]:
            raise ValueError(
                f"{where}: expected a gene set: name, description and genes, with tabs between, got "
                f"{len(cells)} columns"
            )
        if cells[0] in out.members:
            raise ValueError(f"{where}: gene set {cells[0]} stands in an earlier line")
        genes = cells[2:]
        out.members[cells[0]] = out.numbers.of(filter(None, genes) if "" in genes else genes)
    return out


def _pairs_in(lines: list[tuple[int, str]], name: str) -> ListedSets:
    out = ListedSets(may_have_header=True)
    if not lines:
        return out
    delimiter = find_layout(name, lines[0][1], [line for _, line in lines[1:50]], name).delimiter
    found: dict[str, list[str]] = {}
    for number, line in lines:
        cells = split_cells(line, delimiter, f"{name}, line {number}")
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) != 2 or not all(cells):
            raise ValueError(
                f"{name}, line {number}: expected a feature and its group, got {len(cells)} columns; "
                "gene sets are read from a file whose name ends in .gmt"
            )
        found.setdefault(cells[1], []).append(cells[0])
    out.members = {label: out.numbers.of(features) for label, features in found.items()}
    return out


def sets_of(groups: Mapping[Any, Iterable[Any]]) -> ListedSets:
    """Take the features of each group from a mapping."""
    out = ListedSets()
    for label, features in groups.items():
        if isinstance(features, str):
            raise TypeError(f"sets[{label!r}] must hold names of features, got the text {features!r}")
        out.members[str(label)] = out.numbers.of(map(str, features))
    if not out.members:
        raise ValueError("sets must hold at least one set, got none")
    return out


def made_groups(groups: Mapping[str, NDArray[np.int64]], origin: str) -> FeatureGroups:
    """Return disjoint groups of all features, by position, as those of a file are held."""
    sizes = np.array([len(rows) for rows in groups.values()], dtype=np.int64)
    return FeatureGroups(
        path=origin, members=dict(groups), names=list(groups), listed=sizes, found=sizes,
        smallest=1, largest=None, n_listed=int(sizes.sum()), n_unknown=0, n_repeated=0, n_alone=0, n_shared=0,
    )  # fmt: skip


def find_groups(
    path: StrPath,
    features: TextColumn | Sequence[str] | NDArray[Any],
    noun: str,
    *,
    smallest: int = 1,
    largest: int | None = None,
) -> FeatureGroups:
    """Read groups and find their features by name; a name that several features share means them all.

    Raises
    ------
    OSError, ValueError
        As `read_sets` does, when no feature is found, and when no group has a size that is wanted.
    """
    return _find(read_sets(path), path, features, noun, smallest, largest)


def _find(
    sets: ListedSets,
    path: StrPath,
    features: TextColumn | Sequence[str] | NDArray[Any],
    noun: str,
    smallest: int,
    largest: int | None,
) -> FeatureGroups:
    column = features if isinstance(features, TextColumn) else plain_column([str(name) for name in features])
    wanted = list(sets.numbers)
    rows, starts = rows_named(column, wanted)
    here = np.diff(starts) > 0
    if not here.any():
        raise ValueError(
            f"{path}: none of its {len(wanted):,} features is among the {len(column):,} {noun}: it has "
            f"{some(wanted, 3)}, the data {some(column[:3].tolist(), 3)}"
        )
    positions: dict[str, NDArray[np.int64]] = {}
    listed, repeated = [], 0
    for label, numbers in sets.members.items():
        distinct = np.unique(numbers)
        listed.append(len(distinct))
        repeated += len(numbers) - len(distinct)
        positions[label] = np.sort(_ranges(rows, starts, distinct[here[distinct]]))
    first = next(iter(positions))
    if sets.may_have_header and len(positions[first]) == 0 and listed[0] == 1:
        del positions[first], listed[0]
        here = np.delete(here, int(sets.members[first][0]))
    counts = np.array([len(at) for at in positions.values()], dtype=np.int64)
    most = len(column) if largest is None else largest
    used = {label: at for label, at in positions.items() if max(smallest, 1) <= len(at) <= most}
    if not used:
        raise ValueError(
            f"{path}: no group has {smallest:,}{'' if largest is None else f' to {largest:,}'} {noun} here: "
            f"they have {counts.min():,} to {counts.max():,}"
        )
    times = np.bincount(np.concatenate(list(used.values())), minlength=len(column))
    return FeatureGroups(
        path=str(path),
        members=used,
        names=list(positions),
        listed=np.array(listed, dtype=np.int64),
        found=counts,
        smallest=smallest,
        largest=largest,
        n_listed=len(here),
        n_unknown=int(np.count_nonzero(~here)),
        n_repeated=repeated,
        n_alone=int(np.count_nonzero(times == 0)),
        n_shared=int(np.count_nonzero(times > 1)),
    )


def _ranges(
    rows: NDArray[np.int64], starts: NDArray[np.int64], chosen: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Return ``rows[starts[k] : starts[k + 1]]`` of all chosen k, one after the other."""
    first, size = starts[chosen], starts[chosen + 1] - starts[chosen]
    if (size == 1).all():
        return rows[first]
    within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    return np.asarray(rows[np.repeat(first, size) + within])


def read_gene_sets(
    sets: StrPath | Mapping[Any, Iterable[Any]],
    features: Sequence[str] | NDArray[Any],
    *,
    min_size: int = 1,
    max_size: int | None = None,
) -> FeatureGroups:
    """Read gene sets and find their genes among the features of a fit, for `GroupLasso` and its like.

    Parameters
    ----------
    sets : str or path-like, or mapping
        A file of gene sets, one per line (``.gmt``, ``.gmt.gz``: name, description, genes, between tabs),
        or of two columns, feature and group; or for each name of a set its genes.
    features : sequence of str
        Names of the features, such as ``X.columns``. A name that several share means them all.
    min_size, max_size : int, optional
        Use the sets that have so many genes among the features; gene set enrichment usually asks for 15 to
        500.

    Returns
    -------
    FeatureGroups
        A mapping from the names of the sets to the positions of their features. `lines` says what was found,
        `to_frame` how many genes each set lists and has here.

    Raises
    ------
    OSError, ValueError
        When the file cannot be read, no gene of it is found, or no set has such a size.

    Examples
    --------
    >>> import riata, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "sets.gmt"
    >>> _ = path.write_text("REPAIR\\t-\\tTP53\\tATM\\tBRCA1\\nCYCLE\\t-\\tTP53\\tCDK4\\n")
    >>> sets = riata.read_gene_sets(path, ["ATM", "CDK4", "GAPDH", "TP53"])
    >>> sets["REPAIR"]
    array([0, 3])
    >>> sets.to_frame().loc["REPAIR", ["listed", "found"]].tolist()
    [3, 2]
    """
    smallest = check_integer("min_size", min_size, at_least=1)
    largest = None if max_size is None else check_integer("max_size", max_size, at_least=smallest)
    if isinstance(sets, Mapping):
        return _find(sets_of(sets), "the sets given", features, "features", smallest, largest)
    return find_groups(sets, features, "features", smallest=smallest, largest=largest)
