"""The kernel as a process: its environment, signals, streams, forks, and what ends with it.

Whatever user code does to any of these affects only that code: `dispositions` and `signals` keep
what cancel and the end need, `forks` keeps the kernel out of children, `streams` its own lines.
"""
