"""An equation from the first reading to the verdict, alone or under what the words around it suppose."""
