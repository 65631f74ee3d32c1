"""The bounds on false selections, from their definitions and from published and brute-force values."""

import itertools
import math

import numpy as np
import pytest

import riata
from riata.selection.bounds import largest_tail, votes_for

BOUNDS = ("r-concave", "unimodal", "worst")

#: Largest q for one false selection with B = 50: worst, unimodal, r-concave, by items and threshold.
LARGEST = {
    (1_000, 0.6): (14, 19, 31), (1_000, 0.75): (22, 31, 61), (1_000, 0.9): (28, 48, 113),
    (20_000, 0.6): (63, 87, 171), (20_000, 0.75): (100, 140, 288), (20_000, 0.9): (126, 215, 554),
    (100_000, 0.6): (141, 194, 386), (100_000, 0.75): (223, 313, 649), (100_000, 0.9): (282, 481, 1259),
}  # fmt: skip


@pytest.mark.parametrize(("at", "sizes"), LARGEST.items())
def test_largest_q(at, sizes):
    items, threshold = at
    found = [
        riata.stability_plan(items, pfer=1, threshold=threshold, bound=bound).q
        for bound in ("worst", "unimodal", "r-concave")
    ]
    assert tuple(found) == sizes


def test_worst_case_is_that_of_meinshausen_and_buhlmann():
    for q, p, threshold in ((10, 500, 0.6), (37, 4088, 0.9), (5, 20, 0.75)):
        assert riata.pfer_bound(q, p, threshold, bound="worst") == pytest.approx(
            q**2 / (p * (2 * threshold - 1)), rel=1e-12
        )


@pytest.mark.parametrize(("threshold", "pairs"), [(0.6, 50), (0.75, 50), (0.76, 25), (0.9, 50), (1.0, 10)])
def test_unimodal_formula(threshold, pairs):
    q, p = 8, 1000
    step = 1 / (2 * pairs)
    factor = (
        1 / (2 * (2 * threshold - 1 - step))
        if threshold <= 0.75
        else 4 * (1 - threshold + step) / (1 + 1 / pairs)
    )
    found = riata.pfer_bound(q, p, threshold, pairs, bound="unimodal")
    assert found == pytest.approx(factor * q**2 / p, rel=1e-12)


def test_r_concave_value():
    """The package stabs has 0.9845 here, since its search stops short of the ends of intervals."""
    assert riata.pfer_bound(61, 1000, 0.75) == pytest.approx(0.9856, abs=5e-5)


def test_thresholds_are_rounded_up_to_what_halves_can_reach():
    assert votes_for(0.75, 50) == 75
    assert votes_for(0.751, 50) == 76
    assert votes_for(0.6, 50) == 60
    assert riata.pfer_bound(20, 1000, 0.751) == riata.pfer_bound(20, 1000, 0.76)


def r_concave_laws(rng, n, power, count):
    """Laws on 0 ... n whose mass to the power 1 / `power` < 0 is convex, made by adding up hinges."""
    i = np.arange(n + 1)
    for _ in range(count):
        g = np.full(n + 1, rng.random() * 10.0 ** rng.uniform(-3, 1) + 1e-12)
        for _ in range(rng.integers(1, 4)):
            knot, slope = rng.uniform(-1, n + 1), 10.0 ** rng.uniform(-3, 1)
            g = g + slope * np.maximum(rng.choice([-1, 1]) * (i - knot), 0.0)
        support = rng.integers(1, n + 1)
        mass = np.where(i <= support, g, np.inf) ** power
        yield mass / mass.sum()


@pytest.mark.parametrize(("power", "r"), [(-2.0, -0.5), (-4.0, -0.25)])
@pytest.mark.parametrize("n", range(2, 9))
def test_no_r_concave_law_exceeds_the_bound(n, power, r):
    rng = np.random.default_rng(n)
    i = np.arange(n + 1)
    for law in r_concave_laws(rng, n, power, 40):
        with np.errstate(divide="ignore"):
            bent = law**r
        inside = np.isfinite(bent)
        assert np.all(np.diff(bent[inside], 2) >= -1e-9 * bent[inside].max())
        mean = float(law @ i) / n
        for least in range(1, n + 1):
            assert law[i >= least].sum() <= largest_tail(mean, least, n, power) + 1e-12


@pytest.mark.parametrize("n", [4, 6])
@pytest.mark.parametrize("power", [-2.0, -4.0])
def test_the_bound_is_reached(n, power):
    """By brute force over laws with masses (a + i)^power on 0 ... k and less at k + 1."""
    i = np.arange(n + 1)
    mean, least = 0.1, n // 2
    best = 0.0
    for k, a in itertools.product(range(1, n), 10.0 ** np.linspace(-4, 4, 4001)):
        base = np.where(i <= k, (a + i) ** power, 0.0)
        # The rest at k + 1 that gives the mean, where it leaves the law r-concave.
        rest = (mean * n * base.sum() - base @ i) / (k + 1 - mean * n)
        if 0.0 <= rest <= (a + k + 1) ** power:
            law = base.copy()
            law[k + 1] = rest
            best = max(best, law[i >= least].sum() / law.sum())
    assert largest_tail(mean, least, n, power) == pytest.approx(best, rel=2e-3)
    assert largest_tail(mean, least, n, power) >= best - 1e-12


