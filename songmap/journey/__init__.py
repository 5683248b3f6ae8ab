"""02: pictures of the way from waveform to embedding, and maps of all songs."""
