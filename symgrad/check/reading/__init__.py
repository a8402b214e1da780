"""What a document says, line by line: formulas as trees, names with their indices, statements, their links, and the words around them."""
