"""What people and programs see of results: sentences, tables, figures, records. Nothing is computed here."""
