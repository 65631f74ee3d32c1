"""The elastic net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from riata._input.features import Names
from riata._input.validation import Float, check_flag, check_real
from riata.penalties._penalty import Penalty, Structure


@dataclass(frozen=True, slots=True)
class ElasticNet(Penalty):
    """The elastic net, ``alpha * sum_j pf_j (l1_ratio |b_j| + (1 - l1_ratio) / 2 b_j^2)``.

    Parameters
    ----------
    l1_ratio : float, default=1.0
        Share of the absolute values, from 0 (ridge) to 1 (lasso).
    grouped : bool, default=False
        Multinomial loss: a feature enters for all classes together, by the norm ‖b_j‖₂ of its coefficients in
        the place of |b_j|. Always so for the multigaussian loss.

    Examples
    --------
    >>> import riata
    >>> riata.penalties.ElasticNet(l1_ratio=0.5)
    ElasticNet(l1_ratio=0.5)
    """

    l1_ratio: float = 1.0
    grouped: bool = False

    kind: ClassVar[str] = "elastic_net"

    def __post_init__(self) -> None:
        check_real("l1_ratio", self.l1_ratio, at_least=0.0, at_most=1.0)
        check_flag("grouped", self.grouped)

    def __repr__(self) -> str:
        return f"ElasticNet(l1_ratio={self.l1_ratio!r}{', grouped=True' if self.grouped else ''})"

    @property
    def ties_outputs(self) -> bool:
        return self.grouped

    @property
    def l1_share(self) -> float:
        return float(self.l1_ratio)

    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        return Structure()
