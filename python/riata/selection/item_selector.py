"""What selectors of items share: the problem read as estimators read it, and the features that stay."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted, column_or_1d

from riata._input.validation import check_offset
from riata.estimators._selector import SparseSelector
from riata.path.fit_warnings import warn_if_constant
from riata.path.given import Given, Problem

#: Parameters that go to the fits.
OF_FITS = (
    "loss", "penalty", "l1_ratio", "standardize", "penalty_factor", "lower", "upper", "exclude", "tol",
    "impute", "memory", "n_threads",
)  # fmt: skip


class ItemSelector(SparseSelector):
    """A selector whose `result_` knows the item of each feature, and the items selected."""

    _fitted = "result_"

    result_: Any
    impute: str | None

    def _of_fits(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in OF_FITS}

    def _read(
        self,
        asked: Given,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        offset: ArrayLike | None,
        blocks: ArrayLike | None,
    ) -> Problem:
        """Read and check the data; what `fit` calls calls this, as far as warnings count frames."""
        design, values, weights = self._check_fit_input(X, y, sample_weight, offset=offset, blocks=blocks)
        if self.impute is not None:
            design = asked.view(X)
        if not asked.loss.several_outputs and not asked.loss.has_times:
            values = column_or_1d(values, warn=True)
        target, labels = asked.loss.check_target(values, design.n_samples, weights)
        shift = check_offset(offset, design.n_samples, target.shape[1:])
        warn_if_constant(target, weights, shift, asked.options, stacklevel=5)
        return Problem(design, target, labels, weights, shift, asked.features(design))

    def _keep(self, found: Any) -> None:
        self.result_ = found
        del self._genotypes
        if found.variants is not None:
            self.variants_ = found.variants

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.impute is not None
        return tags

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self, self._fitted)
        return np.isin(self.result_.of_feature, self.result_.selected)
