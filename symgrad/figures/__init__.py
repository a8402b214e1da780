"""Pictures of gradients: what a derived Jacobian does, drawn from its compiled code; the same bytes on every run."""
