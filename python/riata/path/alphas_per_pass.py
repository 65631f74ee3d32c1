"""How many alphas one pass over X may certify: more than one where X does not fit into memory."""

from __future__ import annotations

from riata import _core
from riata._io.machine import machine_memory

#: Alphas solved ahead at most, where a pass reads X from a disk.
FROM_DISK = 16
KEPT_OF_A_COLUMN = 97.0  # bytes, by a fit of one problem at least
ALWAYS_FITS = 2.0**25  # bytes of X for which the machine is not asked, as that takes longer than small fits


def alphas_per_pass_for(X: _core.Design) -> int:
    """Return how many alphas a pass may certify where nothing is asked for.

    One, unless X and what a fit keeps beside it do not fit into memory, so that X can only lie on a disk. It
    depends on the machine and not on what else runs there: a fit has the same bits when it is made again.
    """
    if X.hosted or X.nbytes < ALWAYS_FITS:
        return 1
    return FROM_DISK if X.nbytes + KEPT_OF_A_COLUMN * X.shape[1] > machine_memory() else 1
