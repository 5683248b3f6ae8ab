"""songmap: what a music collection sounds like, in 641 named numbers a song."""
