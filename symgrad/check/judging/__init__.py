"""What may be said of a claim: proofs and what they take for granted, other meanings of a line, failures and their reasons."""
