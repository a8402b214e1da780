"""Claims shown: for a terminal, a notebook, GitHub, SARIF.  Nothing here judges."""
