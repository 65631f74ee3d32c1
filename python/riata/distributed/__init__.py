"""Data that the workers of a Dask cluster hold: the same fits, the same bits, the same certificate.

Each worker keeps a range of the columns of X in its memory and what a fit knows of them; the process that
calls `riata.fit_path` has the working set. Nothing here imports Dask before it is used:
``pip install "riata[dask]"``.
"""

from riata.distributed.arrays import from_array
from riata.distributed.called import from_sgkit
from riata.distributed.genotypes import open_genotypes

__all__ = ["from_array", "from_sgkit", "open_genotypes"]
