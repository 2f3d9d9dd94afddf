"""Analysis results and small tables become plotly figures."""
