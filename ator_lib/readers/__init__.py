"""One file per tool: result files become canonical tables."""
