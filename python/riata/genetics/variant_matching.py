"""Finding the variants of a model or a score file among other genotypes: by id, place and alleles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import some
from riata._io.text_columns import TextColumn, converted
from riata._io.wording import agree, counted
from riata.genetics.chromosomes import HUMAN, ChromosomeSet
from riata.genetics.genotypes import Genotypes
from riata.genetics.score_file import Weights
from riata.genetics.variants import FittedVariants

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

#: How files write an allele that no sample carries: PLINK 1, and PLINK 2 or VCF.
_NOT_SEEN = ("0", ".")
#: What stands in the column of ids where a variant has none.
NO_ID = ("", ".")
_COMPLEMENT = str.maketrans("ACGT", "TGCA")

ABSENT = "not in it"


@dataclass
class Found:
    """Where variants are in other genotypes.

    Attributes
    ----------
    rows : (f,) array
        Those of the wanted ones that were found, increasing.
    where : (f,) array
        Their positions in the genotypes; twice the same where two of them are one variant there.
    flipped : (f,) array of bool
        Whether the effect allele is the one not counted there.
    allele : (f,) array of int
        0; or, for a variant that counts several alleles together, which of them is the effect allele, from 1.
    by_place : (f,) array of bool
        Found by chromosome, position and alleles because the id is absent, or at another place.
    elsewhere : (f,) array of bool
        Taken by id although the position is another one.
    ambiguous : (f,) array of bool
        Flipped A/T or C/G variants: the other strand would look the same.
    absent : list of (row, reason)
        The others.
    """

    rows: Rows
    where: Rows
    flipped: Mask
    allele: Rows
    by_place: Mask
    elsewhere: Mask
    ambiguous: Mask
    absent: list[tuple[int, str]] = field(default_factory=list)

    @property
    def shared(self) -> int:
        """How many of the found ones are a variant that another one is too."""
        size = runs(np.sort(self.where))[1]
        return int(size[size > 1].sum())

    def notes(self) -> list[tuple[str, bool]]:
        """What was done to make the files fit, in sentences, and whether each needs a second look."""
        told: list[tuple[str, bool]] = []
        flipped, ambiguous = int(self.flipped.sum()), int(self.ambiguous.sum())
        if flipped:
            names = agree(flipped, "names its alleles", "name their alleles")
            note = f"{counted(flipped, 'variant')} {names} the other way round: counted from the other side"
            if ambiguous:
                are = agree(ambiguous, "is", "are")
                note += f"; {ambiguous:,} of them {are} A/T or C/G: the other strand would look the same"
            told.append((note, ambiguous > 0))
        if places := int(self.by_place.sum()):
            told.append(
                (
                    f"{counted(places, 'variant')} {agree(places, 'was', 'were')} found by chromosome, "
                    "position and alleles, not by id",
                    True,
                )
            )
        if moved := int(self.elsewhere.sum()):
            told.append(
                (
                    f"{counted(moved, 'variant')} {agree(moved, 'lies', 'lie')} at another position than "
                    "told: taken by id, as asked",
                    True,
                )
            )
        if shared := self.shared:
            told.append(
                (f"{shared:,} entries match a variant that another matches too: they were added up", True)
            )
        return told


def _chromosome_set(geno: Genotypes, fitted: FittedVariants | None) -> ChromosomeSet:
    """The species: as the genotypes were opened, or where that says nothing, as those of the fit were."""
    if fitted is not None and geno.chromosome_set == HUMAN:
        return fitted.chromosome_set
    return geno.chromosome_set


class _Columns(NamedTuple):
    """The columns of a table of variants that matching looks at."""

    id: TextColumn
    chrom: TextColumn
    pos: NDArray[np.int64]
    counted: TextColumn
    second: TextColumn
    plain: Callable[[str], str]


class _Pairs(NamedTuple):
    """Wanted variants and variants of a table that may be the same."""

    row: Rows
    column: Rows
    flipped: Mask
    allele: Rows

    def only(self, mask: Any) -> _Pairs:
        return _Pairs(*(values[mask] for values in self))


def find_variants(
    wanted: Weights,
    geno: Genotypes,
    *,
    ignore_positions: bool = False,
    fitted: FittedVariants | None = None,
    features: Rows | None = None,
) -> Found:
    """Find each variant among the genotypes.

    An id is evidence, not proof: a variant found by id must have the alleles and lie at the place that is
    told, as far as both sides tell one. Where no such variant has the id, the one with the same chromosome,
    position and alleles is taken; one with the id and the alleles at another place only on request.

    Parameters
    ----------
    wanted : Weights
    geno : Genotypes
    ignore_positions : bool, default False
        Take a variant by id wherever it lies: for files of another genome build.
    fitted, features
        For a model, the variants of its fit and which of them are wanted: variants listed several times are
        then told apart by their order, where the genotypes list them as often.
    """
    if fitted is not None and features is not None and fitted.describes(geno):
        return _as_fitted(features)
    table = _Columns(
        geno.variants.id,
        geno.variants.chrom,
        geno.variants.pos,
        geno.effect_allele,
        geno.other_allele,
        _chromosome_set(geno, fitted).plain,
    )
    matcher = _Matcher(wanted, table)
    by_id = matcher.fitting(*matcher.pairs_by_id())
    away = matcher.apart(by_id)
    at_home = by_id.only(~away)
    rest = _others(len(wanted), at_home.row)
    by_place = matcher.fitting(*matcher.pairs_by_place(rest))
    pending = np.ones(len(wanted), dtype=np.bool_)
    pending[at_home.row] = pending[by_place.row] = False
    moved = by_id.only(away & pending[by_id.row])
    kinds = [at_home, by_place, *([moved] if ignore_positions else [])]
    chosen, several = [], []
    for pairs in kinds:
        one, many = _one_each(matcher, pairs, fitted, features)
        chosen.append(one)
        several.append(many)
    kind = np.repeat(np.arange(len(kinds)), [len(pairs.row) for pairs in chosen])
    pairs = _Pairs(*(np.concatenate(values) for values in zip(*chosen, strict=True)))
    order = np.argsort(pairs.row, kind="stable")
    pairs, kind = pairs.only(order), kind[order]
    reasons = {int(k): "appears more than once" for k in np.concatenate(several)}
    if not ignore_positions:
        reasons |= {int(k): matcher.place_of(int(j)) for k, j in zip(moved.row, moved.column, strict=True)}
    gone = _others(len(wanted), pairs.row)
    absent = [(k, reasons.get(k) or matcher.alleles_seen(k) or ABSENT) for k in gone.tolist()]
    return Found(
        rows=pairs.row,
        where=pairs.column,
        flipped=pairs.flipped,
        allele=pairs.allele,
        by_place=kind == 1,
        elsewhere=kind == 2,
        ambiguous=pairs.flipped & _palindromic(wanted, pairs.row),
        absent=absent,
    )


def _as_fitted(features: Rows) -> Found:
    """Variants of the genotypes of the fit themselves: each is where it was."""
    none = np.zeros(len(features), dtype=np.bool_)
    first = np.zeros(len(features), dtype=np.int64)
    return Found(np.arange(len(features)), features, none, first, none, none, none)


def refusal(wanted: Weights, path: str, absent: list[tuple[int, str]]) -> str:
    """Say which variants cannot be scored; those that may be a mistake first."""
    other = [(k, why) for k, why in absent if why.startswith("has alleles")]
    if other:
        k, why = other[0]
        effect, second = str(wanted.effect[k]), str(wanted.other[k])
        against = f" against {second}" if second else ""
        seen = set(why.removeprefix("has alleles ").split(" and "))
        strand = seen == {effect.translate(_COMPLEMENT), second.translate(_COMPLEMENT)}
        return (
            f"{path}: variant {wanted.label(k)} {why}, but {wanted.source} counts {effect}{against}"
            + (", which may be the other strand" if strand else "")
            + _more(other)
        )
    moved = [(k, why) for k, why in absent if why.startswith("lies at")]
    if moved:
        k, why = moved[0]
        told = f"{wanted.chrom[k]}:{wanted.pos[k]}"
        return (
            f"{path}: variant {wanted.label(k)} {why}, but {wanted.source} has it at {told}{_more(moved)}; "
            "if this is another genome build, --ignore-positions (ignore_positions=True) takes variants by id"
        )
    several = [(k, why) for k, why in absent if why != ABSENT]
    if several:
        k, why = several[0]
        effect, second = str(wanted.effect[k]), str(wanted.other[k])
        of = f"alleles {effect} and {second}" if second else f"allele {effect}"
        return f"{path}: variant {wanted.label(k)} with {of} {why}{_more(several)}"
    names = sorted({wanted.label(k) for k, _ in absent})
    return (
        f"{path}: {len(absent):,} of the {len(wanted):,} variants of {wanted.source} are not in it, neither "
        f"by id nor by place and alleles: {some(names)}"
    )


def _more(like: list[Any]) -> str:
    return f" ({len(like) - 1:,} more like it)" if len(like) > 1 else ""


class _Matcher:
    """Wanted variants beside a table of variants."""

    def __init__(self, wanted: Weights, table: _Columns) -> None:
        self.wanted, self.table = wanted, table
        self.effect, self.other = _letters(wanted.effect), _letters(wanted.other)
        self.other[np.isin(self.other, _NOT_SEEN)] = ""
        self.chrom = converted(wanted.chrom, table.plain)
        self.placed = (np.asarray(wanted.pos) > 0) & ~np.isin(self.chrom, ("", "0"))
        self._others: dict[int, int] = {}

    def pairs_by_id(self) -> tuple[Rows, Rows]:
        names = [str(name) for name in self.wanted.id]
        rows = np.array([k for k, name in enumerate(names) if name not in NO_ID], dtype=np.int64)
        place: dict[str, int] = {}
        key = np.array([place.setdefault(names[k], len(place)) for k in rows], dtype=np.int64)
        match = self.table.id.match(list(place))
        columns = np.flatnonzero(match >= 0)
        left, right = _join(key, match[columns].astype(np.int64))
        return rows[left], columns[right]

    def pairs_by_place(self, rows: Rows) -> tuple[Rows, Rows]:
        rows = rows[self.placed[rows]]
        columns = np.flatnonzero(np.isin(self.table.pos, self.wanted.pos[rows]))
        number: dict[str, int] = {}
        mine = np.array([number.setdefault(name, len(number)) for name in self.chrom[rows]], dtype=np.int64)
        here = self._chromosomes(columns)
        theirs = np.array([number.get(name, -1) for name in here], dtype=np.int64)
        columns, theirs = columns[theirs >= 0], theirs[theirs >= 0]
        n = max(len(number), 1)
        left, right = _join(self.wanted.pos[rows] * n + mine, self.table.pos[columns] * n + theirs)
        return rows[left], columns[right]

    def fitting(self, row: Rows, column: Rows) -> _Pairs:
        """Those pairs whose alleles agree, one way round or the other."""
        counted, second = (
            _letters(alleles.take(column)) for alleles in (self.table.counted, self.table.second)
        )
        effect, other = self.effect[row], self.other[row]
        unseen, unseen2 = np.isin(counted, _NOT_SEEN), np.isin(second, _NOT_SEEN)
        named = other != ""
        straight = _equal(counted, effect, unseen & named) & (~named | _equal(second, other, unseen2))
        flipped = _equal(second, effect, unseen2 & named) & (~named | _equal(counted, other, unseen))
        both = ~(unseen & unseen2)
        straight &= both
        flipped &= both & ~straight
        allele = np.zeros(len(row), dtype=np.int64)
        listed = np.array(
            ["," in a or "," in b or "," in c for a, b, c in zip(counted, second, other, strict=True)],
            dtype=np.bool_,
        )
        for k in np.flatnonzero(listed & ~straight & ~flipped).tolist():
            way = _way_of_many(counted[k], second[k], effect[k], other[k])
            if way is not None:
                straight[k], flipped[k], allele[k] = not way[0], way[0], way[1]
        fits = straight | flipped
        for k in np.flatnonzero(~fits).tolist():  # to tell what was there instead
            self._others.setdefault(int(row[k]), int(column[k]))
        return _Pairs(row, column, flipped, allele).only(fits)

    def apart(self, pairs: _Pairs) -> Mask:
        """Which pairs lie at different places, where both sides tell one."""
        pos = self.table.pos[pairs.column]
        chrom = self._chromosomes(pairs.column)
        known = self.placed[pairs.row] & (pos > 0) & ~np.isin(chrom, ("", "0"))
        same = (self.wanted.pos[pairs.row] == pos) & (self.chrom[pairs.row] == chrom)
        return np.asarray(known & ~same)

    def together(self, pairs: _Pairs) -> Mask:
        """Which pairs are known to lie at the same place."""
        same = self.wanted.pos[pairs.row] == self.table.pos[pairs.column]
        return np.asarray(
            self.placed[pairs.row] & same & (self.chrom[pairs.row] == self._chromosomes(pairs.column))
        )

    def place_of(self, column: int) -> str:
        return f"lies at {self.table.chrom[column]}:{self.table.pos[column]}"

    def alleles_seen(self, row: int) -> str:
        """What alleles a variant of this id or at this place has instead."""
        column = self._others.get(row)
        if column is None:
            return ""
        return f"has alleles {self.table.counted[column]} and {self.table.second[column]}"

    def _chromosomes(self, columns: Rows) -> NDArray[Any]:
        return converted(self.table.chrom.take(columns), self.table.plain)


def _one_each(
    matcher: _Matcher, pairs: _Pairs, fitted: FittedVariants | None, features: Rows | None
) -> tuple[_Pairs, Rows]:
    """Choose one pair for each wanted variant; also returns those for which several are as good."""
    order = np.lexsort((pairs.column, pairs.row))
    pairs = pairs.only(order)
    start, count = runs(pairs.row)
    keep = np.zeros(len(pairs.row), dtype=np.bool_)
    keep[start[count == 1]] = True
    doubtful = count > 1
    if not doubtful.any():
        return pairs, np.empty(0, dtype=np.int64)
    together = matcher.together(pairs)
    like: dict[int, Rows] = {}
    if fitted is not None and features is not None:
        like = _like_in_fit(matcher, pairs.row[start[doubtful]], fitted)
    several = []
    for first, size in zip(start[doubtful].tolist(), count[doubtful].tolist(), strict=True):
        here = np.arange(first, first + size)
        if together[here].any():
            here = here[together[here]]
        row = int(pairs.row[first])
        if fitted is not None and features is not None and len(like.get(row, ())) == len(here) > 1:
            at = fitted.rows(features[[row]])
            here = here[np.searchsorted(like[row], at)]
        if len(here) > 1:
            several.append(row)
        else:
            keep[here] = True
    return pairs.only(keep), np.array(several, dtype=np.int64)


def _like_in_fit(matcher: _Matcher, rows: Rows, fitted: FittedVariants) -> dict[int, Rows]:
    """For some wanted variants, where all like them stand among the variants of their fit, in order."""
    table = _Columns(fitted.id, fitted.chrom, fitted.pos, fitted.effect, fitted.other, matcher.table.plain)
    of_fit = _Matcher(matcher.wanted, table)
    nameless = rows[np.isin(matcher.wanted.id[rows].astype(str), NO_ID)]
    found = zip(of_fit.pairs_by_id(), of_fit.pairs_by_place(nameless), strict=True)
    row, column = (np.concatenate(parts) for parts in found)
    asked = np.isin(row, rows)
    pairs = of_fit.fitting(row[asked], column[asked])
    pairs = pairs.only(~of_fit.apart(pairs))
    pairs = pairs.only(np.lexsort((pairs.column, pairs.row)))
    start, size = runs(pairs.row)
    each = zip(pairs.row[start].tolist(), start.tolist(), size.tolist(), strict=True)
    return {row: pairs.column[first : first + n] for row, first, n in each}


def _way_of_many(counted: str, second: str, effect: str, other: str) -> tuple[bool, int] | None:
    """Compare alleles of which some are lists: (whether flipped, which of the counted alleles), or None.

    Where the genotypes count several alleles together, a single one of them may be wanted; the other alleles
    told must be among those there.
    """
    here, others = counted.split(","), set(other.split(",")) - {""}
    if effect == counted and others <= {second}:
        return False, 0
    if effect == second and others <= {*here, *_NOT_SEEN}:
        return True, 0
    if effect in here and (not others or second in others or second in _NOT_SEEN):
        return False, here.index(effect) + 1 if len(here) > 1 else 0
    if len(here) == 1 and effect == second and (not others or counted in others):
        return True, 0
    return None


def _equal(here: NDArray[Any], wanted: NDArray[Any], unseen: Mask) -> Mask:
    return np.asarray((here == wanted) | unseen, dtype=np.bool_)


def _palindromic(wanted: Weights, rows: Rows) -> Mask:
    effect, other = _letters(wanted.effect[rows]), _letters(wanted.other[rows])
    pairs = zip(effect, other, strict=True)
    return np.array([a.translate(_COMPLEMENT) == b for a, b in pairs], dtype=np.bool_)


def _letters(column: Any) -> NDArray[Any]:
    """Alleles in capital letters, as an array of strings."""
    return converted(column, str.upper)


def _others(n: int, rows: Rows) -> Rows:
    """Those of n rows that are not among `rows`."""
    out = np.ones(n, dtype=np.bool_)
    out[rows] = False
    return np.flatnonzero(out)


def runs(ordered: Rows) -> tuple[Rows, Rows]:
    """Where each run of equal numbers starts, and how long it is."""
    new = np.ones(len(ordered), dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    start = np.flatnonzero(new)
    return start, np.diff(np.append(start, len(ordered)))


def _join(left: Rows, right: Rows) -> tuple[Rows, Rows]:
    """Every pair of positions at which two arrays of keys are equal."""
    order = np.argsort(left, kind="stable")
    keys = left[order]
    low, high = (np.searchsorted(keys, right, side=side) for side in ("left", "right"))
    count = high - low
    at = np.repeat(np.arange(len(right)), count)
    step = np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
    return order[np.repeat(low, count) + step], at
