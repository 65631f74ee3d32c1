"""A sampler of knockoffs that is right for independent standard normal columns."""

import numpy as np

from riata.knockoffs import Knockoffs


class IndependentCopies:
    """Draws new columns, whatever X is."""

    def __repr__(self):  # names of tests hold it: the same in every process
        return "IndependentCopies()"

    def fit(self, X, *, n_threads=None, progress=None):
        return self

    def draw(self, X, *, groups=None, random_state=0, draw=0, out=None, n_threads=None):
        rng = np.random.default_rng([random_state, draw, 99])
        return Knockoffs(rng.standard_normal(X.shape), groups=groups, sampler="copies", draw=draw)
