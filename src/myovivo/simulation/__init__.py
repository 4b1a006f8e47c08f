"""The in silico muscle."""
