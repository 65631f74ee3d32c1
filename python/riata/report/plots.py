"""Matplotlib figures of paths and cross-validation curves; Matplotlib is imported when one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.losses._known import GREATER_IS_BETTER, SCORE_NAMES
from riata.path.coefs import each_output
from riata.path.group_parts import main_groups
from riata.path.many_classes import strongest
from riata.report.charts.description import N_COLOURS, Chart
from riata.report.charts.figure import draw, prepared, pyplot
from riata.report.charts.knockoffs import knockoff_chart
from riata.report.charts.paths import X_LABELS, cv_chart, marks_of_choice, path_chart
from riata.report.charts.resolutions import draw_resolutions, resolutions_chart
from riata.report.charts.stability import stability_chart
from riata.study.cv_choices import null_name


def plot_path(path: Any, ax: Any = None, *, xaxis: str = "alpha", labels: int = 5, output: Any = None) -> Any:
    """Draw every coefficient along a regularisation path.

    Coefficients are multiplied by their feature's scale, so that each curve is the effect of one standard
    deviation when the fit was standardised. The strongest features are coloured, of a group lasso all those
    of the strongest groups, one colour a group; the others are grey. The axis on top counts the active ones.

    Of several outputs, features that enter all of them together are drawn by the norm of their coefficients,
    and others in one panel an output, where a feature has the same colour in all.

    Parameters
    ----------
    path : RegularizationPath or CVPath
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
    if xaxis not in X_LABELS:
        raise ValueError(f"xaxis must be one of {', '.join(X_LABELS)}, got {xaxis!r}")
    if labels < 0:
        raise ValueError(f"labels must be >= 0, got {labels}")
    cv, path = path.cv, path.path
    panels = _panels(path, output)
    axes = _axes_for(panels, ax)
    features, curves = active_curves(path)
    order = np.argsort(-np.abs(curves).max(axis=(0, 2), initial=0.0), kind="stable")
    features, curves = features[order], curves[:, order]
    names = [str(j) if path.feature_names is None else str(path.feature_names[j]) for j in features]
    marks = []
    if cv is not None and xaxis == "alpha":
        marks = marks_of_choice(path.alphas, path.n_active, cv.alpha_min, cv.alpha_1se)
    for one, (title, output_number) in zip(axes, panels, strict=True):
        shown = np.linalg.norm(curves, axis=0) if output_number is None else curves[output_number]
        reach = np.abs(shown).max(axis=1, initial=0.0)
        what = "norm of a feature's coefficients" if output_number is None else "coefficient"
        chart = path_chart(
            _along(path, shown, xaxis), shown, names, path.n_active, xaxis=xaxis, marks=marks,
            colours=_colours(path, features), labels=np.argsort(-reach, kind="stable")[:labels].tolist(),
            label=what + (", per standard deviation" if path.standardize else ""),
            n_counts=4 if len(panels) > 1 else 8,
        )  # fmt: skip
        draw(chart, one, title)
    return axes[0] if len(panels) == 1 else np.array(axes)


def _along(path: Any, curves: NDArray[np.float64], xaxis: str) -> NDArray[np.float64]:
    """What curves are drawn along."""
    if xaxis == "l1_norm":
        return np.asarray(np.abs(curves).sum(axis=0))
    return np.asarray(path.alphas if xaxis == "alpha" else path.deviance_ratio)


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
    return [("", None)] if path.grouped else [(f"{label}", k) for k, label in enumerate(known)]


