"""Matplotlib figures of paths and cross-validation curves; Matplotlib is imported when one is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.extras import needs
from riata.losses._known import GREATER_IS_BETTER, SCORE_NAMES
from riata.path.coefs import each_output
from riata.path.group_parts import main_groups
from riata.path.many_classes import strongest
from riata.report.charts import cut, on_log_axis, spread

#: Okabe and Ito's colours that can be told apart with any kind of colour vision, on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#6a3d9a", "#333333")
_GREY = "#b9c0c7"
_SOFT = "#59636e"
MAX_NAME = 24  # characters of a name beside a curve
X_AXES = ("alpha", "l1_norm", "deviance_ratio")


def plot_path(path: Any, ax: Any = None, *, xaxis: str = "alpha", labels: int = 5, output: Any = None) -> Any:
    """Draw every coefficient along a regularisation path.

    Coefficients are multiplied by their feature's scale, so that each curve is the effect of one standard
    deviation when the fit was standardised. The strongest features are coloured, of a group lasso all those
    of the strongest groups, one colour a group; the others are grey. The axis on top counts the active ones.

    Of several outputs, features that enter all of them together are drawn by the norm of their coefficients,
    and others in one panel an output, where a feature has the same colour in all.

    Parameters
    ----------
    path : Path or CVPath
        For a CVPath, `alpha_min` and `alpha_1se` are marked.
    ax : matplotlib Axes, or as many as there are panels, optional
        Where to draw; default a new figure.
    xaxis : {"alpha", "l1_norm", "deviance_ratio"}, default "alpha"
        ``"alpha"`` is logarithmic and decreases to the right.
    labels : int, default 5
        Number of features to name at the end of their curves, those that get farthest from zero in each
        panel; by their numbers where they have no names.
    output : class label or response, optional
        Draw the coefficients of this output alone.

    Returns
    -------
    matplotlib Axes, or ndarray of them for several panels
        What was drawn on.

    Raises
    ------
    ValueError
        When `xaxis` or `output` is unknown, `labels` is negative, or there are not as many axes as panels.
    ImportError
        When Matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib, numpy as np, riata
    >>> matplotlib.use("agg")
    >>> X = np.random.default_rng(0).standard_normal((50, 20))
    >>> path = riata.fit_path(X, 3 * X[:, 0] - 2 * X[:, 7])
    >>> riata.plotting.plot_path(path, labels=2).get_xscale()
    'log'
    """
    if xaxis not in X_AXES:
        raise ValueError(f"xaxis must be one of {', '.join(X_AXES)}, got {xaxis!r}")
    if labels < 0:
        raise ValueError(f"labels must be >= 0, got {labels}")
    cv, path = path.cv, path.path
    panels = _panels(path, output)
    axes = _axes_for(panels, ax)
    features, curves = active_curves(path)
    order = np.argsort(-np.abs(curves).max(axis=(0, 2), initial=0.0), kind="stable")
    features, curves = features[order], curves[:, order]
    colours = _colours(path, features)
    for one, (title, chosen) in zip(axes, panels, strict=True):
        shown = np.linalg.norm(curves, axis=0) if chosen is None else curves[chosen]
        if xaxis == "alpha":
            x = on_log_axis(path.alphas)
        elif xaxis == "l1_norm":
            x = np.abs(shown).sum(axis=0)
        else:
            x = path.deviance_ratio
        _draw_curves(one, x, shown, colours)
        what = "coefficient" if chosen is not None else "norm of a feature's coefficients"
        one.set_ylabel(what + (", per standard deviation" if path.standardize else ""))
        if title:
            one.set_title(title, loc="left", fontsize=10, color=_SOFT)
        _x_axis(one, path, x, xaxis, narrow=len(panels) > 1)
        if cv is not None and xaxis == "alpha":
            _mark_alphas(one, cv)
        _name_curves(one, path, features, shown, x, labels, colours)
    return axes[0] if len(panels) == 1 else np.array(axes)


def _panels(path: Any, output: Any) -> list[tuple[str, int | None]]:
    """What to draw: titles, and numbers of outputs, None for the norm over all of them."""
    known = path.outputs
    if output is not None:
        labels = [] if known is None else known.tolist()
        if output not in labels:
            raise ValueError(f"output must be one of {labels}, got {output!r}")
        return [(f"{output}", labels.index(output))]
    if known is None:
        return [("", 0)]
    return [("", None)] if path.row_grouped else [(f"{label}", k) for k, label in enumerate(known)]


def _axes_for(panels: list[tuple[str, int | None]], ax: Any) -> list[Any]:
    """As many axes as there are panels: those given, or new ones side by side."""
    if len(panels) == 1:
        return [_axes(ax)]
    if ax is None:
        columns = min(len(panels), 3)
        rows = -(-len(panels) // columns)
        size = (5.2 * columns, 3.8 * rows)
        _, grid = _pyplot().subplots(
            rows, columns, figsize=size, layout="constrained", sharey=True, squeeze=False
        )
        for spare in grid.ravel()[len(panels) :]:
            spare.remove()
        ax = grid.ravel()[: len(panels)]
    given = list(np.ravel(ax))
    if len(given) != len(panels):
        raise ValueError(f"ax must hold {len(panels)} axes, one an output, got {len(given)}")
    return [_axes(one) for one in given]


def _colours(path: Any, features: NDArray[np.int64]) -> list[str | None]:
    """The colour of each feature, strongest first, one for all of a group; None beyond the strongest."""
    units = features if path.groups is None else main_groups(path, features)
    place: dict[int, int] = {}
    ranks = [place.setdefault(int(unit), len(place)) for unit in units]
    return [COLOURS[rank] if rank < len(COLOURS) else None for rank in ranks]


def _draw_curves(
    ax: Any, x: NDArray[np.float64], curves: NDArray[np.float64], colours: list[str | None]
) -> None:
    for rank in range(len(curves) - 1, -1, -1):
        y = curves[rank]
        if not y.any():
            continue
        first = max(int(np.argmax(y != 0.0)) - 1, 0)
        colour = colours[rank]
        ax.plot(
            x[first:], y[first:], color=colour or _GREY, lw=1.6 if colour else 0.7,
            zorder=3 if colour else 2, solid_joinstyle="round",
        )  # fmt: skip
    ax.axhline(0.0, color=_SOFT, lw=0.8, zorder=1)


def plot_cv(cv: Any, ax: Any = None) -> Any:
    """Draw a cross-validation curve: the mean score over folds with one standard error on each side.

    Parameters
    ----------
    cv : CVPath
        What `cv_path` returned.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        What was drawn on.

    Examples
    --------
    >>> import matplotlib, numpy as np, riata
    >>> matplotlib.use("agg")
    >>> rng = np.random.default_rng(3)
    >>> X = rng.standard_normal((60, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.5 * rng.standard_normal(60)
    >>> riata.plotting.plot_cv(riata.cv_path(X, y, cv=5)).get_ylabel()
    'mean squared error, held-out samples'
    """
    ax = _axes(ax)
    x = on_log_axis(cv.path.alphas)
    ax.fill_between(
        x, cv.mean_score - cv.se_score, cv.mean_score + cv.se_score, color=COLOURS[0], alpha=0.16, lw=0
    )
    ax.plot(x, cv.mean_score, color=COLOURS[0], lw=1.8)
    k = int(np.argmin(np.abs(cv.path.alphas - cv.alpha_min)))
    ax.plot(x[k], cv.mean_score[k], "o", ms=7, mfc="white", mec=COLOURS[0], mew=1.8, zorder=4)
    ax.set_ylabel(score_label(cv.scoring))
    _x_axis(ax, cv.path, x, "alpha")
    _mark_alphas(ax, cv)
    return ax


def score_label(scoring: str) -> str:
    """Name a cross-validation score for an axis."""
    higher = scoring in GREATER_IS_BETTER
    return SCORE_NAMES.get(scoring, scoring) + (", higher is better" if higher else ", held-out samples")


def active_curves(path: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the features that are ever active, (k,), and their coefficients times scale, (K, k, L)."""
    coefs = [one.tocsr() for one in each_output(path.coefs)]
    features = np.flatnonzero(sum(np.diff(one.indptr) for one in coefs)).astype(np.int64)
    curves = np.stack([one[features].toarray() for one in coefs])
    curves *= np.asarray(path.scale)[features, None]
    moves = np.any(curves != 0.0, axis=(0, 2))
    return features[moves], curves[:, moves]


def main_curves(path: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return what `active_curves` does, (k, L): of several outputs that with the largest coefficient."""
    features, curves = active_curves(path)
    return features, curves[strongest(np.abs(curves).max(axis=2, initial=0.0).T), np.arange(len(features))]


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise needs("plotting", "Matplotlib") from None
    return plt


def _axes(ax: Any) -> Any:
    if ax is None:
        _, ax = _pyplot().subplots(figsize=(7.2, 4.4), layout="constrained")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(_SOFT)
    ax.tick_params(colors=_SOFT, labelsize=9)
    ax.xaxis.label.set_color(_SOFT)
    ax.yaxis.label.set_color(_SOFT)
    ax.grid(axis="y", color=_GREY, alpha=0.35, lw=0.8)
    ax.set_axisbelow(True)
    return ax


def _x_axis(ax: Any, path: Any, x: NDArray[np.float64], xaxis: str, *, narrow: bool = False) -> None:
    """Set the horizontal axis, and the number of active features above it; fewer words where it is narrow."""
    if xaxis == "alpha":
        ax.set_xscale("log")
        if len(x) > 1:
            ax.set_xlim(x.max(), x.min())
        ax.set_xlabel("penalty alpha" if narrow else "penalty alpha (log scale, weaker to the right)")
    else:
        ax.set_xlabel("sum of absolute coefficients" if xaxis == "l1_norm" else "share of deviance explained")
        if len(x) > 1 and x.max() > x.min():
            ax.set_xlim(x.min(), x.max())
    marks = np.log(x) if xaxis == "alpha" else x
    wanted = np.linspace(marks[0], marks[-1], 4 if narrow else 8)
    nearest = sorted({int(np.argmin(np.abs(marks - value))) for value in wanted})
    top = ax.secondary_xaxis("top")
    top.set_xticks([x[k] for k in nearest], [str(int(path.n_active[k])) for k in nearest])
    top.minorticks_off()
    top.spines["top"].set_visible(False)
    top.tick_params(colors=_SOFT, labelsize=9, length=0)
    top.set_xlabel("active features", color=_SOFT, fontsize=9)


def _mark_alphas(ax: Any, cv: Any) -> None:
    from matplotlib import rcParams
    from matplotlib.transforms import blended_transform_factory

    where = blended_transform_factory(ax.transData, ax.transAxes)
    strong = rcParams["text.color"]  # legible on the background of any style
    grid = on_log_axis(cv.path.alphas)
    best, frugal = (grid[cv.path.alphas == alpha][0] for alpha in (cv.alpha_min, cv.alpha_1se))
    marks = [(frugal, "1 SE", _SOFT, 0.97), (best, "best", strong, 0.90)]
    if best == frugal:
        marks = [(best, "best, 1 SE", strong, 0.97)]
    for alpha, name, colour, height in marks:
        ax.axvline(alpha, color=colour, lw=1.0, ls=(0, (3, 3)), zorder=1)
        ax.annotate(
            name, (alpha, height), xycoords=where, xytext=(4, 0), textcoords="offset points", fontsize=9,
            color=colour, va="top",
        )  # fmt: skip


def _name_curves(
    ax: Any,
    path: Any,
    features: NDArray[np.int64],
    curves: NDArray[np.float64],
    x: NDArray[np.float64],
    count: int,
    colours: list[str | None],
) -> None:
    """Write names beside the ends of the `count` curves that get farthest from zero, kept apart."""
    reach = np.abs(curves).max(axis=1, initial=0.0)
    chosen = np.argsort(-reach, kind="stable")[:count]
    chosen = chosen[reach[chosen] > 0.0]
    if len(chosen) == 0:
        return
    low, high = ax.get_ylim()
    order = chosen[np.argsort(curves[chosen, -1], kind="stable")]
    heights = spread(curves[order, -1].tolist(), 0.05 * (high - low), low, high)
    for k, height in zip(order, heights, strict=True):
        name = str(features[k]) if path.feature_names is None else str(path.feature_names[features[k]])
        name = cut(name, MAX_NAME)
        end = curves[k, -1]
        ax.annotate(
            name, (x[-1], end), xytext=(1.015, height), textcoords=("axes fraction", "data"), fontsize=8.5,
            color=colours[k] or _SOFT, va="center", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": _GREY, "lw": 0.6, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
