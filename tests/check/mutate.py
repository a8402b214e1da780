"""Documents gone wrong by accident: the mutator of the fuzz tests and of `benchmarks/fuzz.py`."""

from __future__ import annotations

import random

ALPHABET = [
    *"{}[]()^_&=+-*/\\$%#`'|<>,.;:!~ \n\t0123456789htzxWUσ∂δ⊙",
    *(r"\frac", r"\partial", r"\odot", r"\\", r"\left(", r"\right)", r"\sum_{k=1}^{t}", r"\prod", "$$", r"\begin{align}", r"\end{align}"),
    *(r"\text{", r"\tilde", r"^\top", "_{t-1}", r"\mathbf{"),
    *("\x00", "\ufeff", "é", "😀", "&=", r"\newcommand{\a}{", "```\n"),
]


def mutated(rng: random.Random, text: str) -> str:
    """A document with a few characters, commands or stretches deleted, doubled, exchanged or put in."""
    characters = list(text)
    for _ in range(rng.randint(1, 6)):
        i = rng.randrange(len(characters) + 1)
        j = min(len(characters), i + rng.choice([1, 1, 2, 5, 30]))
        match rng.randrange(4):
            case 0:
                del characters[i:j]
            case 1:
                characters[i:i] = rng.choice(ALPHABET)
            case 2:
                characters[i:i] = characters[i:j] * rng.choice([1, 2, 20])
            case 3:
                k = rng.randrange(len(characters) + 1)
                characters[i:j], characters[k:k] = [], characters[i:j]
    return "".join(characters)
