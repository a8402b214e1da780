"""How large can it get: enclosures of real functions with their proof, and norms of Jacobians."""
