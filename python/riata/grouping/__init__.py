"""Groups of features that are correlated with each other."""
