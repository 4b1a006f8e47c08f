"""A translator trained between two unpaired folders of sequences."""
