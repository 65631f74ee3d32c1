"""Penalties that `fit_path` and `cv_path` accept."""

from __future__ import annotations

from dataclasses import dataclass

from riata._validation import check_real

__all__ = ["ElasticNet"]


@dataclass(frozen=True, slots=True)
class ElasticNet:
    """The elastic net, ``alpha * sum_j pf_j (l1_ratio |b_j| + (1 - l1_ratio) / 2 b_j^2)``.

    Parameters
    ----------
    l1_ratio : float, default=1.0
        Share of the absolute values, from 0 (ridge) to 1 (lasso).

    Examples
    --------
    >>> import riata
    >>> riata.penalties.ElasticNet(l1_ratio=0.5)
    ElasticNet(l1_ratio=0.5)
    """

    l1_ratio: float = 1.0

    def __post_init__(self) -> None:
        check_real("l1_ratio", self.l1_ratio, at_least=0.0, at_most=1.0)
