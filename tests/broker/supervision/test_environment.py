"""A kernel's environment: docs/protocol.md, 2."""

import json
import os
from pathlib import Path

from databench.broker import AnalysisSpec, Script
from databench.broker.supervision.environment import compose
from databench.settings import Settings


def environ(spec, **settings):
    return compose(
        spec,
        Settings(**{"plain_threads": 3, **settings}),
        mark="MARK=x=y",
        endpoint="ipc:///there",
        routing_id=b"k7.2",
        token="secret",
        log_level="INFO",
    )


def test_a_kernel_is_told_who_it_is_and_whom_to_call():
    spec = AnalysisSpec("pi", Path("/a/pi"), "a.pi.analysis", Path("/"))
    told = environ(spec)
    own = {name: value for name, value in told.items() if os.environ.get(name) != value}
    settings = json.loads(own.pop("DATABENCH_SETTINGS"))
    assert settings["plain_threads"] == 3
    assert settings.keys() == Settings().values.keys()
    assert (
        own.items()
        >= {
            "MARK": "x=y",
            "DATABENCH_ENDPOINT": "ipc:///there",
            "DATABENCH_KERNEL": "k7.2",
            "DATABENCH_TOKEN": "secret",
            "DATABENCH_ANALYSIS": "pi",
            "DATABENCH_MODULE": "a.pi.analysis",
            "DATABENCH_FOLDER": "/a/pi",
            "DATABENCH_LOG": "INFO",
            "DATABENCH_SCRIPT": "",
        }.items()
    )


def test_a_script_is_told_as_one_and_never_inherited(monkeypatch):
    monkeypatch.setenv("DATABENCH_SCRIPT", "of another server")
    spec = AnalysisSpec("pi", Path("/a"), "pi", Path("/"))
    assert environ(spec)["DATABENCH_SCRIPT"] == ""
    script = Script(Path("/a/pi.py"), "Pi", (), ())
    of_script = AnalysisSpec("pi", Path("/a"), "pi", Path("/"), script=script)
    assert json.loads(environ(of_script)["DATABENCH_SCRIPT"])["file"] == "/a/pi.py"


def test_threads_of_libraries_are_limited_where_nobody_has_said_how_many(monkeypatch):
    spec = AnalysisSpec("pi", Path("/a/pi"), "a.pi.analysis", Path("/"))
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("MKL_NUM_THREADS", "")  # says nothing
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    told = environ(spec, kernel_threads=4)
    assert told["OMP_NUM_THREADS"] == "7"
    assert told["MKL_NUM_THREADS"] == told["OPENBLAS_NUM_THREADS"] == "4"
    assert "OPENBLAS_NUM_THREADS" not in environ(spec)
