"""How hypothesis works here: few examples at a desk, the same ones at every run of CI."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "databench",
    deadline=None,
    max_examples=100,
    stateful_step_count=40,
    derandomize="CI" in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("databench")
