"""Knockoffs: copies of the features that know nothing of the response, as `knockoff_selection` takes them."""

from riata.knockoffs._check import KnockoffCheck, KnockoffWarning
from riata.knockoffs._gaussian import Gaussian
from riata.knockoffs._haplotypes import Haplotypes
from riata.knockoffs._knockoffs import Knockoffs

__all__ = ["Gaussian", "Haplotypes", "KnockoffCheck", "KnockoffWarning", "Knockoffs"]
