"""Sequences of any length translated by a trained generator."""
