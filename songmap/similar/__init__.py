"""04: which songs are similar, and why."""
