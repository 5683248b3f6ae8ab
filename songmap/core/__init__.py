"""What all parts share: errors, defaults, the columns, artifacts, style, tables, command lines."""
