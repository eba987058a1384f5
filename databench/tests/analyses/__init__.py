"""Small analyses that exercise one rule each, with an `index.yaml` that lists them."""
