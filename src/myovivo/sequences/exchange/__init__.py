"""Sequences for other programs, and back: MATLAB, NumPy, xarray."""
