"""Motor units out of a sequence, and how well they agree with the true ones."""
