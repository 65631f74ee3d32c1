"""What users hand in: X, y, weights, times of survival, checked and turned into what the core takes."""
