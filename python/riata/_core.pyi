from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__version__: str

class Design:
    """A design matrix seen through its coarse operations. Keeps the arrays it views alive, never writes."""

    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def kind(self) -> str: ...
    @property
    def nbytes(self) -> float: ...
    @property
    def subset_pays(self) -> bool:
        """Whether fits to few of the rows take less time apart; see fit_paths."""
    @property
    def hosted(self) -> bool:
        """Whether other processes hold some of it."""
    def moments(
        self, weights: NDArray[np.float64], n_threads: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def correlate(
        self, R: NDArray[np.float64], columns: NDArray[np.int64] | None = None, n_threads: int = 1
    ) -> NDArray[np.float64]: ...
    def multiply(
        self, columns: NDArray[np.int64], B: NDArray[np.float64], n_threads: int = 1
    ) -> NDArray[np.float64]: ...
    def gather(self, columns: NDArray[np.int64], n_threads: int = 1) -> NDArray[np.float64]: ...

class MappedFile:
    """A whole file as read-only bytes; it stays what it was when another takes its name."""

    def __init__(self, path: str) -> None: ...
    @property
    def bytes(self) -> NDArray[np.uint8]:
        """All of it, (size,), not to be written to."""
    @property
    def identity(self) -> tuple[int, int, int, int]:
        """(device, inode, bytes, nanoseconds of the last change) of the file now, whatever has its name."""
    def check(self) -> None:
        """Raise OSError when it has another size than it had, or when some of it could not be read."""

class PlinkDesign(Design):
    def counts(self, n_threads: int = 1) -> NDArray[np.uint32]:
        """(variants, 4): included samples with 0, 1, 2 copies of the counted allele, and missing."""
    def identical(self, n_threads: int = 1) -> NDArray[np.int64]:
        """(variants,): the first variant with the same genotypes in the included samples, else -1."""
    def multiply_tables(
        self, tables: NDArray[np.float64], B: NDArray[np.float64], n_threads: int = 1
    ) -> NDArray[np.float64]:
        """(samples, k): sums over all variants of B times what each code stands for (rows of tables)."""
    def imputed(self) -> NDArray[np.float64]: ...

def dense_design(X: NDArray[Any]) -> Design:
    """float64, float32 or int8, 2-D, any strides that are whole multiples of the item size."""

def csc_design(indptr: NDArray[Any], indices: NDArray[Any], data: NDArray[Any], n_rows: int) -> Design:
    """indptr and indices both int32 or both int64; data float64 or float32."""

def plink_design(
    sources: Sequence[str | MappedFile | NDArray[np.uint8]],
    n_samples: int,
    n_variants: Sequence[int],
    count_a1: bool,
    include: NDArray[np.uint8] | None,
    columns: NDArray[np.int64] | None,
    n_threads: int,
) -> PlinkDesign:
    """sources: .bed files, by name or open, or arrays (variants, ceil(n_samples / 4)) of 2-bit codes."""

class StopFlag:
    """Ends an answer of a ColumnServer, from another thread."""

    def set(self) -> None: ...
    @property
    def is_set(self) -> bool: ...

class ColumnServer:
    """Columns of a larger X in this process, for fits in another one."""

    def __init__(self, X: Design, first: int, n_threads: int = 1) -> None: ...
    def answer(self, method: str, common: bytes, own: bytes, stop: StopFlag | None = None) -> bytes | None:
        """What the call of a host is answered with; None where `stop` ended it. One call at a time."""

def hosted_design(host: Any, parts: int) -> Design:
    """The columns that other processes hold.

    host.call(method, common, parts, own) carries bytes to the ColumnServer of each of `parts` and returns
    pairs (part, answer), in any order.
    """

def python_design(source: Any, rows: int, cols: int, fingerprint: int) -> Design:
    """An object with the methods moments, correlate, multiply and gather of riata.Design."""

def hardy_weinberg(counts: NDArray[np.uint32], n_threads: int = 1) -> NDArray[np.float64]:
    """p values of the exact test, (variants,), from counts as PlinkDesign.counts() gives them."""

def read_text_columns(
    source: str | bytes,
    fields: Sequence[tuple[int, str, str]],
    *,
    name: str,
    n_fields: int = 0,
    field_names: str = "",
    skipped_lines: int = 0,
) -> list[Any]:
    """Columns of a text table with fields between blanks, from a path or from bytes.

    Fields are (place in the line, kind, what messages call it). Each comes back as an array of numbers
    ("integer", "real"), as (bytes, offsets) ("text"), or as (codes, bytes, offsets) with the distinct texts
    ("code"). n_fields: exactly as many a line; 0: at least those that are read. Bad lines are a ValueError
    that names `name` and the line.
    """

def take_texts(
    bytes: NDArray[np.uint8], offsets: NDArray[np.uint32], positions: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """(bytes, offsets) of the texts at positions."""

def match_texts(
    bytes: NDArray[np.uint8],
    offsets: NDArray[np.uint32],
    wanted_bytes: NDArray[np.uint8],
    wanted_offsets: NDArray[np.uint32],
) -> NDArray[np.int32]:
    """For each text the first of the wanted ones that equals it, or -1."""

def repeated_texts(bytes: NDArray[np.uint8], offsets: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Whether an earlier text equals each."""

def hstack_design(parts: list[Design]) -> Design:
    """Designs of equal row counts as one: their columns side by side, in the order given."""

def paired_design(left: Design, right: Design, first: NDArray[np.uint8]) -> Design:
    """Two designs of one shape as one: columns 2j, 2j + 1 are those j of left and right, or turned."""

def leave_one_out_design(
    design: Design,
    y: NDArray[np.float64],  # (n,)
    weights: NDArray[np.float64],  # (n,)
    offset: NDArray[np.float64] | None,  # (n,)
    loss: str,
    survival: Survival | None,
    intercept: bool,
    steps: int,
    n_threads: int = 1,
) -> tuple[Design, NDArray[np.float64], NDArray[np.float64]]:
    """Leave-one-out predictions of a model of each column alone as columns; intercepts and slopes, (p,)."""

def fit_paths(
    design: Design,
    y: NDArray[np.float64],  # (n,) shared by all problems
    weights: NDArray[np.float64],  # (n, F): one column per problem; zero leaves a row out
    offset: NDArray[np.float64] | None,  # (n,)
    penalty_factor: NDArray[np.float64] | None,  # (p,)
    lower: NDArray[np.float64] | None,  # (p,)
    upper: NDArray[np.float64] | None,  # (p,)
    *,
    group: NDArray[np.int64]
    | None = None,  # of "group": (p,), numbers of group_weights; of each member, (m,)
    group_weights: NDArray[np.float64] | None = None,
    column: NDArray[np.int64] | None = None,  # of "group" where groups overlap: (m,), columns of the members
    sorted_weights: NDArray[np.float64] | None = None,  # of "slope": (p,)
    survival: Survival | list[Survival] | None = None,  # for loss "cox", where y are times
    leaders: list[int] | None = None,  # (F,): the problem whose grid each follows, itself for one that leads
    responses: list[int] | None = None,  # (F,): with leaders, the column of y and offset that is each one's
    label: NDArray[np.int64] | None = None,  # (p,): groups that max_groups counts; -1: counts for none
    progress: Callable[[int, int, float, int, float, float], bool | None] | None = None,
    held_out: Callable[[int, float, list[NDArray[np.float64]]], tuple[float, float] | None] | None = None,
    apart: bool = False,  # each problem on rows of its own, a thread each: all must lead; memory is divided
    **options: Any,
) -> list[dict[str, Any]]:
    """Fit F paths that share every pass over X; releases the GIL, Ctrl-C raises KeyboardInterrupt.

    The options are those of PathOptions::describe, with its defaults: loss (str; huber_delta of
    "huber"), penalty ("elastic_net", "group", "mcp", "scad", "slope"; row_grouped, l1_within_ratio,
    gamma), solver, fit_intercept, standardize, l1_ratio, alphas (decreasing, or None), n_alphas,
    eps (0: chosen from the shape), stop_early, max_active, max_groups (-1: unbounded), patience (0: none),
    tell_every_row (to held_out), alphas_per_pass (at most), memory (bytes held beside X; 0: unbounded),
    tol, max_iter, n_threads, keep_linear_predictor, checkpoint (file that
    keeps the state; empty: none), checkpoint_seconds (between two writes; 0: after every alpha),
    keep_checkpoint (at the end of the path too).

    Without leaders all problems share y and follow the first. With them, y of one dimension or that of a
    loss of several outputs is shared as well, with offset and survival; else y and offset are (n, R) and
    survival is a list of R, one for each problem that leads, in order, or as `responses` say.

    progress(done, total, alpha, n_active, gap, passes) returning False stops and keeps the path so far.
    Before it, held_out(leader, alpha, predictors) gets the column of linear_predictor of each problem of that
    leader, or with tell_every_row what it predicts of all rows, and returns a mean cost of held-out rows and
    its standard error, for patience, or None.

    Each dict holds: alphas (L,), coef_indptr (L+1,), coef_indices, coef_values (CSC parts of p x L, on the
    original scale), part_indptr, part_indices, part_values (of m x L where groups overlap, else empty),
    intercepts (L,), primal, dual, dual_gaps (relative), deviance_ratio, converged (bool),
    locally_convex (bool, of mcp and scad, else empty),
    n_active, n_iter (all (L,)), n_groups (of label, else empty), solver (list of str), alpha_max,
    null_objective, saturated_objective, mean, scale (both (p,)), stopped ("", "progress", "deviance",
    "max_active", "max_groups", "patience" or "memory"), linear_predictor ((rows of weight zero) x L, or
    None), counters (dict: columns_streamed, passes, products, columns_gathered, inserted, rounds, violators,
    newton_steps, factor_updates, cd_updates, prox_steps, memory, seconds_stream, seconds_inner,
    seconds_total; shared by all problems).

    For losses "multigaussian" and "multinomial" y and offset are n x K. The dicts say n_outputs K; the CSC
    parts are then of p K x L, with row j K + k for feature j of output k, intercepts are L x K,
    linear_predictor is (rows of weight zero) x K x L, and held_out gets matrices with K columns.
    """

def gather_samples(packed: NDArray[np.uint8], samples: NDArray[np.int64]) -> NDArray[np.uint32]:
    """(batches of 16, variants): words of the 2-bit codes of some samples of packed variants."""

def scatter_samples(
    words: NDArray[np.uint32],
    samples: NDArray[np.int64],
    columns: NDArray[np.int64],
    packed: NDArray[np.uint8],
    n_threads: int = 1,
) -> None:
    """Set the codes of some samples in some rows of packed variants."""

_Chain = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

def start_haplotypes(words: NDArray[np.uint32], n_samples: int, n_clusters: int, seed: int) -> _Chain:
    """Where EM starts: b (variants,), alpha and theta (variants, clusters)."""

def step_haplotypes(
    words: NDArray[np.uint32],
    n_samples: int,
    stay: NDArray[np.float64],
    landing: NDArray[np.float64],
    allele: NDArray[np.float64],
    n_threads: int = 1,
    phased: bool = False,
) -> tuple[_Chain, float]:
    """One step of EM, and the log-likelihood before it; when `phased`, samples are haplotypes."""

def knock_off_haplotypes(
    words: NDArray[np.uint32],
    n_samples: int,
    stay: NDArray[np.float64],
    landing: NDArray[np.float64],
    allele: NDArray[np.float64],
    ends: NDArray[np.int64],
    fixed: NDArray[np.uint8],
    key: int,
    first_batch: int = 0,
    n_threads: int = 1,
    phased: bool = False,
) -> NDArray[np.uint32]:
    """Words of knockoffs; `ends` are those of groups, fixed variants are copied."""

def haplotype_law(
    stay: NDArray[np.float64],
    landing: NDArray[np.float64],
    allele: NDArray[np.float64],
    ends: NDArray[np.int64],
    path: NDArray[np.int64],
    knockoff: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(variants, clusters): the law of each cluster of a knockoff given what is drawn before it."""

class RareSharing:
    """Stretches of the genome in which pairs of samples share rare alleles."""

    def __init__(self, n_samples: int) -> None: ...
    def add(self, words: NDArray[np.uint32], n_samples: int) -> None: ...
    def pairs(self, share: float, margin: float, least: int) -> NDArray[np.int64]:
        """(pairs, 4): two samples, stretches they share, stretches in which one has rare alleles."""

def knockoff_blocks(
    design: Design,
    rows: NDArray[np.int64],  # of X, for each sample
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],  # 0: the column does not vary
    scores: NDArray[np.float64],  # (n, k), of factors
    loadings: NDArray[np.float64],  # (p, k)
    least: float,
    max_size: int,
    together: NDArray[np.int64],  # (p,), or empty
    most_pairs: int = 20_000_000,
    n_threads: int = 1,
) -> tuple[NDArray[np.int64], float]:
    """The block of each column, -1 of those that do not vary, and the mean r2 left between blocks.

    Of standardised columns (x - mean) / scale - scores loadings', as the next two have them.
    """

def knockoff_correlations(
    design: Design,
    rows: NDArray[np.int64],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    scores: NDArray[np.float64],
    loadings: NDArray[np.float64],
    order: NDArray[np.int64],
    first: NDArray[np.int64],  # of each block in order, and behind the last
    n_threads: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shrunk correlation matrices of blocks, one after the other, and how far each was shrunk."""

def knockoff_distances(
    first: NDArray[np.int64],
    sigma: NDArray[np.float64],
    group: NDArray[np.int64],  # of each of order, numbered within its block
    method: str,  # "mvr" or "entropy"
    tol: float = 1e-3,
    max_sweeps: int = 30,
    n_threads: int = 1,
) -> NDArray[np.float64]:
    """The gamma of each of order: S_g = gamma_g Sigma_gg."""

def draw_gaussian(
    design: Design,
    rows: NDArray[np.int64],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    scores: NDArray[np.float64],
    loadings: NDArray[np.float64],
    order: NDArray[np.int64],
    first: NDArray[np.int64],
    sigma: NDArray[np.float64],
    group: NDArray[np.int64],
    gamma: NDArray[np.float64],
    seed: int,
    draw: int,
    out: NDArray[np.float32],  # (n, p), in Fortran order
    n_threads: int = 1,
) -> None: ...
def knockoff_band(
    design: Design,
    rows: NDArray[np.int64],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    scores: NDArray[np.float64],
    loadings: NDArray[np.float64],
    order: NDArray[np.int64],
    reach: int,
    n_threads: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights of the columns before each of order, (reach, p), the nearest first, and the variance left."""

def banded_distances(
    before: NDArray[np.float64],  # (reach, p)
    rest: NDArray[np.float64],
    method: str,
    tol: float = 1e-3,
    max_sweeps: int = 30,
    n_threads: int = 1,
) -> NDArray[np.float64]:
    """S of columns that depend on those before them."""

def draw_banded(
    design: Design,
    rows: NDArray[np.int64],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    scores: NDArray[np.float64],
    loadings: NDArray[np.float64],
    order: NDArray[np.int64],
    before: NDArray[np.float64],
    rest: NDArray[np.float64],
    distances: NDArray[np.float64],
    seed: int,
    draw: int,
    out: NDArray[np.float32],
    n_threads: int = 1,
) -> None: ...
def neighbour_groups(
    design: Design,
    columns: NDArray[np.int64],
    reach: NDArray[np.int64],
    rows: NDArray[np.float64],
    r2: Sequence[float],
    max_size: int,
    n_threads: int = 1,
) -> list[NDArray[np.int64]]:
    """For each r2, decreasing, the group of each of columns: consecutive ones, by average linkage.

    reach: how many of columns that follow each are correlated with it at all; rows: 1 for those that count.
    """

def correlated_groups(
    design: Design,
    rows: NDArray[np.float64],
    r2: Sequence[float],
    max_size: int,
    most_pairs: int,
    n_threads: int = 1,
) -> list[NDArray[np.int64]]:
    """For each r2, decreasing, the group of each column: by single linkage with a bound on the size."""

def checkpoint_progress(path: str) -> tuple[int, int]:
    """Alphas done, and all of them, of the fit whose state the file holds."""

class Survival:
    """What belongs to survival times: events 0 or 1, when samples enter, stratum codes, how ties count."""

    def __init__(
        self,
        event: NDArray[np.float64],
        start: NDArray[np.float64] | None,
        stratum: NDArray[np.float64] | None,
        efron: bool,
    ) -> None: ...

def cox_objective(
    time: NDArray[np.float64], survival: Survival, weights: NDArray[np.float64], eta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Minus the log partial likelihood over the sum of weights, of each column of eta (n x L)."""

def cox_saturated(time: NDArray[np.float64], survival: Survival, weights: NDArray[np.float64]) -> float: ...
def cox_log_hazards(
    time: NDArray[np.float64], survival: Survival, weights: NDArray[np.float64], eta: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(stratum, time, log of the jump of the hazard accumulated at eta 0) of each event time; eta (n,)."""

def concordance(
    time: NDArray[np.float64], survival: Survival, weights: NDArray[np.float64], eta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Harrell's c of each column of eta (n x L); NaN when no two samples can be compared."""

def set_isa(name: str) -> None:
    """Choose the instruction set of the kernels: "baseline", "avx2", "avx512", "avx512vnni" or "auto"."""

def isa() -> str: ...
