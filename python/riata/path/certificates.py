"""What is proven about the fits of a path, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["CERTIFICATES", "Certificate", "certificate_text", "convex_text", "gap_text"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The words for a kind of certificate.

    Attributes
    ----------
    short : str
        The number that `tol` bounds, where there is little room.
    name : str
        The same number in full.
    reached : str
        What fits within `tol` are, and others are not.
    attribute : str
        Where an estimator keeps the number, less the underscore.
    meaning : str
        What the number is, with a place for the largest on the path, and what it proves.
    """

    short: str
    name: str
    reached: str
    attribute: str
    meaning: str


CERTIFICATES = {
    "duality_gap": Certificate(
        short="gap",
        name="relative duality gap",
        reached="certified",
        attribute="dual_gap",
        meaning="For every penalty riata computes, from the data, a lower bound on the best objective any "
        "coefficients could reach. The gap between that bound and the fit, as a share of what there is "
        "to explain, is the relative duality gap: here at most {}. To that precision the fit is proven to be "
        "the best there is for the problem as stated, not merely where a solver stopped. It does not say "
        "that the model is true.",
    ),
    "kkt": Certificate(
        short="KKT",
        name="KKT violation over alpha",
        reached="stationary",
        attribute="kkt_violation",
        meaning="This penalty is not convex, so that no bound on the best objective is available. For every "
        "penalty riata computes instead, from the data, by how much the conditions of optimality "
        "(Karush, Kuhn, Tucker) are violated, as a share of alpha: here by at most {}. To that precision no "
        "small change of the coefficients improves the fit to first order. There may be other such points, "
        "and better ones: this one is reached by the path that starts with no feature and weakens "
        "the penalty step by step.",
    ),
}


def gap_text(gap: float) -> str:
    """Write the number of a certificate."""
    return "0" if gap <= 0.0 else f"{gap:.1e}".replace(".0e", "e").replace("e-0", "e-").replace("e+0", "e")


def convex_text(path: Any) -> str:
    """Say down to which alpha the objective is convex in the active features; empty for convex penalties."""
    if path.locally_convex is None:
        return ""
    broken = np.flatnonzero(~np.asarray(path.locally_convex))
    if len(broken) == 0:
        return "convex in the active features all along the path"
    if not path.n_active[: broken[0]].any():
        return "not convex in the active features"
    return f"convex in the active features down to alpha {path.alphas[broken[0] - 1]:.4g}"


def certificate_text(path: Any) -> str:
    """Say in one sentence what is proven about the fits of a path."""
    words = CERTIFICATES[path.certificate]
    gap = gap_text(float(np.max(path.dual_gaps)))
    tol, count = gap_text(path.tol), len(path.alphas)
    if bool(np.all(path.converged)):
        of_all = f"all {count} fits {words.reached}: largest" if count > 1 else f"the fit is {words.reached}:"
        told = f"{of_all} {words.name} {gap} (tol {tol})"
    else:
        missed = int(np.sum(~np.asarray(path.converged)))
        of_all = f"{missed} of {count} fits are" if count > 1 else "the fit is"
        told = f"{of_all} NOT {words.reached}: {words.name} up to {gap}, tol {tol}"
    convex = convex_text(path)
    return f"{told}; {convex}" if convex else told
