"""Random worlds: the field in which formulas are computed, values over it, and an understood cell unrolled over a few steps."""
