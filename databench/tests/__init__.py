"""What people import to try their own tools against: small analyses, no tests."""
