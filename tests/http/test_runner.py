"""The names of `databench.http.runner`: what applications of `sprockets.http` import from there."""

import subprocess
import sys

import pytest

from databench import http
from databench.http import loops, runner


def test_its_names_are_those_of_the_package():
    assert (runner.Runner, runner.EXIT_SOFTWARE) == (http.Runner, http.EXIT_SOFTWARE)
    assert runner.new_loop is loops.new_loop
    with pytest.raises(AttributeError, match="no_such"):
        runner.no_such  # noqa: B018


def test_the_command_is_one_of_them():
    pytest.importorskip("setuptools")
    from databench.http import command

    assert runner.RunCommand is command.RunCommand


def test_setuptools_is_imported_for_the_command_alone():
    code = "import sys; from databench.http import runner; print('setuptools' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
