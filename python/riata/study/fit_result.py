"""A finished fit with everything that reports on it, and its numbers in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import some
from riata.losses._known import loss_of
from riata.path.fitted import FitResult
from riata.path.many_classes import sizes
from riata.path.path_values import nearest
from riata.penalties._penalty import penalty_name
from riata.study.account import Account
from riata.study.held_out import HeldOut
from riata.study.hits import Hits
from riata.study.ld import Partners
from riata.study.selected_groups import SelectedGroups


@dataclass
class Fitted:
    """A finished fit.

    Attributes
    ----------
    account : Account
    fit : RegularizationPath or CVPath
    hits : Hits
    alpha : float
    rule : str
        How `alpha` was chosen, in words.
    prefix, version, command, date : str
    study : Study or None
        None when the fit comes from a saved model.
    seconds : dict
        By stage.
    together : list of str
        Other phenotypes of the same run.
    saved : str
        Where the path is saved; empty: as ``PREFIX.path.npz``, or nowhere without a prefix.
    interrupted : bool
    warnings : list of str
    aside : HeldOut or None
        Samples that the fits did not see, at every alpha.
    held_out : (y, linear predictor) or None
        Of samples that the fits did not see.
    evaluation : Evaluation or None
        How good those predictions are.
    partners : Partners or None
        Variants in linkage disequilibrium with the hits.
    build : str
        Genome build of the positions; NR: not reported.
    """

    account: Account
    fit: FitResult
    hits: Hits
    alpha: float
    rule: str
    prefix: str
    version: str
    command: str
    date: str
    study: Any = None
    seconds: dict[str, float] = field(default_factory=dict)
    interrupted: bool = False
    warnings: list[str] = field(default_factory=list)
    aside: HeldOut | None = None
    held_out: tuple[NDArray[Any], NDArray[np.float64]] | None = None
    evaluation: Any = None
    partners: Partners | None = None
    build: str = "NR"
    together: list[str] = field(default_factory=list)
    saved: str = ""

    @property
    def model_file(self) -> str:
        """File that holds the path."""
        return self.saved or f"{self.prefix or 'model'}.path.npz"

    def listed(self, suffix: str) -> str:
        """Say where all of something is: in a file beside the page, or in Python where none is written."""
        return f"{self.prefix}.{suffix}" if self.prefix else "table() of the fit"

    @property
    def path(self) -> Any:
        return self.fit.path

    @property
    def cv(self) -> Any:
        return self.fit.cv

    @property
    def noun(self) -> str:
        return self.account.noun

    @property
    def run(self) -> dict[str, Any]:
        """What :func:`riata.study.account.save_account` keeps of the run itself."""
        names = ("alpha", "rule", "version", "command", "date", "seconds", "interrupted", "warnings", "build")
        return {name: getattr(self, name) for name in (*names, "together")}

    @property
    def shared(self) -> str:
        """Say whose fits passes and seconds are, beside this one's; empty when it was alone."""
        return f"fitted together with {some(self.together)}" if self.together else ""

    @property
    def groups(self) -> SelectedGroups | None:
        """The groups of the hits; None without groups."""
        return None if self.path.groups is None else SelectedGroups(self.hits, self.path)

    @property
    def largest_gap(self) -> float:
        return float(np.max(self.path.dual_gaps))

    @property
    def at(self) -> int:
        """Grid point nearest to alpha."""
        return nearest(self.path.alphas, self.alpha)

    @property
    def n_active(self) -> NDArray[np.int64]:
        """Penalised features active along the path, (L,)."""
        coefs = sizes(self.path.coefs)
        selectable = coefs.indices < self.account.n_features
        column = np.repeat(np.arange(coefs.shape[1]), np.diff(coefs.indptr))
        counts = np.bincount(column[selectable & (coefs.data != 0.0)], minlength=coefs.shape[1])
        return counts.astype(np.int64)

    @property
    def model_name(self) -> str:
        return model_name(self.path)

    @property
    def unit(self) -> str:
        """What effects are measured in."""
        account = self.account
        if account.pair:
            return f"log odds of {account.pair[1]}"
        loss = self.path.loss_function
        if loss.many_classes:
            return "the log of the odds of the class"
        return f"{f'the log of the {loss.log_of}' if loss.log_of else 'units'} of {account.response}"

    @property
    def outcome(self) -> str:
        """What effects raise and lower."""
        account = self.account
        if account.pair:
            return f"the odds of {account.pair[1]}"
        loss = self.path.loss_function
        if loss.many_classes:
            return f"the odds of the class it speaks for, of {account.response}"
        return f"the {loss.log_of} of {account.response}" if loss.log_of else account.response


def model_name(path: Any) -> str:
    """Say what kind of model a path is of: its penalty and its loss."""
    kind = loss_of(path.loss).model
    if path.penalty != "elastic_net":
        return f"{penalty_name(path.penalty, path.penalty_parameters)} {kind}"
    penalty = "sparse" if path.l1_ratio == 1.0 else "ridge" if path.l1_ratio == 0.0 else "elastic net"
    return f"{penalty} {kind}"


def seconds_text(seconds: float) -> str:
    """Write a duration."""
    if seconds < 1.0:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 90.0:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min"
