"""04: which songs are alike, and why."""
