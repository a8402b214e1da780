"""Before whom a claim comes: the cells of a document in the order in which they are tried, and its line in their readings."""
