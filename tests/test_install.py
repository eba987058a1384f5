"""The command that is shown installs for the Python that showed it."""

import os
import shlex
import subprocess
import sys

from databench.install import pip_install


def test_the_command_is_that_of_this_python():
    words = shlex.split(pip_install("databench[redis]", "numpy>=2"))
    assert words[1:] == ["-m", "pip", "install", "databench[redis]", "numpy>=2"]
    asked = [words[0], "-c", "import sys; print(sys.prefix)"]
    assert subprocess.run(asked, capture_output=True, text=True).stdout.strip() == sys.prefix


def test_what_a_shell_would_read_otherwise_is_quoted():
    assert pip_install("databench[mpld3]").endswith(" 'databench[mpld3]'")


def test_an_interpreter_below_the_working_directory_is_shown_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert pip_install("x") == os.path.join(".venv", "bin", "python") + " -m pip install x"
    monkeypatch.setattr(sys, "executable", "/elsewhere/bin/python")
    assert pip_install("x") == "/elsewhere/bin/python -m pip install x"


def test_without_an_interpreter_s_name_there_is_still_a_command(monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    assert pip_install("x") == "python3 -m pip install x"
