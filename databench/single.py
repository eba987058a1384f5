"""`databench.run`: one analysis from one script.

The script's own process becomes the front; the class runs in a kernel, which runs the same file
under another name. There, `run` ends the file: it must be called where the file is ready.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from .analysis import Analysis
from .errors import ScriptEnd, SettingError
from .protocol.variables import LOADING
from .standard import OwnFirst


def run(
    analysis_class: type[Analysis],
    path: str | os.PathLike[str] | None = None,
    name: str | None = None,
    info: Mapping[str, Any] | None = None,
    static: Mapping[str, str] | Sequence[Mapping[str, str]] | None = None,
    *,
    extra_routes: Sequence[tuple[str, Any, Mapping[str, Any] | None]] = (),
) -> None:
    """Serve one analysis until Ctrl-C or SIGTERM, with the command line's options.

    Its page is at `/`: the `index.html` beside the script, or a default one. The class runs in a
    kernel, which runs the script's file again, as a module, up to this call: code after it,
    and code that `if __name__ == '__main__'` guards, does not run there.

    Args:
        analysis_class: The class, defined at the top of a file.
        path: The script, `__file__`; its folder holds the page. By default the class' file.
        name: The analysis' name, for logs; by default the class' name in lower case.
        info: The keys that `index.yaml` would have: `title`, `description`, `version`, `author`,
            `readme`, `thumbnail` and so on. Other names are for the page's template.
        static: Regular expressions with one group to folders, relative to the script's folder,
            then to the working directory: `{r'files/(.*)': 'data'}` sends `/files/x` from `data/x`.
        extra_routes: Further Tornado handlers: `(route, class, arguments of initialize)`.

    Raises:
        SettingError: The kernel could not find the class.
        SystemExit: An option of the command line cannot be carried out: status 2.
    """
    if not isinstance(analysis_class, type) or not issubclass(analysis_class, Analysis):
        raise SettingError(
            f"databench.run got {analysis_class!r:.80}, expected a class: "
            "class Pi(databench.Analysis)"
        )
    if _is_in_kernel(analysis_class):
        return
    with OwnFirst():
        from . import cli
        from .front.startup import script

    served = script.from_class(
        analysis_class,
        path=path,
        name=name,
        info=info,
        static=static,
        extra_routes=extra_routes,
    )
    status = cli.main(script=served)
    if status:
        raise SystemExit(status)


def _is_in_kernel(analysis_class: type[Analysis]) -> bool:
    """Whether this is a child of the script's kernel, where nothing is to be served.

    Raises:
        ScriptEnd: This is the kernel itself, and it is just running the file.
    """
    process, _, file = os.environ.get(LOADING, "").partition(":")
    if process == str(os.getpid()):
        raise ScriptEnd(analysis_class)
    module = sys.modules.get(analysis_class.__module__)
    own = getattr(module, "__file__", None)
    if not file or own is None or os.path.realpath(own) != os.path.realpath(file):
        return False
    logging.getLogger("databench").debug("run() does nothing in a child of its kernel")
    return True
