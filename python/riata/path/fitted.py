"""What the results of `fit_path` and `cv_path` have in common."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from riata.path.cv_result import CVPath
    from riata.path.result import RegularizationPath


class FitResult(Protocol):
    """A `RegularizationPath` or a `CVPath`: a path of fits, and its cross-validation where there was one."""

    @property
    def path(self) -> RegularizationPath:
        """The path of fits to all samples."""

    @property
    def cv(self) -> CVPath | None:
        """The cross-validation of the path; None without one."""

    def save(self, path: str | os.PathLike[str], /) -> None:
        """Write it to a file."""