def _axes_for(panels: list[tuple[str, int | None]], ax: Any) -> list[Any]:
    """As many axes as there are panels: those given, or new ones side by side."""
    if len(panels) == 1:
        return [prepared(ax)]
    if ax is None:
        columns = min(len(panels), 3)
        rows = -(-len(panels) // columns)
        size = (5.2 * columns, 3.8 * rows)
        _, grid = pyplot().subplots(
            rows, columns, figsize=size, layout="constrained", sharey=True, squeeze=False
        )
        for spare in grid.ravel()[len(panels) :]:
            spare.remove()
        ax = grid.ravel()[: len(panels)]
    given = list(np.ravel(ax))
    if len(given) != len(panels):
        raise ValueError(f"ax must hold {len(panels)} axes, one per output, got {len(given)}")
    return [prepared(one) for one in given]


def _colours(path: Any, features: NDArray[np.int64]) -> list[int | None]:
    """The colour of each feature, strongest first, one for all of a group; None beyond the strongest."""
    units = features if path.groups is None else main_groups(path, features)
    place: dict[int, int] = {}
    ranks = [place.setdefault(int(unit), len(place)) for unit in units]
    return [rank if rank < N_COLOURS else None for rank in ranks]


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
    return draw(described_cv(cv), prepared(ax))


def plot_stability(found: Any, ax: Any = None, *, labels: int = 8) -> Any:
    """Draw the stability path: how often halves of the samples have items among the first 1, 2, ..., q.

    Selected items are coloured; the others are grey. The line is the share of the halves that selects.

    Parameters
    ----------
    found : StabilitySelected
        What `stability_selection` returned.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.
    labels : int, default 8
        Number of items to name at the end of their curves, the most frequent ones.

    Returns
    -------
    matplotlib Axes
        What was drawn on.

    Raises
    ------
    ValueError
        When `labels` is negative.
    ImportError
        When Matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib, numpy as np, riata
    >>> matplotlib.use("agg")
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((80, 100))
    >>> found = riata.stability_selection(X, X[:, 4] + 0.5 * rng.standard_normal(80), n_pairs=20)
    >>> riata.plotting.plot_stability(found).get_ylabel()
    'share of the halves'
    """
    if labels < 0:
        raise ValueError(f"labels must be >= 0, got {labels}")
    return draw(stability_chart(found, labels), prepared(ax))


def plot_knockoffs(found: Any, ax: Any = None, *, labels: int = 8) -> Any:
    """Draw how far items stand out from their knockoffs, the largest difference first.

    Upwards are items that do better than their knockoffs, downwards those whose knockoffs do better, which
    happens by chance alone; those selected are coloured.

    Parameters
    ----------
    found : KnockoffSelected
        What `knockoff_selection` returned.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.
    labels : int, default 8
        Number of items to name, the strongest ones.

    Returns
    -------
    matplotlib Axes
        What was drawn on.

    Raises
    ------
    ValueError
        When `labels` is negative.
    ImportError
        When Matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib, numpy as np, riata
    >>> matplotlib.use("agg")
    >>> rng = np.random.default_rng(0)
    >>> X, made = rng.standard_normal((2, 150, 40))
    >>> y = X[:, :12].sum(axis=1) + rng.standard_normal(150)
    >>> found = riata.knockoff_selection(X, y, knockoffs=made)
    >>> len(riata.plotting.plot_knockoffs(found).patches) >= 12
    True
    """
    if labels < 0:
        raise ValueError(f"labels must be >= 0, got {labels}")
    return draw(knockoff_chart(found, labels), prepared(ax))


def plot_resolutions(selections: Sequence[Any], ax: Any = None, *, names: Sequence[str] | None = None) -> Any:
    """Draw what knockoff filters at several resolutions selected along the genome, a row for each.

    Parameters
    ----------
    selections : sequence of KnockoffSelected
        Of the same genotypes, the coarsest resolution first.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.
    names : sequence of str, optional
        What the rows are called; by default how many groups there are.

    Returns
    -------
    matplotlib Axes
        What was drawn on.

    Raises
    ------
    ValueError
        When there are no selections, or they are not of genotypes.
    ImportError
        When Matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib, riata, tempfile
    >>> matplotlib.use("agg")
    >>> study = riata.open_genotypes(riata.simulate_genotypes(tempfile.mkdtemp() + "/study", 60, 40))
    >>> y = [float(value) for value in study.samples["phenotype"]]
    >>> groups = riata.ld_groups(study, r2=[0.05, 0.5])
    >>> coarse, fine = (
    ...     riata.knockoff_selection(study, y, groups=one, knockoffs=study, check=False) for one in groups
    ... )
    >>> len(riata.plotting.plot_resolutions([coarse, fine], names=["coarse", "fine"]).get_yticks())
    2
    """
    given = list(selections)
    if not given or any(found.variants is None for found in given):
        raise ValueError(f"selections must hold results of genotypes, got {given!r:.80}")
    rows = [f"{len(found.items):,} groups" for found in given] if names is None else list(names)
    if len(rows) != len(given):
        raise ValueError(f"names must hold one for each of {len(given)} selections, got {len(rows)}")
    return draw_resolutions(resolutions_chart(given, rows), ax)


def described_cv(cv: Any, shown: Any = slice(None), n_active: NDArray[np.int64] | None = None) -> Chart:
    """Describe the curve of a CVPath at those alphas of its grid that are to be shown."""
    path = cv.path
    counts = path.n_active if n_active is None else n_active
    return cv_chart(
        path.alphas[shown], cv.mean_score[shown], cv.se_score[shown], counts[shown],
        alpha_min=cv.alpha_min, alpha_1se=cv.alpha_1se, score=score_label(cv.scoring), null=cv.null_score,
        null_name=null_name(path.loss),
    )  # fmt: skip


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
