"""The paper's whole experiment, and the way once in minutes."""
