"""`setup.py httprun`."""

import logging
import os

import pytest

setuptools = pytest.importorskip("setuptools")

from databench.http import command  # noqa: E402


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(os, "environ", {"PATH": "/", "GONE": "1"})
    monkeypatch.setattr(command, "run", lambda create: made.append((create, dict(os.environ))))
    made = []
    return made


def _command(**options):
    from setuptools.dist import Distribution

    own = command.RunCommand(Distribution())
    for name, value in options.items():
        setattr(own, name, value)
    own.ensure_finalized()
    return own


def test_an_application_is_found_by_name_and_run(made, tmp_path):
    (tmp_path / "env").write_text("export A=1\nB='x y' # why\n# all\n\nGONE=\nPORT=3\n")
    own = _command(application="os.path:join", env_file=str(tmp_path / "env"), port="7000")
    own.run()
    ((create, environ),) = made
    environ.pop("PYTEST_CURRENT_TEST", None)
    assert create is os.path.join
    assert environ == {"PATH": "/", "A": "1", "B": "x y", "PORT": "7000"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "--application is needed"),
        ({"application": "module"}, "--application is needed"),
        ({"application": "a:b", "env_file": "/no/such"}, "'/no/such' does not exist"),
    ],
)
def test_what_is_missing_is_named(options, words):
    with pytest.raises(Exception, match=words) as caught:
        _command(**options)
    assert isinstance(caught.value, setuptools.errors.OptionError)


@pytest.mark.expected_log("is not NAME=VALUE; ignored")
def test_lines_that_set_nothing_are_told(made, caplog):
    with caplog.at_level(logging.WARNING):
        command.change_environment("this and that\nA='open\nC=3")
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert os.environ["C"] == "3"
