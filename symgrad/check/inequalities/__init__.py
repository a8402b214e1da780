"""Bounds: of functions, of norms link by link, and of products of norms over many steps."""
