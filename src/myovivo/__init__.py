"""Simulated muscle motion made to look recorded, with its labels kept, and measured."""

__version__ = "0.1.0"
