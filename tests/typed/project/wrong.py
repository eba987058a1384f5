"""What a checker should find."""

import databench

databench.no_such_name()
databench.Readme(3)
databench.utils.png_to_src("text")
databench.on_action(3)
databench.testing.AnalysisTest(3)
databench.run("Lab")
