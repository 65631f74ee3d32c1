"""A study: tables and genotypes joined by sample, its folds, and what a fit of it found."""
