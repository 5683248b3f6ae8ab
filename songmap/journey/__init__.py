"""02: maps of all songs, and the way of a song from waveform to embedding."""
