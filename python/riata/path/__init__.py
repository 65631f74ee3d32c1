"""Paths of solutions: fits, cross-validation, folds, criteria, evaluation, refits."""
