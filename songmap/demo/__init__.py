"""Music to try the scripts on: a synthesised corpus and openly licensed recordings."""
