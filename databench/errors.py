"""Every exception that Databench raises on purpose.

    DatabenchError
    ├── ProtocolError            a message or a frame that the protocol does not allow
    │   ├── LocalProtocolError   our own code tried to send it: a bug here
    │   └── RemoteProtocolError  the other side sent it: it is counted, answered or dropped
    ├── KernelError              a kernel could not be started, or ended
    └── SettingError             a setting or a configuration that cannot be used
    ScriptEnd (BaseException)    ends a script that a kernel runs, once it has named its class

Texts are lower case and carry no full stop: subject, event, value against limit, consequence.
"""

from __future__ import annotations

EXIT_USAGE = 2  # of a command after a SettingError, as `argparse` ends what it cannot use


class DatabenchError(Exception):
    """Base of every exception that Databench raises on purpose."""


class ProtocolError(DatabenchError):
    """A message or a frame that the protocol does not allow."""


class LocalProtocolError(ProtocolError):
    """Our own side tried to send what the protocol does not allow."""


class RemoteProtocolError(ProtocolError):
    """The other side sent what the protocol does not allow."""


class KernelError(DatabenchError):
    """A kernel could not be started, or ended.

    Args:
        text: What happened, and what follows.
        kernel: The kernel's name, or `None` when no kernel is meant.
    """

    def __init__(self, text: str, *, kernel: str | None = None) -> None:
        super().__init__(text)
        self.kernel = kernel


class ScriptEnd(BaseException):
    """Ends the execution of a script in its kernel, where it would begin to serve.

    Private: `databench.run` raises it and the kernel catches it.

    Args:
        analysis_class: The class that the script hands over.
    """

    def __init__(self, analysis_class: type) -> None:
        super().__init__(f"{analysis_class.__qualname__} runs in this kernel")
        self.analysis_class = analysis_class


class SettingError(DatabenchError):
    """A setting, an option or a line of `index.yaml` that cannot be used.

    Args:
        text: What is wrong, what was expected, and what to do.
        name: The setting's name, or `None`.
        file: The file that holds it, or `None` for the command line and the environment.
        line: The line in that file, counted from 1, or `None`.
    """

    def __init__(
        self,
        text: str,
        *,
        name: str | None = None,
        file: str | None = None,
        line: int | None = None,
    ) -> None:
        place = "" if file is None else f"{file}: " if line is None else f"{file}:{line}: "
        super().__init__(place + text)
        self.name = name
        self.file = file
        self.line = line
