"""Deciding whether two derivatives are equal: a normal form, a modular identity test, and what is said when they are not."""
