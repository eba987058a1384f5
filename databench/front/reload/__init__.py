"""The effects of a saved file: kernels restart, pages reload, builds run.

`scan` finds changes, `changes` decides what they mean, `watch` carries it out.
"""
