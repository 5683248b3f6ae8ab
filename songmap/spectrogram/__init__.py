"""07: networks that classify genres by spectrograms, and what their filters respond to. What uses torch says so."""
