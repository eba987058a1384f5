"""`databench_py.singlethread.Meta`: with it a kernel file of 0.7 ends."""

from __future__ import annotations

from databench.analysis import Analysis
from databench.errors import ScriptEnd
from databench.kernel.loading.load import is_loading


class Meta:
    """Names the class that a file is about.

    Args:
        name: The analysis' name; the front knows it better.
        analysis_class: The class.
    """

    def __init__(self, name: str, analysis_class: type[Analysis]) -> None:
        self.name = name
        self.analysis_class = analysis_class

    def event_loop(self) -> None:
        """Hand the class to the kernel that is loading the file, which ends the file here.

        Anywhere else, as in a child that the analysis has started, it does nothing.
        """
        if is_loading():
            raise ScriptEnd(self.analysis_class)
