"""From results of 03 to what people see: sentences, tables, figures and the report page."""
