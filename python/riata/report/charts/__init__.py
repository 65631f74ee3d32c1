"""Charts: described once, drawn as SVG for pages and cards or with Matplotlib."""
