"""One small file per format: each gives frames and parameters (`Content`), or a `Store` of named arrays."""
