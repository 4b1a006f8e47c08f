"""The interactive page: sequences that move, side by side on one clock, in one file that needs nothing else."""
