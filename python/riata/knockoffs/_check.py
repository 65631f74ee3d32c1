"""Whether knockoffs have the law of X, as far as correlations show it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riata._input.design import DesignView
from riata._input.validation import Float, threads_for

__all__ = ["KnockoffCheck", "KnockoffWarning"]

Labels = NDArray[np.int64]

TWICE = 2.0  # what mean squared differences may be, over what sampling explains
#: And what they may be beyond that, as a share of the squared correlations: no law that was estimated is
#: right to the last digit, and enough samples show it.
SHARE = 0.05
#: What is said in between, of knockoffs that differ from X by little, but not by chance.
DOUBT = (
    "Sampling does not explain all of the difference: the false discovery rate may be somewhat above the one "
    "asked for."
)
SEEDS, PARTNERS, SWAPS = 40, 10, 20  # columns, those most correlated with each, and draws under exchange


class KnockoffWarning(UserWarning):
    """Knockoffs do not have the law of X, or there are fewer draws of them than asked for.

    Examples
    --------
    >>> import riata
    >>> issubclass(riata.knockoffs.KnockoffWarning, UserWarning)
    True
    """


@dataclass(frozen=True, slots=True, repr=False)
class KnockoffCheck:
    """How far correlations of knockoffs are from those of X, beside what sampling explains.

    Over pairs of columns j, k of different items that are among the most correlated,

        between = mean (cor(x_j, x_k) - cor(x̃_j, x̃_k))²,    across = mean (cor(x_j, x_k) - cor(x_j, x̃_k))².

    When the knockoffs are right, an item of X may change places with its knockoff in any sample; the same
    means after such changes at random are `expected_between` and `expected_across`, and their largest values
    `most_between` and `most_across`.

    Parameters
    ----------
    between, across : float
        Mean squared differences.
    expected_between, expected_across : float
        What they are on average when the knockoffs are right.
    most_between, most_across : float
        The largest of `n_swaps` values that they have when the knockoffs are right.
    squared : float
        The mean squared correlation of the pairs in X.
    n_pairs, n_samples, n_swaps : int
        Pairs of columns and samples looked at, and random changes of places.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> common = rng.standard_normal((300, 1))
    >>> X = common + rng.standard_normal((300, 10))
    >>> right = riata.knockoffs.Knockoffs(common + rng.standard_normal((300, 10)))
    >>> right.check(X).ok
    True
    """

    between: float
    across: float
    expected_between: float
    expected_across: float
    most_between: float
    most_across: float
    squared: float
    n_pairs: int
    n_samples: int
    n_swaps: int = SWAPS

    @property
    def ratio_between(self) -> float:
        """`between` over what sampling explains."""
        return _ratio(self.between, self.expected_between)

    @property
    def ratio_across(self) -> float:
        """`across` over what sampling explains."""
        return _ratio(self.across, self.expected_across)

    @property
    def excess(self) -> float:
        """What the larger difference is beyond chance, as a share of the squared correlations of X."""
        beyond = max(self.between - self.expected_between, self.across - self.expected_across, 0.0)
        return _ratio(beyond, self.squared)

    @property
    def ok(self) -> bool:
        """Whether neither difference is larger than it ever was by chance, than twice that, and than 5 %.

        The last is of the squared correlations, beyond chance: no law that was estimated is right to the last
        digit, and many samples show it.
        """
        return not (
            self._is_off(self.between, self.expected_between, self.most_between)
            or self._is_off(self.across, self.expected_across, self.most_across)
        )

    @property
    def doubtful(self) -> bool:
        """Whether `ok` is true, though sampling does not explain all: one ratio at least is above 2.

        Then the false discovery rate may be somewhat above the one asked for.
        """
        return self.ok and (
            _is_beyond(self.between, self.expected_between, self.most_between)
            or _is_beyond(self.across, self.expected_across, self.most_across)
        )

    def _is_off(self, found: float, expected: float, most: float) -> bool:
        return _is_beyond(found, expected, most) and found - expected > SHARE * self.squared

    def explain(self) -> str:
        """Say in words what was compared, and what came out.

        Returns
        -------
        str
            A few sentences.
        """
        told = (
            f"Correlations of {self.n_pairs:,} pairs of columns in {self.n_samples:,} samples: among the "
            f"knockoffs they differ from those of X by {self.between:.2g} (mean square), "
            f"{self.ratio_between:.2g} times what sampling explains; between X and knockoffs by "
            f"{self.across:.2g}, {self.ratio_across:.2g} times. Beyond sampling that is "
            f"{100 * self.excess:.2g} % of the squared correlations."
        )
        if self.doubtful:
            return f"{told} {DOUBT}"
        if self.ok:
            return told
        return (
            f"{told} That is too much: the knockoffs do not have the law of X, and the false discovery rate "
            "may be far above the one asked for."
        )

    def __repr__(self) -> str:
        word = "ok" if self.ok else "FAILED"
        return (
            f"<riata.knockoffs.KnockoffCheck: {word}, {self.ratio_between:.2g} and {self.ratio_across:.2g} "
            "times what sampling explains>"
        )


def check_knockoffs(
    design: DesignView, made: DesignView, labels: Labels | None, *, seed: int = 0, n_threads: int = 0
) -> KnockoffCheck:
    """Compare knockoffs with X, of which they may be the first columns alone; warn when they differ."""
    p = made.n_features
    if made.n_samples != design.n_samples or p > design.n_features:
        raise ValueError(
            f"X must have the shape of its knockoffs, ({made.n_samples}, {p}), got "
            f"({design.n_samples}, {design.n_features})"
        )
    item = np.arange(p, dtype=np.int64) if labels is None else labels[:p]
    rng = np.random.default_rng([seed, p])
    threads = threads_for(n_threads, float(design.n_samples) * p)
    found = np.zeros(3)
    swapped = np.zeros((SWAPS, 3))
    pairs = 0
    for columns in _blocks(design, made, item, rng, threads):
        X, copies = design.gather(columns, threads), made.gather(columns, threads)
        label = np.unique(item[columns], return_inverse=True)[1]
        other = label[:, None] != label[None, :]
        found += _differences(X, copies, other)
        pairs += int(other.sum()) // 2
        for k in range(SWAPS):
            coin = rng.random((len(X), int(label.max()) + 1), dtype=np.float32)[:, label] < 0.5
            swapped[k] += _differences(np.where(coin, copies, X), np.where(coin, X, copies), other)
    count = max(2 * pairs, 1)
    (between, across, squared), by_chance = found / count, swapped / count
    expected, most = by_chance.mean(axis=0), by_chance.max(axis=0)
    check = KnockoffCheck(
        float(between), float(across), float(expected[0]), float(expected[1]), float(most[0]), float(most[1]),
        float(squared), pairs, design.n_samples,
    )  # fmt: skip
    if not check.ok:
        warnings.warn(check.explain(), KnockoffWarning, stacklevel=3)
    return check


def _is_beyond(found: float, expected: float, most: float) -> bool:
    return found > max(TWICE * expected, most)


def _ratio(found: float, expected: float) -> float:
    return found / expected if expected > 0.0 else (1.0 if found == 0.0 else np.inf)


def _blocks(
    design: DesignView, made: DesignView, item: Labels, rng: np.random.Generator, threads: int
) -> list[Labels]:
    """Some columns, each with those of other items that are most correlated with it.

    By the sums of columns and their knockoffs, which stay the same whatever changes places: so that choosing
    favours neither side.
    """
    p, n = made.n_features, design.n_samples
    seeds = np.sort(rng.choice(p, size=min(SEEDS, p), replace=False)).astype(np.int64)
    weights = np.full((n, 1), 1.0 / n)
    mean, square, product = np.zeros(p), np.zeros(p), np.zeros((p, len(seeds)))
    total = design.gather(seeds, threads) + made.gather(seeds, threads)
    total -= total.mean(axis=0)
    for side in (design, made):
        means, variances = side.core.moments(np.asfortranarray(side.spread(weights)), threads)
        mean += means[:p, 0] / 2.0
        square += variances[:p, 0] + means[:p, 0] ** 2
        bad = np.flatnonzero(~np.isfinite(variances[:p, 0]))
        if len(bad):
            which = "X" if side is design else "knockoffs"
            raise ValueError(
                f"{which} must hold finite numbers only to be compared, got NaN or infinity in column "
                f"{bad[0]}: impute='mean' takes NaN for missing values"
            )
        product += side.core.correlate(
            np.asfortranarray(side.spread(np.asfortranarray(total))), np.arange(p, dtype=np.int64), threads
        )
    spread = np.sqrt(np.maximum(square - 2.0 * mean**2, 0.0))
    strength = np.abs(product) / np.where(spread > 0.0, spread, np.inf)[:, None]
    out = []
    for k, seed in enumerate(seeds):
        strength[item == item[seed], k] = -1.0
        strength[seed, k] = np.inf
        size = min(PARTNERS + 1, p)
        chosen = np.argpartition(-strength[:, k], size - 1)[:size]
        out.append(np.sort(chosen).astype(np.int64))
    return out


def _differences(X: Float, copies: Float, other: NDArray[np.bool_]) -> Float:
    """Sums over ordered pairs of different items: both squared differences of correlations, and squares."""
    a, b = _standardised(X), _standardised(copies)
    own = a.T @ a
    terms = own - b.T @ b, own - a.T @ b, own
    return np.array([(term[other] ** 2).sum() for term in terms])


def _standardised(X: Float) -> Float:
    centred = X - X.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    return np.asarray(centred / np.where(size > 1e-12 * np.sqrt(len(X)), size, np.inf))
