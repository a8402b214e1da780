"""The objects that a user holds: a cell, and the derivatives of it that can print, compile and substitute themselves."""
