"""How the gradient flows along a real sequence: every Jacobian, their products, and what makes them small."""