def test_bounds_rise_with_q_and_fall_with_the_threshold():
    for bound in BOUNDS:
        by_q = [riata.pfer_bound(q, 500, 0.8, 20, bound) for q in range(1, 60)]
        assert np.all(np.diff(by_q) > 0)
        by_threshold = [riata.pfer_bound(15, 500, votes / 40, 20, bound) for votes in range(22, 41)]
        assert np.all(np.diff(by_threshold) < 0)


def test_sharper_bounds_are_smaller():
    for p, q, threshold in itertools.product((100, 2000), (3, 11, 20), (0.6, 0.75, 0.8, 0.95)):
        sharp, middle, worst = (riata.pfer_bound(q, p, threshold, 50, bound) for bound in BOUNDS)
        assert sharp <= middle <= worst


def test_where_a_bound_says_nothing():
    for bound in ("worst", "unimodal"):
        with pytest.raises(ValueError, match=r"threshold must be above 1/2"):
            riata.pfer_bound(5, 100, 0.5, bound=bound)
    assert riata.pfer_bound(90, 100, 0.6) == 100  # no more than there are
    assert math.isfinite(riata.pfer_bound(5, 100, 0.4))
    with pytest.raises(ValueError, match=r"bound must be one of \['r-concave', 'unimodal', 'worst'\]"):
        riata.pfer_bound(5, 100, 0.9, bound="best")
    with pytest.raises(ValueError, match="q must be > 0 and <= 100, got 101"):
        riata.pfer_bound(101, 100, 0.9)


def test_plan_of_two_gives_the_third():
    plan = riata.stability_plan(1000, pfer=2, threshold=0.8, bound="unimodal")
    assert plan.pfer <= 2 < riata.pfer_bound(plan.q + 1, 1000, 0.8, bound="unimodal")
    plan = riata.stability_plan(1000, pfer=0.5, q=40)
    assert plan.pfer <= 0.5 < riata.pfer_bound(40, 1000, plan.threshold - 0.01)
    plan = riata.stability_plan(1000, threshold=0.9, q=40)
    assert plan.pfer == riata.pfer_bound(40, 1000, 0.9)
    assert plan.bounds == {bound: riata.pfer_bound(40, 1000, 0.9, bound=bound) for bound in BOUNDS}
    assert riata.stability_plan(1000) == riata.stability_plan(1000, pfer=1.0, threshold=0.75)


def test_few_items():
    assert [riata.stability_plan(p).q for p in (1, 2)] == [1, 1]
    assert riata.stability_plan(2).pfer <= riata.pfer_bound(1, 2, 0.75, bound="worst") == 1.0
    with pytest.raises(ValueError, match="not even one item a half"):
        riata.stability_plan(1, pfer=0.5, threshold=0.75)


def test_few_samples_cap_q():
    plan = riata.stability_plan(1000, pfer=1, threshold=0.75, n_samples=100)
    assert plan.capped
    assert plan.q == 16
    assert plan.pfer == riata.pfer_bound(16, 1000, 0.75)
    assert "up to 16 of 1,000 items each, a third of the samples of a half;" in str(plan)
    assert not riata.stability_plan(1000, pfer=1, n_samples=1000).capped
    # A threshold that is not given makes up for it, down to 0.6.
    assert riata.stability_plan(1000, pfer=1, n_samples=100).threshold == 0.6
    plan = riata.stability_plan(1000, pfer=1, n_samples=200)
    assert (plan.q, plan.capped) == (33, True)
    assert plan.pfer <= 1 < riata.pfer_bound(33, 1000, plan.threshold - 0.01)
    assert 0.6 < plan.threshold < 0.75


def test_plans_that_cannot_be():
    with pytest.raises(ValueError, match="at most two of pfer, threshold and q"):
        riata.stability_plan(100, pfer=1, threshold=0.9, q=3)
    with pytest.raises(ValueError, match="not even one item a half"):
        riata.stability_plan(100, pfer=1e-4, threshold=0.6)
    with pytest.raises(ValueError, match="every half selects"):
        riata.stability_plan(100, pfer=1e-3, q=30)
    with pytest.raises(ValueError, match=r"threshold must be above 1/2.*bound='r-concave' allows"):
        riata.stability_plan(100, pfer=1, threshold=0.5, bound="worst")
    with pytest.raises(ValueError, match="q must be at most the number of items, 100, got 101"):
        riata.stability_plan(100, q=101)
