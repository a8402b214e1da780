"""The modules behind `symgrad backward --to numpy` and `--to torch`: whole sequences forward, and every gradient backward."""
