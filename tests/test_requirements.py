"""What the project says it needs: installed versions fit, and known bad ones do not."""

import importlib.metadata
import re
from pathlib import Path

import pytest
import tornado.httputil
from packaging.requirements import Requirement

PROJECT = (Path(__file__).resolve().parent.parent / "pyproject.toml").read_text()
# From the table of the project to the tools: each quoted word with a bound is a requirement.
_LISTS = PROJECT[PROJECT.index("\ndependencies = [") : PROJECT.index("\n[project.scripts]")]
REQUIREMENTS = [Requirement(word) for word in re.findall(r'"([a-z][\w.\[\]-]*[<>=][^"]*)"', _LISTS)]
# Versions that must not be taken, each with what is wrong with it.
BAD = {
    "tornado": {
        "6.5.4": "no limit of a form's fields",
        "7.0": "other private names than front/websockets/pace.py and http/door.py use",
    },
}


def test_the_lists_are_read_whole():
    names = {requirement.name for requirement in REQUIREMENTS}
    assert {"tornado", "pyzmq", "watchfiles", "uvloop", "cryptography", "pytest", "mypy"} <= names


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_lower_bound_is_said_and_the_installed_version_fits(requirement):
    assert re.search(r">=|==", str(requirement.specifier)), "no lower bound"
    try:
        installed = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return  # an extra that this environment has not
    assert requirement.specifier.contains(installed, prereleases=True)


@pytest.mark.parametrize(
    ("name", "version"), [(name, version) for name, bad in BAD.items() for version in bad]
)
def test_version_that_is_known_to_be_bad_is_not_taken(name, version):
    [requirement] = [each for each in REQUIREMENTS if each.name == name]
    assert not requirement.specifier.contains(version), BAD[name][version]


def test_tornado_refuses_a_form_of_too_many_fields():
    """Why 6.6: with 6.5 ten MiB of them held up the server for seconds, from any site's page."""
    with pytest.raises(tornado.httputil.HTTPInputError, match="fields"):
        tornado.httputil.parse_body_arguments(
            "application/x-www-form-urlencoded", b"a=&" * 5000, {}, {}
        )


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (
            "tornado.websocket:WebSocketProtocol13",
            ["_receive_frame_loop", "_receive_frame", "_read_bytes", "_handle_message"],
        ),
        ("tornado.http1connection:HTTP1Connection", ["set_max_body_size", "set_body_timeout"]),
    ],
)
def test_names_of_tornado_that_are_relied_on_are_there(owner, names):
    module, _, name = owner.partition(":")
    found = getattr(importlib.import_module(module), name)
    assert [name for name in names if not callable(getattr(found, name, None))] == []
