"""Files of every format read."""
