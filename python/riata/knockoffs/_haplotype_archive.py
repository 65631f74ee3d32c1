"""How haplotype models are kept in ``.npz`` archives, and read back."""

from __future__ import annotations

import json
import os
from typing import Any, TypeVar

import numpy as np

from riata._io.output_files import replace_file
from riata._io.text_columns import PlainColumn, plain_column
from riata.genetics.variants import FittedVariants
from riata.knockoffs._chains import Chain
from riata.knockoffs._populations import Populations

FORMAT = 1
Model = TypeVar("Model")


def write_archive(model: Any, path: str) -> None:
    """Write a fitted `Haplotypes`."""
    arrays: dict[str, Any] = {}
    chains = []
    for k, (name, given) in enumerate(model.chains_.items()):
        for j, chain in enumerate(given):
            chains.append((name, chain.name))
            for what in ("stay", "landing", "allele", "log_likelihood"):
                arrays[f"chain_{k}_{j}_{what}"] = np.asarray(getattr(chain, what))
    populations: Populations | None = model.populations_
    meta = {"kind": "haplotypes", "format": FORMAT, "chains": chains, "fitted": populations is not None}
    meta |= {name: int(getattr(model, name)) for name in ("n_clusters", "n_iter", "fit_samples")}
    meta |= {"related": model.related, "phased": model.phased}
    if populations is not None:
        assert populations.variants is not None
        ids = plain_column(populations.variants.id)
        arrays |= {"ids_data": ids.data, "ids_offsets": ids.offsets, **populations.variants.to_arrays()}
        meta |= {"populations": populations.names}
        meta |= {"samples": [[*sample, number] for sample, number in populations.of_sample.items()]}
    arrays["meta"] = np.array(json.dumps(meta))

    def write(aside: os.PathLike[str]) -> None:
        with open(aside, "wb") as file:
            np.savez_compressed(file, **arrays)

    replace_file(path, write)


def read_archive(kind: type[Model], path: str) -> Model:
    """Read what `write_archive` has written."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    meta = json.loads(str(arrays["meta"])) if "meta" in arrays else {}
    if meta.get("kind") != "haplotypes" or meta.get("format") != FORMAT:
        raise ValueError(f"{path}: holds no haplotype models of riata")
    options = ("n_clusters", "n_iter", "fit_samples", "related", "phased")
    model: Any = kind(**{name: meta[name] for name in options})
    model.chains_ = {}
    for name, chromosome in meta["chains"]:
        given = model.chains_.setdefault(name, [])
        place = f"chain_{len(model.chains_) - 1}_{len(given)}"
        stay, landing, allele, likelihood = (
            arrays[f"{place}_{what}"] for what in ("stay", "landing", "allele", "log_likelihood")
        )
        given.append(Chain(chromosome, stay, landing, allele, tuple(likelihood.tolist())))
    model.populations_ = None
    if meta["fitted"]:
        names = PlainColumn(arrays["ids_data"], arrays["ids_offsets"])
        variants = FittedVariants.from_arrays(arrays, names)
        of_sample = {(fid, iid): int(number) for fid, iid, number in meta["samples"]}
        model.populations_ = Populations(meta["populations"], of_sample, variants)
    return model  # type: ignore[no-any-return]
