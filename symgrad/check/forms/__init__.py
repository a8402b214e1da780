"""Notations put into the common form before anything is judged: one module each, and `common`, which writes formulas back as they stood."""
