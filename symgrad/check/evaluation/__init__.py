"""What a formula is worth in a world and a reading: one interpreter, a module for each kind of formula, and the decision whether two sides agree."""
