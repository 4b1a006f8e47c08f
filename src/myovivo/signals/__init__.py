"""Arithmetic on velocity (T, Z, X) that no stage owns: filters, medians, resampling."""
