"""Spike trains of decomposed EMG from the files of the programs that decompose it."""
