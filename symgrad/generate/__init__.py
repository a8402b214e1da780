"""Code out: NumPy and torch, written from programs and tensors."""
