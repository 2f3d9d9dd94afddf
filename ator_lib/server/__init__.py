"""One process for REST and pages."""
