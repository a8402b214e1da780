"""What a writer may have got wrong: single edits, omissions, completions, and the search among them."""
