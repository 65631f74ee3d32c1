"""Disjoint groups of features that are correlated, as selections and group penalties take them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._input.features import Names
from riata._input.validation import check_real, check_vector
from riata._io.output_files import replace_text
from riata._io.tables import StrPath

__all__ = ["CorrelationGroups"]


@dataclass(frozen=True, repr=False, eq=False)
class CorrelationGroups(Mapping[str, NDArray[np.int64]]):
    """Disjoint groups of features: a mapping from names to positions of features, all of them in one group.

    Made by `ld_groups` and `correlation_groups`. It may be given as `groups` to `stability_selection` and to
    group penalties, as `feature_groups` to `fit_path`, and, once saved, as ``--groups``.

    Parameters
    ----------
    labels : ndarray of int, shape (p,)
        The number of each feature's group, a position in `names`; groups are in the order of their first
        features.
    names : list of str
        What the groups are called: chromosome and positions, or the first feature and how many more.
    features : sequence of str
        What the features are called.
    r2 : float
        The squared correlation that groups were made with.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 3))
    >>> X = np.hstack([X, X[:, :1] + 0.1 * rng.standard_normal((100, 1))])
    >>> groups = riata.correlation_groups(X, r2=0.8)
    >>> groups.labels, groups["0+1"], groups.sizes
    (array([0, 1, 2, 0]), array([0, 3]), array([2, 1, 1]))
    """

    labels: NDArray[np.int64]
    names: list[str]
    features: Sequence[str] | Names
    r2: float

    def __post_init__(self) -> None:
        order = np.argsort(self.labels, kind="stable").astype(np.int64)
        ends = np.cumsum(self.sizes)[:-1]
        object.__setattr__(self, "_members", dict(zip(self.names, np.split(order, ends), strict=True)))

    def __getitem__(self, name: str) -> NDArray[np.int64]:
        members: dict[str, NDArray[np.int64]] = self._members  # type: ignore[attr-defined]
        return members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<riata.CorrelationGroups: {len(self):,} of {len(self.labels):,} features, r2={self.r2:g}>"

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many features each group has, (G,)."""
        return np.bincount(self.labels, minlength=len(self.names)).astype(np.int64)

    def lead(self, score: ArrayLike) -> NDArray[np.int64]:
        """Return the feature of each group that has the largest score, the first of several, (G,).

        Parameters
        ----------
        score : array-like of shape (p,)
            For instance the frequencies of features, or the sizes of their coefficients.
        """
        values = check_vector("score", score, len(self.labels), "feature")
        order = np.lexsort((np.arange(len(values)), -values, self.labels))
        first = np.cumsum(self.sizes) - self.sizes
        out: NDArray[np.int64] = order[first].astype(np.int64)
        return out

    def save(self, path: StrPath) -> None:
        """Write a table of two columns, feature and group, which ``--groups`` and `read_gene_sets` read.

        Raises
        ------
        ValueError
            When features share a name, or a name holds a tab: the file could not tell them apart.
        """
        names = [str(name) for name in self.features]
        seen: set[str] = set()
        for name in names:
            if name in seen or not name or "\t" in name:
                raise ValueError(f"features must have distinct names without tabs to be saved, got {name!r}")
            seen.add(name)
        lines = ["ID\tGROUP", *(f"{x}\t{self.names[g]}" for x, g in zip(names, self.labels, strict=True))]
        replace_text(str(path), "\n".join(lines) + "\n")

    def to_frame(self) -> Any:
        """Return the groups as a pandas table: size, first and last feature, by name."""
        import pandas as pd

        order = np.argsort(self.labels, kind="stable")
        ends = np.cumsum(self.sizes)
        names = np.asarray([str(name) for name in self.features], dtype=object)
        first, last = names[order[ends - self.sizes]], names[order[ends - 1]]
        columns = {"size": self.sizes, "first": first, "last": last}
        return pd.DataFrame(columns, index=pd.Index(self.names, name="group"))


def check_cuts(r2: Any) -> tuple[list[float], list[int], bool]:
    """Return distinct values of r2 in decreasing order, where each given one stands, and if there is one."""
    one = np.ndim(r2) == 0
    given = [check_real("r2", value, above=0.0, at_most=1.0) for value in ([r2] if one else list(r2))]
    if not given:
        raise ValueError("r2 must hold at least one number, got none")
    cuts = sorted(set(given), reverse=True)
    return cuts, [cuts.index(value) for value in given], one


def distinct(names: list[str]) -> list[str]:
    """Return names with a number behind those that have stood before."""
    stood: dict[str, int] = {}
    taken, out = set(names), []
    for name in names:
        stood[name] = stood.get(name, 0) + 1
        mine = name
        if stood[name] > 1:
            while (mine := f"{name}#{stood[name]}") in taken:
                stood[name] += 1
        taken.add(mine)
        out.append(mine)
    return out
