"""The version of the package: read by the build and by everything that says who made a file."""

__version__ = "0.1.0"
