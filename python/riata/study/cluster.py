"""The cluster whose workers hold the genotypes of a run of the command line."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from riata._io.extras import needs
from riata.distributed.genotypes import hold
from riata.genetics.genotypes import Genotypes
from riata.study.inputs import SOURCES
from riata.study.options import StudyOptions

if TYPE_CHECKING:
    from distributed import Client

#: Seconds in which a scheduler must answer.
_PATIENCE = 30


def check_cluster(options: StudyOptions) -> None:
    """Refuse options of a cluster that need no cluster to be found wrong.

    Raises
    ------
    ValueError, OSError
        Naming the option.
    """
    if options.scheduler is not None and options.scheduler_file is not None:
        raise ValueError("give --scheduler or --scheduler-file, not both")
    flag = flag_of_scheduler(options)
    if flag is None:
        for name in ("load", "scratch"):
            if getattr(options, name) is not None:
                raise ValueError(f"--{name} needs --scheduler or --scheduler-file, whose workers it is for")
        return
    given = [name for name in (*SOURCES, "matrix") if getattr(options, name)]
    if given and given != ["bfile"]:
        raise ValueError(
            f"{flag} is for --bfile, whose .bed files workers can read, got --{' and --'.join(given)}"
        )
    if options.scratch is not None and options.load != "map":
        raise ValueError("--scratch needs --load map: workers map the copies that they make there")
    if options.scheduler_file is not None and not Path(options.scheduler_file).is_file():
        raise FileNotFoundError(f"--scheduler-file: {options.scheduler_file}: no such file")
    if options.scheduler_file is not None and not _has_address(options.scheduler_file):
        raise ValueError(
            f"--scheduler-file: {options.scheduler_file}: it must be what a scheduler of Dask writes, "
            "JSON with its address"
        )


def _has_address(file: str) -> bool:
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
    except ValueError:  # of bytes or of JSON
        return False
    return isinstance(found, dict) and isinstance(found.get("address"), str)


def flag_of_scheduler(options: StudyOptions) -> str | None:
    """The option that names the scheduler, None without."""
    if options.scheduler_file is not None:
        return "--scheduler-file"
    return "--scheduler" if options.scheduler is not None else None


@contextlib.contextmanager
def cluster_of(options: StudyOptions) -> Iterator[Client | None]:
    """A client of the scheduler that the options name, as long as a run needs it; None where they name none.

    Raises
    ------
    ImportError
        Without Dask.
    OSError
        When no scheduler answers.
    """
    flag = flag_of_scheduler(options)
    if flag is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise needs(flag, "dask") from error
    where: dict[str, Any] = {"address": options.scheduler}
    if options.scheduler_file is not None:
        where = {"scheduler_file": options.scheduler_file}
    try:
        client = Client(**where, timeout=_PATIENCE)
    except (OSError, ValueError, TypeError, KeyError) as error:
        named = options.scheduler_file or options.scheduler
        raise OSError(f"{flag} {named}: no scheduler of Dask answers there ({error})") from error
    with client:
        yield client


def at_workers(geno: Genotypes, client: Client | None, options: StudyOptions) -> Genotypes:
    """The same genotypes, held by the workers of a client; as they are where there is none."""
    if client is None:
        return geno
    load = cast("Literal['memory', 'map']", options.load or "memory")
    return hold(geno, client, load, options.scratch)
