"""Documents in: sources and spans, definitions, claims, diagnosis, reports."""
