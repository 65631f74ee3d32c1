"""How a fit runs, apart from what it fits."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from riata.path.arguments import Watch
from riata.penalties._groups import Groups

__all__ = ["RunOptions"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a fit runs, for `fit_path`, `cv_path` and similar functions: its solver, threads, bounds and files.

    Each option may also be passed to those functions as a keyword, such as ``progress=True``.

    Parameters
    ----------
    solver : {"auto", "active_set", "cd", "prox"}, default="auto"
        Active-set Newton on the Gram matrix, cyclic coordinate descent, or accelerated proximal gradient. All
        reach the same solution.
    max_iter : int, default=10000
        Inner iterations allowed for each alpha.
    n_threads : int, optional
        Default: every available core, or OMP_NUM_THREADS, or one for a small problem. The result is the same
        to the last bit for any value.
    progress : bool or callable, optional
        True shows the progress of the fit, in terminals and notebooks, with a bar of tqdm where that is
        installed. A callable is called as ``progress(done, total, alpha, n_active, gap, passes)``. Returning
        False ends the path there.
    max_active : int, optional
        End the path before more than this many features are active; at least as many as at the first alpha.
    max_groups : int, optional
        End the path before features of more than this many groups are active; at least as many as at the
        first alpha. Features without a penalty do not count.
    feature_groups : array-like of shape (p,), mapping, or list of lists, optional
        The groups that `max_groups` counts, as in `riata.penalties.GroupLasso`, but disjoint: a label for
        each feature, or the members of each group. By default those of the penalty.
    memory : int or str, optional
        Bytes, or a size such as "4G", that the fit may hold beside X. The copy of a dense X is made only if
        it fits; the path ends, with a warning, at the alpha after which more is held: raise the bound or use
        larger alphas. See `estimate_memory`. Pages of memory-mapped files are not counted, as the system
        takes them back when it needs room.
    alphas_per_pass : int, optional
        Alphas that may be solved before one pass over X certifies them all; the fit tries fewer while their
        working set is seldom right. Default: 1, which costs least where X is read fast, but 16 where X does
        not fit into the memory of the machine (or of the control group), so that every pass reads a disk.
        More than 1 also pays where Dask workers hold X and answer slowly. The coefficients of different
        values agree within `tol`; each value has bits of its own. SLOPE takes one alpha a pass.
    checkpoint : str or path-like, optional
        A file that keeps the state of the fit, written at most once a minute. When it exists, the fit goes on
        from it and ends with the same bits as one that was never stopped, however the earlier one ended
        (killed, power cut, stopped by `progress`). The arguments must be those it was made with, except for
        `n_threads` and `progress`. The file is removed at the end of the path.
    keep_checkpoint : bool, default=False
        Keep the file at the end of the path too, so that nothing is fitted again if a later step fails.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> run = riata.RunOptions(max_active=10, n_threads=1)
    >>> path = riata.fit_path(X, X[:, 3] + rng.standard_normal(50), run=run)
    >>> path.stop_reason, bool(path.n_active[-1] <= 10)
    ('max_active', True)
    """

    solver: str = "auto"
    max_iter: int = 10_000
    n_threads: int | None = None
    progress: Watch = None
    max_active: int | None = None
    max_groups: int | None = None
    feature_groups: Groups | None = field(default=None, compare=False)
    memory: int | str | None = None
    alphas_per_pass: int | None = None
    checkpoint: str | os.PathLike[str] | None = None
    keep_checkpoint: bool = False
