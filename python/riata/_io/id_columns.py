"""Which columns of a table name its samples: one rule for every format, told with every run."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from riata._io.tables import is_missing, quoted, to_number

#: The first columns of the tables that ``plink --recode A`` and ``plink2 --export A`` write.
RAW_COLUMNS = ("FID", "IID", "PAT", "MAT", "SEX", "PHENOTYPE")
#: Headers, in small letters, of a first column that names samples (or features) even when it holds numbers.
_NAMES_SAMPLES = re.compile(
    r"#?(?:|(?:.*[ _.-])?id|iid|names?|index|unnamed: 0|row[ _.]?names?"
    r"|(?:samples?|patients?|subjects?|donors?|participants?|individuals?|persons?|animals?|barcodes?)"
    r"(?:[ _.-]?(?:ids?|no|nr|number|names?|codes?|barcodes?))?)"
)
COUNTED = "no column of sample ids: samples are numbered from 1"


@dataclass(frozen=True)
class IdColumns:
    """Which columns of a table hold ids, and which others are no features.

    `family` and `sample` are -1 where there is none; `beside` are the other leading columns of a PLINK
    ``.raw``; `told` says where ids come from. Without `certain`, a column of text was taken for its place
    alone: should it repeat, it names no samples.
    """

    family: int
    sample: int
    beside: list[int]
    told: str
    certain: bool = True

    def all(self) -> set[int]:
        """The columns that are no features."""
        return {k for k in (self.family, self.sample, *self.beside) if k >= 0}


def find_ids(
    header: Sequence[str],
    first: Sequence[str],
    named: Collection[str] = (),
    classes: Collection[int] = (),
) -> IdColumns:
    """Find the columns of ids.

    They are FID and IID where there is a column IID. Else they are the first column that no option names and
    that is no class, if its header says so (``sample``, ``patient_id``, an empty one and so on) or it holds
    text; else there are none.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    first : sequence of str
        The first cell of each that is not missing.
    named : collection of str
        Columns that options name: a response is no id, wherever it stands.
    classes : collection of int
        Which columns hold text that repeats; they count only where the header says that they name samples.
    """
    upper = [name.lstrip("#").upper() for name in header]
    if "IID" in upper and header[upper.index("IID")] not in named:
        return _plink_ids(header, upper)
    certain = [_NAMES_SAMPLES.fullmatch(name.lower()) is not None for name in header]
    open_to = (k for k in range(len(header)) if header[k] not in named)
    candidates = (k for k in open_to if certain[k] or k not in classes)
    place = next(candidates, None)
    if place is None:
        return IdColumns(-1, -1, [], COUNTED)
    name = header[place]
    if certain[place] or not looks_numeric(first[place]):
        told = f"sample ids from column {quoted(name)}" if name else "sample ids from the first column"
        return IdColumns(-1, place, [], told, certain[place])
    return IdColumns(-1, -1, [], COUNTED)


def _plink_ids(header: Sequence[str], upper: Sequence[str]) -> IdColumns:
    sample, family = upper.index("IID"), upper.index("FID") if "FID" in upper else -1
    told = "sample ids from columns FID and IID" if family >= 0 else "sample ids from column IID"
    unnamed = [0] if header[0] == "" else []
    if not {"PAT", "MAT"} <= set(upper):
        return IdColumns(family, sample, unnamed, told)
    beside = [upper.index(name) for name in RAW_COLUMNS[2:] if name in upper]
    told += f"; {', '.join(header[k] for k in beside)} are those of a PLINK .raw: no features"
    return IdColumns(family, sample, unnamed + beside, told)


def looks_numeric(cell: str) -> bool:
    """Say whether a cell spells a number or a missing value."""
    if is_missing(cell):
        return True
    try:
        to_number(cell)
    except ValueError:
        return False
    return True
