"""Networks and losses of the translators."""
