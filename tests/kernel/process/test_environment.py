"""What the front tells through the environment."""

from pathlib import Path

import pytest

from databench.broker import Script
from databench.errors import KernelError, SettingError
from databench.kernel.process.environment import read_environment


def environ(**more):
    names = ("ENDPOINT", "KERNEL", "TOKEN", "ANALYSIS", "MODULE", "FOLDER")
    return {f"DATABENCH_{name}": name.lower() for name in names} | more


def test_the_variables_are_read_and_the_token_is_removed():
    variables = environ(
        DATABENCH_LOG="debug",
        DATABENCH_INTERRUPT_FD="7",
        DATABENCH_SETTINGS='{"plain_threads": 2}',
    )
    read = read_environment(variables)
    assert (read.token, read.log_level, read.interrupt_fd) == ("token", "DEBUG", 7)
    assert read.settings.plain_threads == 2
    assert "DATABENCH_TOKEN" not in variables


def test_a_script_is_read():
    told = Script(Path("/a/pi.py"), "Pi", ("pi.py", "--x"), ("/a",)).to_json()
    script = read_environment(environ(DATABENCH_SCRIPT=told)).script
    assert (script.file, script.class_name) == ("/a/pi.py", "Pi")
    assert (script.argv, script.path) == (["pi.py", "--x"], ["/a"])
    assert read_environment(environ(DATABENCH_SCRIPT="")).script is None


def test_what_may_be_absent_has_its_default():
    read = read_environment(environ())
    assert (read.log_level, read.interrupt_fd, read.settings.plain_threads) == ("INFO", None, 8)


def test_what_is_missing_or_wrong_is_told():
    with pytest.raises(KernelError, match="DATABENCH_MODULE is not set: a kernel is started by"):
        read_environment({k: v for k, v in environ().items() if k != "DATABENCH_MODULE"})
    with pytest.raises(KernelError, match="cannot be used"):
        read_environment(environ(DATABENCH_INTERRUPT_FD="x"))
    with pytest.raises(KernelError, match="cannot be used"):
        read_environment(environ(DATABENCH_SCRIPT="{}"))
    with pytest.raises(SettingError, match="plain_threads"):
        read_environment(environ(DATABENCH_SETTINGS='{"plain_thread": 2}'))
