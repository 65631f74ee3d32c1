"""Chromosomes by what they are called: which names mean the same, which are X, Y and MT, and their order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from riata._io.tables import some

Kind = Literal["autosome", "X", "Y", "XY", "MT", "other", "unplaced"]
#: What `open_genotypes` takes for a `ChromosomeSet`.
ChrSet = Any

_PREFIX = re.compile(r"(chr(?!om)\s*)+(?=.)", re.IGNORECASE)
#: Tables of numbers write 1 as 1.0.
_NUMBER = re.compile(r"([0-9]+)(\.0+)?")
_ARM = re.compile(r"([0-9]+)([A-Za-z]*)")
#: Numbers after the last autosome, as PLINK counts them; those of the pseudo-autosomal regions are PLINK 2's.
_AFTER = ("X", "Y", "XY", "MT", "PAR1", "PAR2")
#: The largest number of autosomes that PLINK knows.
MOST = 95
_READING_ORDER = ("X", "Y", "XY", "PAR1", "PAR2", "MT")
_KINDS: dict[str, Kind] = {"X": "X", "Y": "Y", "XY": "XY", "PAR1": "XY", "PAR2": "XY", "MT": "MT"}
_WORDS = ("no-x", "no-y", "no-xy", "no-mt")


class ChromosomeWarning(UserWarning):
    """Names of chromosomes, or files named after them, that may not be what was meant.

    Examples
    --------
    >>> import riata, warnings
    >>> warnings.filterwarnings("error", category=riata.ChromosomeWarning)  # end instead, in a script
    """


@dataclass(frozen=True)
class ChromosomeSet:
    """The chromosomes of a species, as PLINK's ``--chr-set`` gives them; human by default.

    A name is read with or without ``chr`` before it and zeros in front, in any case: ``01``, ``chr1`` and
    ``CHR1`` are chromosome 1. After the N autosomes, N + 1 is X, N + 2 Y, N + 3 XY (the pseudo-autosomal
    regions, PAR1 and PAR2 where they are told apart) and N + 4 the mitochondrion: 23 to 26 in humans, 30 to
    33 in cattle. Names beyond are taken as they are, and their case counts.

    Parameters
    ----------
    autosomes : int, default 22
        N, at least 1.
    x, y, xy, mt : bool, default True
        Which of the others there are; a name for one that there is not is a name like any other.
    haploid : bool, default False
        Whether every chromosome is haploid, or as good as (inbred lines): PLINK's negative numbers. There is
        no X, Y, XY and MT then.

    Examples
    --------
    >>> import riata
    >>> human, cow = riata.ChromosomeSet(), riata.ChromosomeSet.of("cow")
    >>> [human.plain(name) for name in ("chr01", "23", "chrM", "2L")]
    ['1', 'X', 'MT', '2L']
    >>> cow.kind("23"), cow.kind("30"), str(cow)
    ('autosome', 'X', '29 no-xy')
    >>> sorted(["scaffold_10", "MT", "X", "scaffold_2", "10", "0", "2"], key=human.order)
    ['2', '10', 'X', 'MT', 'scaffold_2', 'scaffold_10', '0']
    """

    autosomes: int = 22
    x: bool = True
    y: bool = True
    xy: bool = True
    mt: bool = True
    haploid: bool = False

    def __post_init__(self) -> None:
        if self.autosomes < 1:
            raise ValueError(f"autosomes must be at least 1, got {self.autosomes}")
        if self.haploid and (self.x or self.y or self.xy or self.mt):
            raise ValueError("a haploid set has no X, Y, XY and MT: x, y, xy and mt must be False")

    @classmethod
    def of(cls, given: ChrSet) -> ChromosomeSet:
        """Return the set that a species, a number of autosomes, or the words of ``--chr-set`` mean.

        Parameters
        ----------
        given : str, int or ChromosomeSet
            ``"cow"``, 29, ``"29 no-xy"``; a negative number is haploid.

        Raises
        ------
        ValueError, TypeError
            When it is none of these.
        """
        if isinstance(given, ChromosomeSet):
            return given
        if isinstance(given, bool) or not (isinstance(given, str) or hasattr(given, "__index__")):
            raise TypeError(
                f"chr_set must be a species, a number of autosomes or a ChromosomeSet, got {given!r}"
            )
        number, *words = str(given).lower().split() or [""]
        if number in SPECIES and not words:
            return SPECIES[number]
        if re.fullmatch(r"-?[0-9]+", number) is None or int(number) == 0 or not set(words) <= set(_WORDS):
            raise ValueError(
                f"chr_set must be one of {', '.join(SPECIES)}, or a number of autosomes and any of "
                f"{', '.join(_WORDS)}, got {given!r}"
            )
        haploid = int(number) < 0
        there = {word.removeprefix("no-"): not haploid and word not in words for word in _WORDS}
        return cls(abs(int(number)), **there, haploid=haploid)

    @classmethod
    def of_header(cls, line: str) -> ChromosomeSet | None:
        """Return the set that a line ``##chrSet=<...>`` of PLINK 2 declares, None for other lines."""
        declared = re.match(r"##chrSet=<(.*)>", line)
        counted = declared and re.search(r"\b(autosomePair|haploidAutosome)Ct=([0-9]+)", declared[1])
        if not declared or not counted:
            return None
        there = set(declared[1].split(","))
        haploid = counted[1] == "haploidAutosome"
        return cls(int(counted[2]), "X" in there, "Y" in there, "XY" in there, "M" in there, haploid)

    @classmethod
    def guess(cls, names: Iterable[str]) -> ChromosomeSet:
        """Return the human set, or where `names` count beyond it, one whose numbers are all autosomes.

        Numbers beyond 95, the most that PLINK counts to, are taken for names.
        """
        numbers = [int(found[1]) for name in names if (found := _NUMBER.fullmatch(_bare(name)))]
        largest = max((number for number in numbers if number <= MOST), default=0)
        return HUMAN if largest <= HUMAN.autosomes + 4 else cls(largest)

    def plain(self, name: str) -> str:
        """Return the one name for what `name` calls a chromosome; ``0`` for none."""
        return _plain(self, name)

    def kind(self, name: str) -> Kind:
        """Say what a chromosome is; ``"other"`` for names, and numbers, that the set does not know."""
        plain = self.plain(name)
        if plain == "0":
            return "unplaced"
        if plain.isdecimal():
            return "autosome" if int(plain) <= self.autosomes else "other"
        return _KINDS[plain] if self._has(plain) else "other"

    def knows(self, name: str) -> bool:
        """Say whether a name is that of a chromosome of the set."""
        return self.kind(name) not in ("other", "unplaced")

    def order(self, name: str) -> tuple[Any, ...]:
        """Return what names are sorted by: numbers, X, Y, XY, MT, other names naturally, ``0`` last.

        Arms and copies of a numbered chromosome, 2L and 2R or 1A and 1B, stand where it does.
        """
        plain = self.plain(name)
        if plain == "0":
            return (3, 0, ())
        numbered = _ARM.fullmatch(plain)
        if numbered is not None:
            return (0, int(numbered[1]), natural_order(numbered[2]))
        if self._has(plain):
            return (1, _READING_ORDER.index(plain), ())
        return (2, 0, natural_order(plain))

    def listed(self, names: Iterable[str]) -> str:
        """Return chromosomes in reading order for a message, numbers that follow each other as ``1-22``."""
        plain = sorted({self.plain(name) for name in names}, key=self.order)
        runs: list[list[str]] = []
        for name in plain:
            follows = runs and name.isdecimal() and runs[-1][-1] == str(int(name) - 1) != "0"
            if follows:
                runs[-1].append(name)
            else:
                runs.append([name])
        return some([f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs], 12)

    def __str__(self) -> str:
        """Return the words of ``--chr-set``, which `of` reads."""
        if self.haploid:
            return str(-self.autosomes)
        there = (self.x, self.y, self.xy, self.mt)
        return " ".join([str(self.autosomes), *(w for w, has in zip(_WORDS, there, strict=True) if not has)])

    def _has(self, plain: str) -> bool:
        """Say whether there is a chromosome of one of the names that mean X, Y, XY and MT."""
        there = {"X": self.x, "Y": self.y, "XY": self.xy, "MT": self.mt}
        return plain in _KINDS and there[_KINDS[plain]]


