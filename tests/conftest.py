"""The tests lie in the rooms of `src/myovivo`; what they share lies beside this file, which puts it on their path."""
