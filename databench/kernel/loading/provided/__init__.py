"""Modules that kernels offer to the analyses they load, under their own names.

Only a kernel has this folder on its path.
"""
