"""Estimators with the ways of scikit-learn."""
