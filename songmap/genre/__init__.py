"""03: which genre, how sure, and why."""
