"""Figures of paths and cross-validation curves with Matplotlib: what the `plot` of these calls."""

from __future__ import annotations

from riata.report.plots import plot_cv, plot_path

__all__ = ["plot_cv", "plot_path"]
