"""For tests of analyses: run one without a server, a kernel or a page.

`AnalysisTest` is what people import. See docs/howto/test-an-analysis.md.
"""

from ..analysis import MISSING
from .analysistest import AnalysisTest

__all__ = ["MISSING", "AnalysisTest"]
