"""Motor units out of a sequence."""
