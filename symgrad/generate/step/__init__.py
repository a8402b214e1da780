"""The functions behind `.numpy()`: a tensor or the vectors of one step, planned, written and compiled as NumPy."""
