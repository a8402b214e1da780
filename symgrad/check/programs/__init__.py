"""Backward passes in Python, read as derivations."""
