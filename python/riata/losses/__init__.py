"""Losses that `fit_path` and `cv_path` accept, by name, or as objects that hold their parameters.

``loss="huber"`` is ``loss=riata.losses.Huber()``, and ``loss=riata.losses.Huber(delta=2.0)`` sets what the
name leaves at its default. Everything the package knows about a loss is in its class: how a response is read
and coded, the mean at a linear predictor, the best constant, scores of held-out samples, how folds are
balanced, and what it is called in reports. A new loss is a class here, and its solver in the core.
"""

from riata.losses._classes import Binomial, Multinomial
from riata.losses._loss import Loss
from riata.losses._numbers import Gaussian, Huber, Multigaussian, Poisson
from riata.losses._times import Cox

__all__ = ["Binomial", "Cox", "Gaussian", "Huber", "Loss", "Multigaussian", "Multinomial", "Poisson"]
