"""Formulas in: tokens, the strict parser of what the printers write, and the dialect of what people write."""
