"""What else a line may mean that does not hold as it stands: other steps, paths, functions, parts, indices."""
