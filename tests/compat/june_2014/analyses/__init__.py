"""Examples in the words of June 2014, with what only Python 2 understood replaced."""

__version__ = '0.1.0'

import analyses.helloworld
import analyses.bagofchars
import analyses.bagofcharsd3
import analyses.mpld3pi
import analyses.mpld3PointLabel
import analyses.mpld3Drag
import analyses.redispub
import analyses.redissub
import analyses.slowpi
import analyses.tabs
