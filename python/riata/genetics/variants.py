"""The variants a model was fitted to: their names, places, alleles and frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import Table
from riata._io.text_columns import (
    CodedColumn,
    PlainColumn,
    TextColumn,
    coded_column,
    coded_texts,
    converted,
    differing_rows,
    plain_column,
    same_texts,
)
from riata.genetics.chromosomes import HUMAN, ChromosomeSet

if TYPE_CHECKING:
    from riata.genetics.genotypes import Genotypes

Float = NDArray[np.float64]
Positions = NDArray[np.int64]

_TEXTS = ("chrom", "effect", "other")


@dataclass(frozen=True, eq=False, repr=False)
class FittedVariants:
    """The variants that a model was fitted to, as they were in the files of the fit.

    Attributes
    ----------
    id, chrom : TextColumn, m texts
    pos : (m,) array of int64
    effect, other : TextColumn, m texts
        The allele whose copies the fit counted, and the one it did not.
    frequency : (m,) array
        Frequency of the effect allele among the calls of the fit's samples: a missing call stood at twice
        that.
    sd : (m,) array
        Standard deviation of the copies (1/n) in the fit's samples, missing calls at their mean: of all
        variants where the fit standardised, else of those with an effect, and NaN for the others; NaN also
        where a file of an earlier version does not tell.
    features : (m,) array of int64, or None
        The features of the model that these are, increasing; None: the first m.
    chromosome_set : ChromosomeSet
        The species.

    Examples
    --------
    >>> import riata, tempfile
    >>> study = riata.open_genotypes(riata.simulate_genotypes(tempfile.mkdtemp() + "/study", 60, 200))
    >>> y = [float(value) for value in study.samples["phenotype"]]
    >>> path = riata.fit_path(study, y, alphas=[0.1])
    >>> len(path.variants.frequency)
    200
    """

    id: TextColumn
    chrom: TextColumn
    pos: Positions
    effect: TextColumn
    other: TextColumn
    frequency: Float
    sd: Float
    features: Positions | None = None
    chromosome_set: ChromosomeSet = HUMAN

    def __len__(self) -> int:
        return len(self.pos)

    def __repr__(self) -> str:
        return f"<FittedVariants, {len(self):,} variants>"

    def table(self) -> Table:
        """Return the variants as a table: feature, id, chrom, pos, alleles, frequency and sd.

        `polars.DataFrame`, `pyarrow.table` and other readers of Arrow streams take it, or the variants
        themselves, without copying text; its ``to_frame`` is a `pandas.DataFrame`.
        """
        feature = np.arange(len(self)) if self.features is None else self.features
        return Table(
            {
                "feature": feature,
                "id": self.id,
                "chrom": self.chrom,
                "pos": self.pos,
                "effect_allele": self.effect,
                "other_allele": self.other,
                "frequency": self.frequency,
                "sd": self.sd,
            }
        )

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table().__arrow_c_stream__(requested_schema)

    @property
    def n_features(self) -> int:
        """How many features of the model are variants, at least: covariates come after them."""
        return len(self) if self.features is None else int(self.features[-1] + 1 if len(self) else 0)

    def rows(self, features: Positions) -> Positions:
        """Where features of the model stand in the columns; -1: in none of them."""
        if self.features is None:
            return np.where(features < len(self), features, -1)
        at = np.minimum(np.searchsorted(self.features, features), max(len(self) - 1, 0))
        known = self.features[at] == features if len(self) else np.zeros(len(features), dtype=np.bool_)
        return np.where(known, at, -1)

    def describes(self, geno: Genotypes) -> bool:
        """Say whether genotypes have just these variants in this order, counting the same alleles."""
        if self.features is not None or len(self) != geno.shape[1]:
            return False
        table = geno.variants
        return (
            np.array_equal(self.pos, table.pos)
            and len(differing_rows(self.id, table.id)) == 0
            and same_texts(self.chrom, table.chrom)
            and same_texts(self.effect, geno.effect_allele)
            and same_texts(self.other, geno.other_allele)
        )

    def difference(self, geno: Genotypes) -> str:
        """Say where genotypes with the same variants first count another allele; empty when they do not."""
        rows = slice(None) if self.features is None else self.features
        for mine, theirs in ((self.effect, geno.effect_allele), (self.other, geno.other_allele)):
            here = theirs[rows]
            differ = np.flatnonzero(converted(mine, str.upper) != converted(here, str.upper))
            if len(differ):
                j = int(differ[0])
                return f"has allele {here[j]} of variant {self.id[j]} where the fit had {mine[j]}"
        return ""

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return plain arrays for an archive; the ids are not among them."""
        arrays: dict[str, NDArray[Any]] = {
            "variants_pos": self.pos,
            "variants_frequency": self.frequency,
            "variants_sd": self.sd,
            "variants_chr_set": np.array(str(self.chromosome_set)),
        }
        if self.features is not None:
            arrays["variants_features"] = self.features
        for name in _TEXTS:
            column = getattr(self, name)
            coded = column if isinstance(column, CodedColumn) else coded_texts(column)
            names = plain_column(coded.names)
            arrays[f"variants_{name}_codes"] = coded.codes
            arrays[f"variants_{name}_data"], arrays[f"variants_{name}_offsets"] = names.data, names.offsets
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], names: TextColumn) -> FittedVariants:
        """Read what `to_arrays` returned; `names` are those of all features."""
        pos = arrays["variants_pos"]
        features = arrays.get("variants_features")
        columns: dict[str, Any] = {
            name: coded_column(
                arrays[f"variants_{name}_codes"],
                PlainColumn(arrays[f"variants_{name}_data"], arrays[f"variants_{name}_offsets"]).tolist(),
            )
            for name in _TEXTS
        }
        return cls(
            id=names.take(np.arange(len(pos)) if features is None else features),
            pos=pos,
            frequency=arrays["variants_frequency"],
            sd=arrays["variants_sd"],
            features=features,
            chromosome_set=ChromosomeSet.of(str(arrays["variants_chr_set"])),
            **columns,
        )

    @classmethod
    def from_earlier(cls, arrays: dict[str, Any]) -> FittedVariants:
        """Read a model that an earlier riata saved: active variants alone, no standard deviations."""
        features = arrays["study_active"].astype(np.int64)
        return cls(
            id=plain_column([str(name) for name in arrays["study_id"]]),
            pos=np.asarray(arrays["study_pos"], dtype=np.int64),
            frequency=np.asarray(arrays["mean"], dtype=np.float64)[features] / 2.0,
            sd=np.full(len(features), np.nan),
            features=features,
            **_texts_of(arrays),
        )


def _texts_of(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: coded_texts(str(text) for text in arrays[f"study_{name}"]) for name in _TEXTS}


def fitted_variants(
    geno: Genotypes, *, sd: Float | None = None, active: Positions | None = None
) -> FittedVariants:
    """Describe the variants of genotypes as the samples in use have them.

    `sd` are the standard deviations where a fit knows them all; else the `active` variants are counted.
    """
    if sd is None:
        sd = np.full(geno.shape[1], np.nan)
        if active is not None:
            sd[active] = geno.subset(variants=active)._standard_deviations()
    return FittedVariants(
        id=geno.variants.id,
        chrom=geno.variants.chrom,
        pos=np.asarray(geno.variants.pos, dtype=np.int64),
        effect=geno.effect_allele,
        other=geno.other_allele,
        frequency=geno._imputed_frequency(),
        sd=sd,
        chromosome_set=geno.chromosome_set,
    )
