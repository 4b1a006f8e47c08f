"""What a training leaves behind: a folder of plain files, nothing pickled."""