@lru_cache(maxsize=1 << 16)
def _plain(chromosomes: ChromosomeSet, name: str) -> str:
    bare = _bare(name)
    number = _NUMBER.fullmatch(bare)
    if number is not None:
        value = int(number[1])
        after = value - chromosomes.autosomes
        letters = _AFTER[after - 1] if 1 <= after <= len(_AFTER) else ""
        return letters if chromosomes._has(letters) else str(value)
    letters = bare.upper().lstrip("0")
    letters = "MT" if letters == "M" else letters
    return letters if chromosomes._has(letters) else bare or "0"


def _bare(name: str) -> str:
    stripped = name.strip()
    prefix = _PREFIX.match(stripped)
    return stripped if prefix is None else stripped[prefix.end() :]


def natural_order(text: str) -> tuple[tuple[int, str], ...]:
    """Return what texts are sorted by so that numbers within them count: ``s2`` before ``s10``."""
    parts = re.split(r"([0-9]+)", text)
    return tuple((int(part), part) if k % 2 else (-1, part) for k, part in enumerate(parts))


HUMAN = ChromosomeSet()
#: As PLINK has them, except that MT is known in all that are not haploid.
SPECIES: dict[str, ChromosomeSet] = {
    "human": HUMAN,
    "cow": ChromosomeSet(29, xy=False),
    "dog": ChromosomeSet(38),
    "horse": ChromosomeSet(31, xy=False),
    "mouse": ChromosomeSet(19, xy=False),
    "rice": ChromosomeSet(12, x=False, y=False, xy=False, mt=False, haploid=True),
    "sheep": ChromosomeSet(26, xy=False),
}
