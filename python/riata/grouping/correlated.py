"""Groups of the features of a table that are correlated, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from riata import _core
from riata._input.design import as_design
from riata._input.gaps import lay_out
from riata._input.validation import check_integer, check_threads, threads_for
from riata.grouping.groups import CorrelationGroups, check_cuts, distinct

__all__ = ["correlation_groups"]

MOST_PAIRS = 100_000_000  # of 16 bytes


def correlation_groups(
    X: Any,
    *,
    r2: float | Sequence[float] = 0.5,
    max_size: int = 200,
    impute: str | None = None,
    n_threads: int | None = None,
) -> Any:
    """Group the features of a table whose squared correlation is at least `r2`.

    Pairs of features j, k with r²_jk >= `r2` are taken in decreasing order of

        r²_jk = (Σ_i (x_ij - m_j)(x_ik - m_k))² / (Σ_i (x_ij - m_j)² Σ_i (x_ik - m_k)²),

    and the groups of the two become one as long as it has at most `max_size` features. The groups for a
    smaller r2 hold those for a larger r2 whole. The response is not looked at, so that the groups may be used
    to select among.

    Parameters
    ----------
    X : array, sparse matrix, DataFrame or Design of shape (n, p)
        The features, in any storage that `fit_path` takes but genotypes.
    r2 : float in (0, 1], or sequence of float, default=0.5
        The least squared correlation: of a sequence, for each of them.
    max_size : int, default=200
        Features in a group, at most.
    impute : {"mean"}, optional
        Take NaN in a dense X for missing values, and set them to the mean of their column.
    n_threads : int, optional
        The groups are the same for any number.

    Returns
    -------
    CorrelationGroups, or list of them
        One for each r2. A group is called after its first feature and how many more it has, as ``"TP53+2"``.

    Raises
    ------
    TypeError, ValueError
        For bad input, naming the argument, the value and what is allowed; when more than 100 million pairs
        have such a correlation.

    Notes
    -----
    A feature may be less correlated with others of its group than `r2`, as they are chained. A feature that
    does not vary is a group by itself. Time is n p² / 2 multiplications; memory 16 bytes for each pair.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 1)) + 0.3 * rng.standard_normal((100, 4))
    >>> riata.correlation_groups(X).sizes
    array([4])
    """
    cuts, places, one = check_cuts(r2)
    size = check_integer("max_size", max_size, at_least=1)
    threads = check_threads(n_threads)
    design = as_design(X, impute)
    laid = lay_out(design, np.ones((design.n_samples, 1)))
    n, p = laid.core.shape
    threads = threads_for(threads, float(n) * p * p / 2.0)
    found = _core.correlated_groups(laid.core, laid.weights[:, 0], cuts, size, MOST_PAIRS, threads)
    features = [str(j) for j in range(p)] if design.feature_names is None else list(design.feature_names)
    made = []
    for labels, cut in zip(found, cuts, strict=True):
        sizes = np.bincount(labels)
        first = np.unique(labels, return_index=True)[1]
        names = [
            str(features[j]) if count == 1 else f"{features[j]}+{count - 1}"
            for j, count in zip(first.tolist(), sizes.tolist(), strict=True)
        ]
        made.append(CorrelationGroups(labels, distinct(names), features, cut))
    return made[0] if one else [made[k] for k in places]
