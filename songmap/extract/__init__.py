"""01: audio files become 641 named numbers each."""
