"""Knockoffs beside the output while a run goes on: what is made is not made again by ``--resume``."""

from __future__ import annotations

import glob
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from riata._io.output_files import replace_json
from riata.genetics.opening import open_genotypes
from riata.knockoffs import Knockoffs
from riata.study.resume import Resume


class KnockoffStore(Resume):
    """``PREFIX.knockoffs.checkpoint``, which lists the parts of a run that are made, and the files of these.

    Parameters
    ----------
    prefix : str
        Of the outputs.
    inputs, asked
        As of `Resume`.
    """

    def __init__(self, prefix: str, inputs: Sequence[dict[str, Any]], asked: Mapping[str, Any]) -> None:
        super().__init__(f"{prefix}.knockoffs", inputs, asked, unit="parts", progress=parts_done)
        self._made: dict[str, Any] = {}
        self.total = 0

    def __enter__(self) -> KnockoffStore:
        super().__enter__()
        if self.checkpoint.exists():
            self._made = _read(str(self.checkpoint))["made"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)

    def path(self, name: str) -> Path | None:
        """Return where a part is kept; None where nothing can be."""
        return None if self.kept is None else Path(f"{self.checkpoint}.{name}")

    def made(self, name: str) -> Any:
        """Return what was noted of a part that is made, None of others."""
        return self._made.get(name)

    def note(self, name: str, told: Any) -> None:
        """Note that a part is made, its files complete."""
        if self.kept is not None:
            self._made[name] = told
            replace_json(self.checkpoint, {"made": self._made, "total": self.total})

    def remove(self) -> None:
        """Remove the checkpoint, what it was made from, and all parts."""
        super().remove()
        for file in glob.glob(f"{glob.escape(str(self.checkpoint))}.*"):
            Path(file).unlink(missing_ok=True)


def parts_done(file: str) -> tuple[int, int]:
    """Return how many parts a checkpoint lists, and how many there are in all."""
    kept = _read(file)
    return len(kept["made"]), int(kept["total"])


def _read(file: str) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads(Path(file).read_text("utf-8"))
        if not isinstance(kept["made"], dict):
            raise TypeError(file)
        int(kept["total"])
    except (ValueError, KeyError, TypeError) as error:
        raise OSError(f"{file} is not a checkpoint of knockoffs, or is damaged") from error
    return kept


def kept_knockoffs(
    store: KnockoffStore,
    name: str,
    like: Any,
    labels: Any,
    kind: str,
    make: Callable[[str | None], Knockoffs],
) -> Knockoffs:
    """Return a part, made now where it is not yet, read from its file so that memory does not hold it.

    Parameters
    ----------
    store : KnockoffStore
    name : str
        Of the part.
    like : Genotypes or array
        What it is the knockoffs of.
    labels : array of int or None
        Groups of its features.
    kind : {"bed", "npy"}
        What file holds it.
    make : callable
        Draws it into a file, None where nothing can be kept.
    """
    file, told = store.path(f"{name}.{kind}"), store.made(name)
    if file is None:
        return make(None)
    if told is None:
        drawn = make(str(file))
        told = {"sampler": drawn.sampler, "seed": drawn.seed, "draw": drawn.draw, "info": drawn.info}
        told["fixed"] = np.flatnonzero(drawn.fixed).tolist()
        store.note(name, told)
    fixed = np.zeros(like.shape[1], dtype=np.bool_)
    fixed[told["fixed"]] = True
    return Knockoffs(
        read_knockoffs(str(file), like), groups=labels, sampler=told["sampler"], seed=told["seed"],
        draw=told["draw"], info=told["info"], fixed=fixed,
    )  # fmt: skip


def read_knockoffs(file: str, like: Any) -> Any:
    """Open knockoffs of something that a sampler wrote, as a view on their file."""
    if file.endswith(".bed"):
        allele: Any = like.counted_allele
        return open_genotypes(file, counted_allele=allele, chr_set=like.chromosome_set)
    return np.load(file, mmap_mode="r", allow_pickle=False)
