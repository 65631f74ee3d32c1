"""Checks of what users pass (X, y, weights, survival times), and its conversion to what the core takes."""
