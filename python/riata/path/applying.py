"""Applying a model to new samples: genotypes, whose variants are matched, and tables of the same features."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from riata._input.design import as_design, check_same_features, filled_design
from riata._input.lazy import by_rows, check_lazy_shape, is_lazy
from riata._input.validation import Float
from riata.genetics.score_file import Weights
from riata.genetics.variants import FittedVariants
from riata.losses._loss import Loss
from riata.path.coefs import each_output, linear_predictor, side_by_side
from riata.path.polygenic_score import absence_note, check_found, score_genotypes, weights_of

if TYPE_CHECKING:
    from riata.genetics.genotypes import Genotypes
    from riata.genetics.variant_matching import Found

__all__ = ["MatchedGenotypes", "VariantWarning", "match_variants"]

Rows = NDArray[np.int64]


class VariantWarning(UserWarning):
    """Genotypes were made to fit a model in a way that deserves a second look.

    Examples
    --------
    >>> import riata, warnings
    >>> warnings.filterwarnings("error", category=riata.VariantWarning)  # stop a script instead
    """


class MatchedGenotypes:
    """Genotypes in which the variants of a model have been found; made by `match_variants`.

    To be passed as X to the model's `predict`.

    Attributes
    ----------
    genotypes : Genotypes
    n_wanted, n_found : int
        Variants that the model uses, and those of them that were found.
    flipped, by_place, elsewhere, ambiguous : list of str
        Ids, in the model, of variants whose alleles are named the other way round; that were found by
        chromosome, position and alleles and not by id; that were taken by id although they lie elsewhere;
        that are flipped and A/T or C/G, where the other strand would look the same.
    absent : list of (id, reason)
        Variants that were not found: every sample gets the mean of the fit.
    notes : list of str
        The same in sentences.

    Examples
    --------
    >>> import riata, tempfile
    >>> study = riata.open_genotypes(riata.simulate_genotypes(tempfile.mkdtemp() + "/study", 60, 200))
    >>> y = [float(value) for value in study.samples["phenotype"]]
    >>> path = riata.fit_path(study, y, alphas=[0.1])
    >>> matched = riata.match_variants(path, study)
    >>> matched.n_found == matched.n_wanted, matched.absent
    (True, [])
    """

    def __init__(
        self,
        genotypes: Genotypes,
        wanted: Weights,
        found: Found,
        *,
        allow_missing: bool,
        ignore_positions: bool,
    ) -> None:
        self.genotypes, self.allow_missing, self.ignore_positions = genotypes, allow_missing, ignore_positions
        self.n_wanted, self.n_found = len(wanted), len(found.rows)

        def ids(mask: NDArray[np.bool_]) -> list[str]:
            return [wanted.label(int(k)) for k in found.rows[mask]]

        self.flipped, self.by_place = ids(found.flipped), ids(found.by_place)
        self.elsewhere, self.ambiguous = ids(found.elsewhere), ids(found.ambiguous)
        self.absent = [(wanted.label(k), why) for k, why in found.absent]
        self.notes = [note for note, _ in found.notes()]
        if found.absent:
            self.notes.append(absence_note(wanted, found))

    @property
    def shape(self) -> tuple[int, int]:
        """Number of samples and of variants."""
        return self.genotypes.shape

    def __len__(self) -> int:
        return len(self.genotypes)

    def _design(self) -> NoReturn:
        raise TypeError(
            "X has been matched to the variants of a model, for its predict method: give X.genotypes here"
        )

    def __repr__(self) -> str:
        told = ": " + "; ".join(self.notes) if self.notes else ""
        return f"<{self.n_found:,} of {self.n_wanted:,} variants found in {self.genotypes.path}{told}>"


def match_variants(
    model: Any, genotypes: Genotypes, *, allow_missing: bool = False, ignore_positions: bool = False
) -> MatchedGenotypes:
    """Find the variants of a fitted model in other genotypes, and report how they were found.

    `predict` does the same by itself, refuses what needs consent, and warns of what deserves a second look;
    use this function to give that consent, and to read the report.

    Parameters
    ----------
    model : RegularizationPath, CVPath or fitted estimator
        Fitted to genotypes.
    genotypes : Genotypes
        The genotypes of other samples.
    allow_missing : bool, default False
        Use the mean of the fit, for every sample, in place of variants that are absent or have other alleles.
    ignore_positions : bool, default False
        Take a variant by its id where it lies at another position: for files of another genome build.

    Returns
    -------
    MatchedGenotypes
        To be passed as X to `model.predict`.

    Raises
    ------
    TypeError
        When the model was not fitted to genotypes, or `genotypes` are not a `Genotypes`.
    ValueError
        When variants are absent, have other alleles, or lie elsewhere, without consent.

    Examples
    --------
    >>> import riata, tempfile
    >>> study = riata.open_genotypes(riata.simulate_genotypes(tempfile.mkdtemp() + "/study", 60, 200))
    >>> y = [float(value) for value in study.samples["phenotype"]]
    >>> path = riata.fit_path(study, y, alphas=[0.1])
    >>> cohort = study.subset(variants=range(100))  # some variants are not there
    >>> matched = riata.match_variants(path, cohort, allow_missing=True)
    >>> matched.n_found < matched.n_wanted
    True
    >>> path.predict(matched, 0.1).shape
    (60,)
    """
    from riata.genetics.genotypes import Genotypes
    from riata.genetics.variant_matching import find_variants

    if not isinstance(genotypes, Genotypes):
        raise TypeError(
            f"genotypes must be riata.Genotypes, got an object of type {type(genotypes).__name__}"
        )
    path = getattr(model, "path", model)
    variants = getattr(path, "variants", None) or getattr(path, "variants_", None)
    if variants is None:
        raise TypeError(f"model must be fitted to genotypes, got {type(model).__name__} without variants")
    if hasattr(path, "coefs"):
        used = _features_used(side_by_side(path.coefs))
    else:
        coef = path.coef_ if hasattr(path, "coef_") else path.coef  # of an estimator, of a ConstrainedFit
        used = np.flatnonzero(np.any(np.atleast_2d(coef) != 0.0, axis=0))
    features = used[used < variants.n_features].astype(np.int64)
    wanted = weights_of(variants, features, np.zeros(len(features)))
    found = find_variants(
        wanted, genotypes, ignore_positions=ignore_positions, fitted=variants, features=features
    )
    check_found(wanted, genotypes, found, _PYTHON_HINT, allow_missing=allow_missing)
    return MatchedGenotypes(
        genotypes, wanted, found, allow_missing=allow_missing, ignore_positions=ignore_positions
    )


_PYTHON_HINT = "; riata.match_variants(..., allow_missing=True) uses the mean of the fit instead"


def is_genotypes(X: Any) -> bool:
    """Whether X names alleles."""
    return isinstance(X, MatchedGenotypes) or hasattr(X, "effect_allele")


def n_samples_of(X: Any) -> int:
    """Number of rows of anything that may be X; 0 where a Dask array does not know."""
    if is_lazy(X) and np.isnan(X.shape[0]):
        return 0
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def warn_of_unknown_alleles(X: Any) -> None:
    """Warn that genotypes are taken as they are by a model that knows no alleles."""
    if isinstance(X, MatchedGenotypes):
        X._design()
    warnings.warn(
        f"{X.path}: the model holds no alleles and positions of variants (it was fitted to a plain table, or "
        "saved from Python by an earlier riata): genotypes are used column by column as they are counted, "
        "and missing calls are set to the mean of these samples; fit again to have variants matched",
        VariantWarning,
        stacklevel=4,
    )


@dataclass(frozen=True)
class LinkTo:
    """What `predict` makes of linear predictors, (m, L) or (m, K, L): of one alpha `alone` without the L."""

    kind: str
    loss: Loss
    classes: NDArray[Any] | None
    alone: bool

    def __call__(self, link: Float, shift: Float | None) -> NDArray[Any]:
        """The same at an offset, (m,) or (m, K)."""
        if shift is not None:
            link += shift[..., None]
        out: NDArray[Any] = link
        if self.kind == "response":
            out = self.loss.mean(link)
        elif self.kind == "class" and self.classes is not None:
            codes = link.argmax(axis=1) if link.ndim > 2 else (link > 0.0).astype(np.intp)
            out = self.classes[codes]
        return out[..., 0] if self.alone else out


def applied(
    fit: Any, X: Any, coefs: Any, intercepts: Float, n_threads: int, finish: LinkTo, shift: Float | None
) -> NDArray[Any]:
    """`apply_linear`, and what `finish` makes of it; of a Dask array lazily."""
    if not is_lazy(X):
        return finish(apply_linear(fit, X, coefs, intercepts, n_threads), shift)
    check_lazy_shape(X, fit.n_features)
    used = _features_used(side_by_side(coefs))
    few = [each.tocsr()[used].tocsc() for each in each_output(coefs)]
    values = getattr(fit, "fill", None)
    rows = OfRows(
        few if isinstance(coefs, list) else few[0],
        intercepts,
        None if values is None else values[used],
        finish,
    )
    found: NDArray[Any] = by_rows(X, used, rows, shift)
    return found


@dataclass(frozen=True)
class OfRows:
    """Predictions of rows of X that have the columns in use alone."""

    coefs: Any
    intercepts: Float
    fill: Float | None
    finish: LinkTo

    def __call__(self, X: Any, shift: Float | None = None) -> NDArray[Any]:
        """Of the rows of X, with their offset."""
        if X.shape[1] == 0:
            link = np.repeat(self.intercepts[None], len(X), axis=0)
        else:
            design = as_design(X) if self.fill is None else filled_design(X, self.fill)
            link = linear_predictor(design, self.coefs, self.intercepts, 1)
        return self.finish(link, shift)


def apply_linear(fit: Any, X: Any, coefs: Any, intercepts: Float, n_threads: int) -> Float:
    """Linear predictors of a fit with `variants`, `feature_names` and `n_features`: (m, L) or (m, K, L)."""
    if is_genotypes(X):
        if fit.variants is not None:
            wide = side_by_side(coefs)
            features = _features_used(wide)
            block = wide.tocsr()[features].toarray()
            link = predict_genotypes(fit.variants, X, features, block) + intercepts.ravel()
            return np.asarray(link.reshape(len(link), *intercepts.shape))
        warn_of_unknown_alleles(X)
    values = getattr(fit, "fill", None)
    design = as_design(X) if values is None else filled_design(X, values)
    check_same_features(design, fit.n_features, fit.feature_names)
    return linear_predictor(design, coefs, intercepts, n_threads)


def _features_used(wide: Any) -> Rows:
    """Rows of a sparse matrix of coefficients that are not all zero, increasing."""
    return np.unique(wide.indices[wide.data != 0.0]).astype(np.int64)


def predict_genotypes(
    variants: FittedVariants, X: Genotypes | MatchedGenotypes, features: Rows, block: Float
) -> Float:
    """Return the sums over `features` of a model, (k,), of `block`, (k, L), times copies in other genotypes.

    Raises
    ------
    ValueError
        When a feature is no variant, or a variant is absent, has other alleles or lies elsewhere and `X` does
        not say that this is allowed.

    Warns
    -----
    VariantWarning
        Of what deserves a second look, unless `X` comes from `match_variants`, whose report tells.
    """
    if len(features) and (variants.rows(features) < 0).any():
        raise ValueError(
            "X must hold the covariates of the fit too, and genotypes hold none: `riata predict --covar` "
            "scores with covariates"
        )
    matched = X if isinstance(X, MatchedGenotypes) else None
    geno: Genotypes = X.genotypes if isinstance(X, MatchedGenotypes) else X
    scores = score_genotypes(
        weights_of(variants, features, block),
        geno,
        allow_missing=matched is not None and matched.allow_missing,
        ignore_positions=matched is not None and matched.ignore_positions,
        fitted=variants,
        features=features,
        hint=_PYTHON_HINT,
        count_missing=False,
    )
    if scores.doubts and matched is None:
        warnings.warn(f"{geno.path}: {'; '.join(scores.doubts)}", VariantWarning, stacklevel=4)
    return scores.total
