"""All SQL tables, the engine and the migrations."""
