"""Tables with a row per request, whoever wrote them: Parquet, Arrow, text with any delimiter."""
