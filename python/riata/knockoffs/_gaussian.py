"""Knockoffs of tables whose rows are taken for draws of a Gaussian law."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.design import DesignView, as_design, check_same_features
from riata._input.validation import (
    check_choice,
    check_integer,
    check_progress,
    check_seed,
    check_threads,
    threads_for,
)
from riata._io.output_files import replace_file
from riata.knockoffs._banded_law import BandedLaw, learn_banded
from riata.knockoffs._gaussian_law import BlockLaw, learn
from riata.knockoffs._knockoffs import Knockoffs, labels_of

__all__ = ["Gaussian"]

MOST_FACTORS = 20


class Gaussian:
    """Draw knockoffs of a table whose rows are taken for independent draws of a Gaussian law.

    With z a row of standardised columns and Sigma their correlation matrix, the knockoffs are

        z - S Sigma⁻¹ z + ε,    ε ~ N(0, 2S - S Sigma⁻¹ S),    0 ≤ S ≤ 2 Sigma,

    put back on the mean and the scale of their columns (Candès, Fan, Janson & Lv 2018). S is diagonal, or of
    groups g of features, γ_g Sigma_gg, and minimises

        "mvr":      tr S⁻¹ + tr (2 Sigma - S)⁻¹,
        "entropy":  - log det S - log det (2 Sigma - S)

    one entry after the other (Spector & Janson 2022). The matrix Sigma is estimated in blocks and never
    formed as a whole.

    Parameters
    ----------
    structure : {"auto", "blocks", "factors", "banded"}, default="auto"
        What Sigma looks like. ``"blocks"``: pairs of features with r² ≥ 0.1, of n samples ≥ max(50 / n, 0.01)
        where that is less, join the blocks of the two in decreasing order of r², up to `block_size`; blocks
        count as independent, and in each Sigma is that of Ledoit & Wolf (2004). ``"factors"``: the leading
        singular vectors of X are taken away first, blocks are of what remains, and the knockoffs keep the
        factors of their samples. ``"auto"``: factors where blocks leave features of different blocks
        correlated, with a mean r² of more than 0.005 above chance. ``"banded"``, for columns in an order, as
        spectra and positions: each depends on the `bandwidth` columns before it alone (Bickel & Levina 2008);
        single features only.
    block_size : int, default=256
        Features in a block, at most. A group of features that change places together stays whole.
    n_factors : int or "auto", default="auto"
        How many factors, at most 20; by default where the ratio of successive eigenvalues of the correlation
        matrix is largest (Ahn & Horenstein 2013).
    bandwidth : int or "auto", default="auto"
        Of ``"banded"``: by default, up to 32, where Akaike's criterion of regressions on the columns before
        is least.
    method : {"mvr", "entropy"}, default="mvr"
        What S minimises. ``"mvr"`` leaves the least of each feature that the others and the knockoffs know.
    n_copies : int, default=1
        Knockoffs of each feature: 1.

    Attributes
    ----------
    info_ : dict
        What was learned: ``"structure"``; of blocks ``"n_blocks"``, ``"n_factors"``, and ``"left"``, the mean
        squared correlation of features in different blocks, less what independent ones would have, which the
        knockoffs do not follow; of bands ``"bandwidth"``.

    Notes
    -----
    The false discovery rate is controlled as far as the law is right (Barber, Candès & Samworth 2020); look
    at `Knockoffs.check`. More shrinkage than the data ask for makes knockoffs less like their features, which
    raises the number of selections and the share of false ones among them.

    Of n samples and p features, blocks take up to n p² / 2 multiplications of 16-bit integers, S about
    10 p `block_size`² and a draw 2 n p `block_size`; memory 8 p `block_size` bytes and those of the
    knockoffs, in single precision.

    References
    ----------
    Candès, Fan, Janson & Lv (2018), Panning for gold: model-X knockoffs for high dimensional controlled
    variable selection, J. R. Statist. Soc. B 80. Spector & Janson (2022), Powerful knockoffs via minimizing
    reconstructability, Annals of Statistics 50. Dai & Barber (2016), The knockoff filter for FDR control in
    group-sparse and multitask regression, ICML. Ledoit & Wolf (2004), A well-conditioned estimator for
    large-dimensional covariance matrices, J. Multivariate Analysis 88. Ahn & Horenstein (2013), Eigenvalue
    ratio test for the number of factors, Econometrica 81.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 20)) @ (np.eye(20) + np.eye(20, k=1))
    >>> made = riata.knockoffs.Gaussian().fit(X).draw(X, random_state=1)
    >>> bool(abs(np.corrcoef(made.X.T) - np.corrcoef(X.T)).max() < 0.25)
    True
    """

    def __init__(
        self,
        *,
        structure: str = "auto",
        block_size: int = 256,
        n_factors: int | str = "auto",
        bandwidth: int | str = "auto",
        method: str = "mvr",
        n_copies: int = 1,
    ) -> None:
        self.structure = check_choice("structure", structure, ("auto", "blocks", "factors", "banded"))
        self.block_size = check_integer("block_size", block_size, at_least=2)
        self.n_factors = n_factors
        if n_factors != "auto" and not 1 <= check_integer("n_factors", n_factors, at_least=1) <= MOST_FACTORS:
            raise ValueError(f"n_factors must be 'auto' or from 1 to {MOST_FACTORS}, got {n_factors}")
        self.bandwidth = bandwidth
        if bandwidth != "auto":
            check_integer("bandwidth", bandwidth, at_least=1)
        self.method = check_choice("method", method, ("mvr", "entropy"))
        if check_integer("n_copies", n_copies, at_least=1) != 1:
            raise ValueError(f"n_copies must be 1, got {n_copies}")
        self.n_copies = n_copies
        self._law: BlockLaw | BandedLaw | None = None
        self._grouped: tuple[bytes, BlockLaw] | None = None  # by the groups that it was learned for
        self._distances: tuple[bytes, Any] | None = None  # likewise

    def __repr__(self) -> str:
        learned = "" if self._law is None else f", {self._law}"
        return f"<riata.knockoffs.Gaussian: {self.method}{learned}>"

    def fit(
        self,
        X: Any,
        *,
        impute: str | None = None,
        n_threads: int | None = None,
        progress: Any = None,
    ) -> Gaussian:
        """Learn the law of the rows of X; the response is not looked at.

        Parameters
        ----------
        X : array, sparse matrix, DataFrame, Genotypes or Design of shape (n, p)
            The features, in any storage that `fit_path` takes.
        impute : {"mean"}, optional
            Take NaN in a dense X for missing values, and set them to the mean of their column.
        n_threads : int, optional
            The law is the same, to the bit, for any number.
        progress : bool or callable, optional
            True shows a bar; a function is called as ``progress(done, total, 0.0, 0, 0.0, 0.0)`` after each
            step.

        Returns
        -------
        Gaussian
            The sampler itself.
        """
        design = as_design(X, impute)
        threads = self._threads(n_threads, design)
        report = check_progress(progress)
        if self.structure == "banded":
            self._law = learn_banded(design, self.bandwidth, threads=threads)
        else:
            choices = (self.structure, self.block_size, self.n_factors)
            self._law = learn(design, *choices, threads=threads, progress=report)
        self._names = design.feature_names
        self._grouped = self._distances = None
        self.info_ = {"method": self.method, **self._law.info}
        return self

    def draw(
        self,
        X: Any,
        *,
        groups: Any = None,
        random_state: Any = 0,
        draw: int = 0,
        out: Any = None,
        impute: str | None = None,
        n_threads: int | None = None,
    ) -> Knockoffs:
        """Draw knockoffs of the features of X, by the law that was learned.

        Parameters
        ----------
        X : array, sparse matrix, DataFrame, Genotypes or Design of shape (n, p)
            The features that the law was learned of; the samples may be others.
        groups : array of int of shape (p,) or CorrelationGroups, optional
            Disjoint groups of features that change places together; by default every feature by itself.
            Where a group lies in several blocks, the law is learned anew from this X, with groups whole.
        random_state : int, RandomState or Generator, default=0
            The seed.
        draw : int, default=0
            Which of the independent draws of that seed.
        out : array of float32 of shape (n, p) in Fortran order, or path, optional
            Where to put them: an array or memory map of yours, or a ``.npy`` file, read where it is.
        impute : {"mean"}, optional
            Take NaN for missing values, which stand at the mean of their column; knockoffs are NaN as well.
        n_threads : int, optional
            Knockoffs are the same, to the bit, for any number.

        Returns
        -------
        Knockoffs
            Columns in single precision. A column that does not vary is its own knockoff.

        Raises
        ------
        TypeError, ValueError
            For bad input, naming the argument, the value and what is allowed.
        RuntimeError
            Before `fit`.
        """
        if self._law is None:
            raise RuntimeError("Gaussian.fit(X) must be called before draw")
        design = as_design(X, impute)
        check_same_features(design, len(self._law.columns.mean), self._names)
        seed, number = check_seed(random_state), check_integer("draw", draw, at_least=0)
        if number >= 2**32:
            raise ValueError(f"draw must be below 2**32, got {number}")
        labels = labels_of(groups, design.n_features)
        threads = self._threads(n_threads, design)
        to = _check_out(out, (design.n_samples, design.n_features))
        law, distances = self._law_of(design, labels, threads)

        def fill(table: NDArray[np.float32]) -> None:
            law.draw(design, distances, (seed % 2**64, number), table, threads)
            if design.gaps is not None:
                table[design.gaps.rows, design.gaps.columns] = np.nan

        if isinstance(to, str):
            replace_file(to, lambda aside: _fill_file(aside, (design.n_samples, design.n_features), fill))
            table = np.load(to, mmap_mode="r")
        else:
            table = to
            fill(table)
        return Knockoffs(
            table,
            groups=groups,
            sampler=f"Gaussian ({self.method}, {law})",
            seed=seed,
            draw=number,
            info={"method": self.method, **law.info},
            fixed=law.columns.scale == 0.0,
        )

    def _threads(self, n_threads: int | None, design: DesignView) -> int:
        work = float(design.n_samples) * design.n_features * min(self.block_size, design.n_features)
        return threads_for(check_threads(n_threads), work)

    def _law_of(self, design: DesignView, labels: NDArray[np.int64] | None, threads: int) -> tuple[Any, Any]:
        """Return a law whose blocks hold groups whole, and S."""
        law = self._law
        assert law is not None
        key = b"" if labels is None else labels.tobytes()
        if labels is not None and not law.holds(labels):
            if self._grouped is None or self._grouped[0] != key:
                structure, factors = law.info["structure"], law.info["n_factors"] or self.n_factors
                whole = learn(design, structure, self.block_size, factors, threads=threads, together=labels)
                self._grouped = (key, whole)
            law = self._grouped[1]
        if self._distances is None or self._distances[0] != key:
            self._distances = (key, law.distances(labels, self.method, threads))
        return law, self._distances[1]


def _check_out(out: Any, shape: tuple[int, int]) -> Any:
    """Return an array to be filled, or the path of a file."""
    if out is None:
        return np.empty(shape, dtype=np.float32, order="F")
    if isinstance(out, str | os.PathLike):
        name = os.fspath(out)
        if not str(name).endswith(".npy"):
            raise ValueError(f"out must end in .npy, got {name!r}")
        return str(name)
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be an array or a path, got {type(out).__name__}")
    if out.shape != shape or out.dtype != np.float32 or not out.flags.f_contiguous or not out.flags.writeable:
        raise ValueError(
            f"out must be a writable float32 array of shape {shape} in Fortran order, "
            f"got {out.dtype} of shape {out.shape}"
        )
    return out


def _fill_file(path: Any, shape: tuple[int, int], fill: Any) -> None:
    table = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape, fortran_order=True)
    fill(table)
    table.flush()
