"""The report page, its sections, charts and summaries."""
