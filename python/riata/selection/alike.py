"""Features that are much alike and share the votes of halves, so that none of them may be selected."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riata._input.design import DesignView
from riata._input.validation import threads_for
from riata.selection.result import StabilitySelected

MOST_COMPARED, OFTEN, ALIKE = 200, 0.1, 0.9  # features looked at, their frequency, r² that is told


def sharing_votes(
    design: DesignView, rows: NDArray[np.int64], found: StabilitySelected, n_threads: int
) -> list[str]:
    """Say which features share votes because they are much alike, where they are not in groups."""
    if found.group_names is not None:
        return []
    frequency = found.frequency
    often = np.argsort(-frequency, kind="stable")[:MOST_COMPARED]
    often = np.sort(often[frequency[often] >= OFTEN])
    if len(often) < 2:
        return []
    threads = threads_for(n_threads, float(design.n_samples) * len(often))
    columns = design.gather(often, threads)[rows]
    with np.errstate(invalid="ignore", divide="ignore"):
        r2 = np.corrcoef(columns, rowvar=False) ** 2
    first, second = np.nonzero(np.triu(r2 > ALIKE, 1))
    split = found.frequency[often] < found.plan.threshold
    told = [(often[i], often[j]) for i, j in zip(first, second, strict=True) if split[i] or split[j]]
    if not told:
        return []
    names = " and ".join(found.item_name(int(j)) for j in told[0])
    count, more = (f"{len(told)} pairs of features", ", ...") if len(told) > 1 else ("Two features", "")
    return [
        f"{count} that halves often select have r² above {ALIKE:g} ({names}{more}), and so share their "
        "votes. With groups= the votes of features that are alike count together."
    ]
