"""Recordings to tissue velocity."""
