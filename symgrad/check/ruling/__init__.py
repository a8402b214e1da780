"""What is said of a line: proved, unless one of the doubts holds; refuted, unless there is a reason for caution; and their questions."""
