"""One recording becomes 641 numbers: decode, analyse, take statistics, read tags."""
