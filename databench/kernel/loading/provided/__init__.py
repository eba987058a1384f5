"""Modules that kernels offer to the analyses they load, under names of their own.

A kernel has this folder on its path; nobody else has.
"""
