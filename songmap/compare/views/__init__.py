"""From a comparison to sentences, tables, charts and the page."""
