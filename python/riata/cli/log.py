"""What a run tells: lines for the terminal, kept for its ``.log``."""

from __future__ import annotations

from riata._io import streams


class Log:
    """Lines for the terminal that are also kept for the ``.log`` file."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.lines: list[str] = []

    def say(self, *lines: str) -> None:
        """Print lines unless quiet, and keep them."""
        self.lines.extend(lines)
        if not self.quiet:
            self.quiet = not streams.say(*lines)

    def note(self, line: str) -> None:
        """Print a line about work under way to standard error unless quiet, and keep it."""
        self.lines.append(line)
        if not self.quiet:
            streams.tell(line)
