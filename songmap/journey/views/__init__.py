"""What people see of the maps and of a song's journey: figures, pages, sentences."""
