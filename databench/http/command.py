"""`setup.py httprun`: runs an application from a project's setup.py, as sprockets.http has it.

Needs setuptools. Only a `setup.py` asks for it, by `cmdclass={"httprun": RunCommand}`.
"""

from __future__ import annotations

import importlib
import logging
import os
import shlex
from typing import Any, ClassVar

import setuptools
import setuptools.errors

from .launch import run

log = logging.getLogger("databench.http")


class RunCommand(setuptools.Command):
    """Runs an application with `databench.http.run`."""

    description = "run an application of databench.http"
    user_options: ClassVar[list[tuple[str, str, str]]] = [
        ("application=", "a", "function that makes the application, as `package.module:name`"),
        ("env-file=", "e", "file of environment variables, NAME=VALUE on each line"),
        ("port=", "p", "port to listen on"),
    ]

    def initialize_options(self) -> None:
        """Nothing is given."""
        self.application: str | None = None
        self.env_file: str | None = None
        self.port: str | None = None

    def finalize_options(self) -> None:
        """Check what is given.

        Raises:
            setuptools.errors.OptionError: No application, or a file that is not there.
        """
        module, colon, name = (self.application or "").partition(":")
        if not (module and colon and name):
            raise setuptools.errors.OptionError("--application is needed, as package.module:name")
        if self.env_file and not os.path.exists(self.env_file):
            raise setuptools.errors.OptionError(f"env-file {self.env_file!r} does not exist")

    def run(self) -> None:
        """Read the environment, then serve until a signal."""
        if self.env_file:
            with open(self.env_file, encoding="utf-8") as file:
                change_environment(file.read())
        if self.port:
            os.environ["PORT"] = str(self.port)
        module, _, name = str(self.application).partition(":")
        create_application: Any = importlib.import_module(module)
        for part in name.split("."):
            create_application = getattr(create_application, part)
        run(create_application)


def change_environment(text: str) -> None:
    """Set a line of a file: `NAME=VALUE` or `export NAME=VALUE`; a name without a value is removed.

    Values may be quoted and comments begin with `#`, as in a shell. Other lines are logged.
    """
    for line in text.splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # a quote that does not end
            words = [line.split("=")[0]]
        words = words[1:] if words[:1] == ["export"] else words
        name, equals, value = " ".join(words).partition("=")
        if equals and name and value:
            os.environ[name] = value
        elif equals and name:
            os.environ.pop(name, None)
        elif words:
            log.warning("line %r of the environment file is not NAME=VALUE; ignored", line[:200])
