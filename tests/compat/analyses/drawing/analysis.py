import databench
import databench.utils

SVG = """<?xml version="1.0" encoding="utf-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="60" height="30">
<!-- 50 % of it -->
<rect width="60" height="{}" fill="#aa3377"/><text y="20">é</text>
</svg>"""


class Drawing(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.draw(10)

    @databench.on
    def redraw(self, height):
        yield self.draw(height)

    def draw(self, height):
        return self.emit("figure", databench.utils.svg_to_src(SVG.format(height)))
