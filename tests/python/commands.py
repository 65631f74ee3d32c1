"""Running commands of the shell in this process, and reading the tables they write."""

from pathlib import Path

import numpy as np

from riata.cli.parser import main


def run(*arguments):
    """Run ``riata`` with arguments of any kind; return its exit status."""
    return main([str(argument) for argument in arguments])


def read_tsv(path, skip=None):
    """Return the columns of a table, as lists of text; lines that begin with `skip` are left out."""
    lines = Path(path).read_text().splitlines()
    rows = [line.split("\t") for line in lines if skip is None or not line.startswith(skip)]
    return {name: [row[k] for row in rows[1:]] for k, name in enumerate(rows[0])}


def read_arrays(path, skip="#"):
    """Return the columns of a table as arrays of text, without comments."""
    return {name: np.array(column) for name, column in read_tsv(path, skip).items()}
