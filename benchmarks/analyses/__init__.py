"""What Databench runs while it is measured."""
