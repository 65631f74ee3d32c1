"""Slopes of one-feature models from a file, found among the features of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riata._input.features import Names
from riata._input.validation import Float
from riata._io.tables import StrPath, is_missing, parse_numbers, read_text_table, some
from riata._io.wording import counted, counted_of
from riata.genetics.genotypes import Genotypes
from riata.genetics.score_file import read_weights
from riata.genetics.variant_matching import find_variants

__all__ = ["UnivariateSlopes", "read_univariate"]

#: Headers of a table of features, in small letters, the first that is there.
_FEATURE = ("feature", "name", "id", "gene", "symbol")
_SLOPE = ("slope", "beta", "coef", "coefficient", "effect", "weight", "estimate")


@dataclass(frozen=True)
class UnivariateSlopes:
    """What one-feature models elsewhere say of the features of a study.

    Made by `read_univariate`.

    Parameters
    ----------
    path : str
        The file.
    slopes : ndarray of shape (p,)
        Per unit of each feature, of genotypes per copy of the counted allele; NaN where the file tells none.
    n_listed : int
        Entries of the file.
    notes : list of str
        What was done to make the file fit.

    Examples
    --------
    >>> import numpy as np, riata
    >>> slopes = riata.UnivariateSlopes("gwas.tsv", np.array([0.1, np.nan]), 5, [])
    >>> slopes.n_found
    1
    """

    path: str
    slopes: Float
    n_listed: int
    notes: list[str]

    @property
    def n_found(self) -> int:
        """Features with a slope."""
        return int(np.isfinite(self.slopes).sum())

    def lines(self, noun: str) -> list[str]:
        """Say what was found."""
        of = counted_of(self.n_found, noun)
        left = len(self.slopes) - self.n_found
        told = f"{of} with a slope in {self.path}, which lists {self.n_listed:,}"
        return [told + (f"; {left:,} without one left out" if left else ""), *self.notes]


def read_univariate(path: StrPath, X: Any) -> UnivariateSlopes:
    """Read slopes of one-feature models, such as an association study in other samples, for `UniLasso`.

    For genotypes the file is one of association results or scores: a variant, an effect allele, and a beta
    or an odds ratio (PLINK, METAL, GWAS-SSF, GWAS Catalog). Variants are found by id, place and alleles, and
    slopes count the allele that X counts. For a table the file has a feature and a slope on each line, in
    columns called feature, name, id, gene or symbol, and slope, beta, coef, effect, weight or estimate, or in
    its only two.

    Parameters
    ----------
    path : str or path-like
        The file.
    X : Genotypes, DataFrame, or sequence of str
        What is to be fitted, or the names of its features.

    Returns
    -------
    UnivariateSlopes
        `slopes` of shape (p,), NaN where the file has none.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it has no such columns, a slope is no number, a feature is listed twice, or none is in X.

    Examples
    --------
    >>> import pathlib, riata, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "slopes.tsv"
    >>> _ = file.write_text("gene\\tbeta\\nTP53\\t0.5\\nATM\\t-0.25\\n")
    >>> riata.read_univariate(file, ["ATM", "CDK4", "TP53"]).slopes
    array([-0.25,   nan,  0.5 ])
    """
    if isinstance(X, Genotypes):
        return read_variant_slopes(path, X)
    names = getattr(X, "columns", X)
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError("X must be Genotypes, a DataFrame with names of features, or the names themselves")
    return read_feature_slopes(path, list(names))


def read_variant_slopes(path: StrPath, geno: Genotypes) -> UnivariateSlopes:
    """Read the effects of an association study, and find its variants by id, place and alleles.

    Columns are those of a score file (PLINK, METAL, GWAS-SSF, GWAS Catalog): variant, effect allele, and beta
    or odds ratio. Slopes count the allele that `geno` counts.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is no such file, or none of its variants is in `geno`.
    """
    weights = read_weights(path)
    if weights.by_copies is not None or weights.weight.ndim != 1:
        raise ValueError(f"{path}: slopes must be of copies of one allele (additive effects)")
    found = find_variants(weights, geno)
    slopes = np.full(geno.shape[1], np.nan)
    plain = found.allele == 0
    where, rows = found.where[plain], found.rows[plain]
    slopes[where] = np.where(found.flipped[plain], -1.0, 1.0) * weights.weight[rows]
    times = np.bincount(where, minlength=len(slopes))
    slopes[times > 1] = np.nan
    notes = [note for note, _ in found.notes() if "added up" not in note]
    if np.any(times > 1):
        notes.append(
            f"{counted(int((times > 1).sum()), 'variant')} left out: several entries are of one variant"
        )
    if others := int((~plain).sum()):
        notes.append(f"{counted(others, 'entry', 'entries')} of variants that count several alleles left out")
    if not np.isfinite(slopes).any():
        raise ValueError(f"{path}: none of its {len(weights):,} variants is among the genotypes")
    return UnivariateSlopes(str(path), slopes, len(weights), notes)


def read_feature_slopes(path: StrPath, names: Names | Sequence[str]) -> UnivariateSlopes:
    """Read a table with a feature and a slope on each line.

    The columns are those called feature, name, id, gene or symbol, and slope, beta, coef, coefficient,
    effect, weight or estimate; of a table of two columns the first and the second. Empty cells and NA are no
    slope.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When a slope is no number, a feature is listed twice, or none is among `names`.
    """
    table = read_text_table(path)
    header = [name.lower() for name in table.header]
    at = [next((k for k, name in enumerate(header) if name in known), -1) for known in (_FEATURE, _SLOPE)]
    if -1 in at and len(header) == 2:
        at = [0, 1]
    if -1 in at:
        raise ValueError(
            f"{path}: must have a column of features ({some(_FEATURE)}) and one of slopes ({some(_SLOPE)}), "
            f"got {some(table.header)}"
        )
    listed, cells = (table.column(table.header[k]) for k in at)
    place = {str(name): j for j, name in enumerate(names[:])}
    if len(place) < len(names):
        raise ValueError("X must have features with names of their own, got some name twice")
    slopes, seen = np.full(len(place), np.nan), set()
    for line, name, cell in zip(table.lines, listed, cells, strict=True):
        if name in seen:
            raise ValueError(f"{path}, line {line}: {name!r} is listed twice")
        seen.add(name)
        if name in place and not is_missing(cell):
            slopes[place[name]] = parse_numbers([cell], f"{path}, column {table.header[at[1]]}", [line])[0]
    if not np.isfinite(slopes).any():
        raise ValueError(f"{path}: none of its {len(listed):,} features is in the data")
    return UnivariateSlopes(str(path), slopes, len(listed), [])
