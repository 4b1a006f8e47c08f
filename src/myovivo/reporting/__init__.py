"""What was measured as figures, tables and a page."""
