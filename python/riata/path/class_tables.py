"""Which classes were predicted for samples of each class, and the rates of right predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import align_columns
from riata.losses._known import loss_of
from riata.path.intervals import Measure, share

#: What the rates of two classes are called, and what each is a share of.
RATES = {
    "sensitivity": "of {case}, predicted {case}",
    "specificity": "of {control}, predicted {control}",
    "ppv": "of those predicted {case}, {case}",
    "npv": "of those predicted {control}, {control}",
}


@dataclass(frozen=True)
class ClassTable:
    """Counts of samples by observed and predicted class.

    Attributes
    ----------
    classes : list of str
    counts : list of list of int
        Samples of each observed class (rows) by predicted class (columns).
    threshold : float or None
        For two classes, the probability above which the second is predicted; None for more classes, of which
        the most probable is predicted.
    rates : dict of str to Measure
        ``sensitivity, specificity, ppv, npv`` for two classes; for more, the recall of each class, by its
        name: the share of its samples that are predicted to be of it. With Wilson's intervals.
    """

    classes: list[str]
    counts: list[list[int]]
    threshold: float | None
    rates: dict[str, Measure]

    @property
    def heading(self) -> str:
        """How classes are predicted, in words."""
        if self.threshold is None:
            return "rows: observed classes; columns: predicted classes, the most probable ones"
        return f"predicted {self.classes[1]}: probability above {self.threshold:g}"

    def rate_words(self, name: str) -> str:
        """What a rate is a share of, in words."""
        if self.threshold is None:
            return f"recall of {name}"
        return f"{name}, {RATES[name].format(control=self.classes[0], case=self.classes[1])}"

    def lines(self) -> list[str]:
        """Return the table and its rates as aligned text."""
        few = self.threshold is not None
        head = ["observed", *((f"predicted {label}" if few else label) for label in self.classes)]
        rows = [
            [label, *(f"{count:,}" for count in counts)]
            for label, counts in zip(self.classes, self.counts, strict=True)
        ]
        lines = [f"  {self.heading}", *(f"    {line}".rstrip() for line in align_columns(head, rows))]
        words = {name: self.rate_words(name) for name in self.rates}
        width = max(len(text) for text in words.values())
        for name, rate in self.rates.items():
            if np.isfinite(rate.value):
                interval = f"  (95 % {rate.interval})" if rate.interval else ""
                lines.append(f"  {words[name]:<{width}}  {rate.value:.4f}{interval}")
            else:
                lines.append(f"  {words[name]:<{width}}  no such samples")
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for the manifest."""
        return {
            "classes": self.classes,
            "observed_by_predicted": self.counts,
            "threshold": self.threshold,
            **{name: rate.to_dict() for name, rate in self.rates.items() if self.threshold is not None},
            **(
                {}
                if self.threshold is not None
                else {"recall": {name: rate.to_dict() for name, rate in self.rates.items()}}
            ),
        }

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> ClassTable:
        """Read what `dataclasses.asdict` made of one."""
        rates = {name: Measure(**rate) for name, rate in kept["rates"].items()}
        return cls(kept["classes"], kept["counts"], kept["threshold"], rates)


def threshold_of(asked: float | None, loss: str | None, of_fit: float = 0.5) -> float:
    """Return the probability above which the second class is predicted; refuses one for another loss."""
    if asked is None:
        return of_fit
    if not loss_of(loss).two_classes:
        raise ValueError(f"--threshold is for two classes, with --loss binomial, not {loss}")
    return asked


def two_classes(
    y: NDArray[np.float64],
    link: NDArray[np.float64],
    threshold: float,
    classes: Sequence[str],
    inflation: float = 1.0,
) -> ClassTable:
    """Predict the second of two classes where its probability is above the threshold."""
    said = link > np.log(threshold) - np.log1p(-threshold)
    counts = [[int(np.sum((y == k) & (said == j))) for j in (0, 1)] for k in (0, 1)]
    (tn, fp), (fn, tp) = counts
    rates = {
        "sensitivity": share(tp, tp + fn, inflation),
        "specificity": share(tn, tn + fp, inflation),
        "ppv": share(tp, tp + fp, inflation),
        "npv": share(tn, tn + fn, inflation),
    }
    return ClassTable(list(classes), counts, threshold, rates)


def many_classes(
    y: NDArray[np.int64], link: NDArray[np.float64], classes: Sequence[str], inflation: float = 1.0
) -> ClassTable:
    """Predict the class of the largest probability."""
    said = link.argmax(axis=1)
    numbers = range(len(classes))
    counts = [[int(np.sum((y == k) & (said == j))) for j in numbers] for k in numbers]
    rates = {str(classes[k]): share(counts[k][k], sum(counts[k]), inflation) for k in numbers}
    return ClassTable([str(label) for label in classes], counts, None, rates)
