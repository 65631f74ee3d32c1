"""Figures of paths, cross-validations and selections with Matplotlib: what their `plot` calls."""

from __future__ import annotations

from riata.report.plots import plot_cv, plot_knockoffs, plot_path, plot_resolutions, plot_stability

__all__ = ["plot_cv", "plot_knockoffs", "plot_path", "plot_resolutions", "plot_stability"]
