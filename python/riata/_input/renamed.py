"""Names of earlier versions, which are understood for one version, with a warning."""

from __future__ import annotations

import warnings
from typing import Any


def warn_renamed(old: str, new: str, stacklevel: int = 3) -> None:
    """Warn that something has another name now."""
    warnings.warn(
        f"{old} is now called {new}; the old name is understood for one version",
        FutureWarning,
        stacklevel=stacklevel,
    )


def old_name(old: str, new: str) -> property:
    """Return a property that is another attribute by the name that it had."""

    def get(self: Any) -> Any:
        warn_renamed(f"{type(self).__name__}.{old}", new)
        return getattr(self, new)

    return property(get, doc=f"The earlier name of `{new}`.")
