"""Where a user is spoken to beside the results: the standard error stream."""

from rich.console import Console

console = Console(stderr=True)
