"""``riata config``: the options of a run, out of its manifest, as a TOML file that ``--config`` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from riata._io import streams
from riata._io.staging import MANIFEST
from riata.cli.arguments.config_file import config_lines
from riata.cli.options import ConfigOptions
from riata.cli.parser import VERBS, parser_of


def run_config(options: ConfigOptions) -> int:
    """Show the options of a run."""
    file = options.run if options.run.endswith(f".{MANIFEST}") else f"{options.run}.{MANIFEST}"
    record = read_manifest(file)
    asked = record["options"]
    verb = asked["verb"]
    head = f"# The options of {file}, written by riata {record['riata']} on {record['date']}."
    streams.show(
        "\n".join(
            [head, f"# To repeat the run: riata {verb} --config FILE", *config_lines(parser_of(verb), asked)]
        )
    )
    return 0


def read_manifest(file: str) -> dict[str, Any]:
    """Read the record of a run.

    Raises
    ------
    OSError
        When there is no such file.
    ValueError
        When it is not the record of a run, or of one that a file of options repeats.
    """
    if not Path(file).is_file():
        raise FileNotFoundError(f"{file}: no such file: give the PREFIX of a run, or its PREFIX.{MANIFEST}")
    try:
        record: dict[str, Any] = json.loads(Path(file).read_text(encoding="utf-8"))
        known = record["options"]["verb"] in VERBS and {"riata", "date"} <= record.keys()
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise ValueError(f"{file}: not the record of a run of riata, which tells its options")
    return record
