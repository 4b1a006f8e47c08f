"""Translated sequences compared with recorded ones."""
