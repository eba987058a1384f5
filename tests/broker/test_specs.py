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
