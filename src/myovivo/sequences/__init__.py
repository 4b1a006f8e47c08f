"""The sequence, its labels and its file; recordings before velocity; folders of them."""
