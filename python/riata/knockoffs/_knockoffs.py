"""What samplers draw and `knockoff_selection` takes: a storage beside X, and where it came from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from riata._input.design import as_design
from riata._input.validation import check_integer, check_threads
from riata._io.output_files import replace_file
from riata.genetics.bed_writer import write_bed
from riata.genetics.opening import open_genotypes
from riata.grouping.groups import CorrelationGroups
from riata.knockoffs._check import KnockoffCheck, check_knockoffs
from riata.knockoffs._exchange import exchange_file, read_exchange, write_exchange

__all__ = ["Knockoffs"]


class Knockoffs:
    """Knockoffs of the features of X: copies with the law of X that know nothing of the response.

    For every set of features, or of groups of them, the joint law of (X, knockoffs) stays the same when they
    change places with their knockoffs, and the knockoffs are made from X alone (Candès, Fan, Janson & Lv
    2018). Drawn by the samplers of `riata.knockoffs`, or made elsewhere and put in here.

    Parameters
    ----------
    X : array, SciPy sparse matrix or Genotypes, shape (n, p)
        The knockoffs: column j is that of feature j.
    groups : array of int of shape (p,) or CorrelationGroups, optional
        The disjoint groups of features that change places together; by default every feature by itself.
    sampler : str, default=""
        What made them, in words.
    seed, draw : int, optional
        The seed, and the number of the draw, that makes them again.
    info : mapping, optional
        What else the sampler has to tell.
    fixed : array of bool of shape (p,), optional
        The features whose knockoff is the feature itself, such as constant ones; they count neither for nor
        against their group, and are never selected by themselves.

    Attributes
    ----------
    labels : ndarray of int, shape (p,), or None
        The group of each feature.

    References
    ----------
    Candès, Fan, Janson & Lv (2018), Panning for gold: model-X knockoffs for high dimensional controlled
    variable selection, J. R. Statist. Soc. B 80.

    Examples
    --------
    Of independent features, whose law is known, new draws are knockoffs:

    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> made = riata.knockoffs.Knockoffs(rng.standard_normal((100, 20)), sampler="independent normal")
    >>> made
    <riata.knockoffs.Knockoffs: 100 x 20, independent normal>
    """

    def __init__(
        self,
        X: Any,
        *,
        groups: Any = None,
        sampler: str = "",
        seed: int | None = None,
        draw: int | None = None,
        info: Mapping[str, Any] | None = None,
        fixed: NDArray[np.bool_] | None = None,
    ) -> None:
        if len(getattr(X, "shape", ())) != 2:
            raise ValueError(f"X must be 2-D, samples x features, got {type(X).__name__} {X!r:.60}")
        self.X = X
        self.labels = labels_of(groups, X.shape[1])
        self.sampler, self.seed, self.draw, self.info = sampler, seed, draw, dict(info or {})
        self.fixed = (
            np.zeros(X.shape[1], dtype=np.bool_) if fixed is None else np.asarray(fixed, dtype=np.bool_)
        )
        if self.fixed.shape != (X.shape[1],):
            raise ValueError(f"fixed must have shape ({X.shape[1]},), got {self.fixed.shape}")

    @property
    def shape(self) -> tuple[int, int]:
        """Samples and features."""
        n, p = self.X.shape
        return int(n), int(p)

    @property
    def nbytes(self) -> int:
        """Bytes that the knockoffs take."""
        return int(as_design(self.X).core.nbytes)

    def __repr__(self) -> str:
        n, p = self.shape
        made = f", {self.sampler}" if self.sampler else ""
        seed = "" if self.seed is None else f", seed {self.seed}"
        draw = f", draw {self.draw}" if self.draw else ""
        return f"<riata.knockoffs.Knockoffs: {n:,} x {p:,}{made}{seed}{draw}>"

    def check(
        self,
        X: Any,
        *,
        groups: Any = None,
        random_state: int = 0,
        impute: str | None = None,
        n_threads: int | None = None,
    ) -> KnockoffCheck:
        """Compare correlations of the knockoffs with those of X; warn when they differ by too much.

        Parameters
        ----------
        X : array, SciPy sparse matrix, DataFrame or Genotypes, shape (n, p)
            What these are the knockoffs of.
        groups : array of int of shape (p,) or CorrelationGroups, optional
            Items, between which correlations are compared; by default those of the knockoffs.
        random_state : int, default=0
            Seed of the columns that are looked at.
        impute : {"mean"}, optional
            Take NaN for missing values, which stand at the mean of their column.
        n_threads : int, optional
            Default: every available core.

        Returns
        -------
        KnockoffCheck
            Mean squared differences, beside what sampling explains.
            What it finds `doubtful` it does not warn of.

        Warns
        -----
        KnockoffWarning
            When one of them is more than twice what sampling explains, and beyond that more than 5 % of the
            squared correlations.
        """
        labels = self.labels if groups is None else labels_of(groups, self.shape[1])
        seed = check_integer("random_state", random_state, at_least=0)
        threads = check_threads(n_threads)
        design, made = as_design(X, impute), as_design(self.X, impute)
        return check_knockoffs(design, made, labels, seed=seed, n_threads=threads)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the knockoffs to a file for use with another response; `load` reads them back.

        Groups, and features that are their own knockoffs, are kept beside it in a table whose name ends in
        ``.exchange.tsv``, where there are any.

        Parameters
        ----------
        path : str or path-like
            Of genotypes, a ``.bed``, beside which a ``.bim`` and a ``.fam`` are written; of numbers, a
            ``.npy``, which `numpy.load` reads as well.

        Raises
        ------
        OSError
            When the file cannot be written.
        """
        name = os.fspath(path)
        if hasattr(self.X, "effect_allele"):
            if not name.endswith(".bed"):
                raise ValueError(f"path must end in .bed for genotypes, got {name!r}")
        elif not name.endswith(".npy"):
            raise ValueError(f"path must end in .npy, got {name!r}")
        beside = exchange_file(name)
        beside.unlink(missing_ok=True)  # of other knockoffs, which were there
        if hasattr(self.X, "effect_allele"):
            write_bed(self.X, name[:-4])
        else:
            table = self.X.toarray() if hasattr(self.X, "toarray") else self.X
            replace_file(name, lambda aside: _write_npy(aside, np.asarray(table)))
        if self.labels is not None or self.fixed.any():
            names = _names_of(self.X)
            replace_file(beside, lambda aside: write_exchange(aside, names, self.labels, self.fixed))

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        counted_allele: Literal["A1", "A2"] | None = None,
        chr_set: Any = None,
    ) -> Knockoffs:
        """Open knockoffs that `save` wrote, with their groups, as a view on their file.

        Parameters
        ----------
        path : str or path-like
            A ``.bed`` or a ``.npy``.
        counted_allele, chr_set : optional
            Of a ``.bed``, as `riata.open_genotypes` has them: those that X was opened with.

        Returns
        -------
        Knockoffs
            Without seed, draw and info, which are not kept.

        Raises
        ------
        OSError, ValueError
            When a file cannot be read, naming it.
        """
        name = os.fspath(path)
        if name.endswith(".bed"):
            X: Any = open_genotypes(name, counted_allele=counted_allele, chr_set=chr_set)
        elif name.endswith(".npy"):
            X = np.load(name, mmap_mode="r", allow_pickle=False)
        else:
            raise ValueError(f"path must end in .bed or .npy, got {name!r}")
        beside = exchange_file(name)
        labels, fixed = read_exchange(beside, _names_of(X)) if beside.is_file() else (None, None)
        return cls(X, groups=labels, sampler=f"read from {name}", fixed=fixed)


