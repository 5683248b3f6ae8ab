"""What a collection is: columns, descriptors, songs, names, keys, spaces, search, the genre model."""
