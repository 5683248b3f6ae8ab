"""05: what a recording is: its genre over its duration, and what to hear next."""
