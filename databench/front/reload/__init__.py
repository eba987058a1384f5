"""What a saved file does: it is found, it restarts kernels, reloads pages, and is built from.

`scan` finds changes, `changes` decides what they mean, `watch` carries it out.
"""
