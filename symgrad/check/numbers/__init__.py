"""Examples worked in numbers: intervals of what may have been rounded, and the document's own numbers put into its formulas."""
