"""The cell of a page: its model, the loss, and cells of the library for documents that leave theirs out."""
