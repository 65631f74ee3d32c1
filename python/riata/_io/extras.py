"""Packages that are not installed with riata, and the extra of its own that brings each."""

from __future__ import annotations

#: The extra of riata that brings a package, by the name under which it is installed.
EXTRAS = {
    "Matplotlib": "plot",
    "pyarrow": "parquet",
    "h5py": "anndata",
    "dask": "dask",
    "zarr": "zarr",
    "Pgenlib": "genotypes",
    "bgen": "genotypes",
    "zstandard": "genotypes",
}


def needs(what: str, package: str) -> ImportError:
    """Return the error for what cannot be done without a package that is not installed."""
    wanted = f'"riata[{EXTRAS[package]}]"' if package in EXTRAS else package
    return ImportError(f"{what} needs {package}: pip install {wanted}")
