"""What the broker is told of analyses and pages."""

from pathlib import Path

import pytest

from databench.broker import AnalysisSpec


def test_an_analysis_is_python_unless_it_says_otherwise():
    spec = AnalysisSpec("pi", Path("/a/pi"), "analyses.pi.analysis", Path("/a"))
    assert (spec.kernel, spec.version) == ("py", None)


def test_an_analysis_does_not_change():
    spec = AnalysisSpec("pi", Path("/a/pi"), "analyses.pi.analysis", Path("/a"))
    with pytest.raises(AttributeError):
        spec.name = "other"


def test_a_limit_is_named_as_it_was_said():
    spec = AnalysisSpec(
        "pi", Path("/a/pi"), "pi", Path("/a"), limits={"kernel_memory_bytes": 1, "start_limit_s": 9}
    )
    assert spec.name_limit("kernel_memory_bytes") == "memory_limit"
    assert spec.name_limit("kernel_processor_s") == "kernel_processor_s"
    assert spec.name_limit("start_limit_s") == "start_limit_s"