def _names_of(X: Any) -> list[str]:
    """Names of the features of genotypes; of a table their numbers."""
    if hasattr(X, "effect_allele"):
        return [str(name) for name in X.feature_names]
    return [str(j) for j in range(X.shape[1])]


def _write_npy(file: os.PathLike[str], table: NDArray[Any]) -> None:
    with open(file, "wb") as out:  # by name, NumPy would append .npy
        np.save(out, table, allow_pickle=False)


def labels_of(groups: Any, p: int) -> NDArray[np.int64] | None:
    """Return the group of each of p features as numbers from 0 on in the order of first members, or None.

    Features of a negative label are in no group: they keep label -1.
    """
    if groups is None:
        return None
    given = groups.labels if isinstance(groups, CorrelationGroups) else np.asarray(groups)
    if given.shape != (p,) or given.dtype.kind not in "iu":
        raise ValueError(
            f"groups must hold a whole number for each of {p} features, got shape {given.shape} and type "
            f"{given.dtype}"
        )
    out = np.full(p, -1, dtype=np.int64)
    inside = np.flatnonzero(given.astype(np.int64) >= 0)
    _, first, number = np.unique(given[inside], return_index=True, return_inverse=True)
    place = np.empty(len(first), dtype=np.int64)
    place[np.argsort(first, kind="stable")] = np.arange(len(first))
    out[inside] = place[number]
    return out
