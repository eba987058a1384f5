"""What the workers do. They import this and nothing else of the analysis."""

import random


def draw(draws):
    """How many of so many random points are inside the quarter circle."""
    return sum(random.random() ** 2 + random.random() ** 2 < 1 for _ in range(draws))
