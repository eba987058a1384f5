"""From the files of an analysis to its class, as every style of them has it.

`load` runs the module or the script, `functions` makes a class of the first release's functions,
`onemodule` keeps a module one if it is imported by two names, `provided` has the names that
files of 0.7 import, and `sources` knows which files were read.
"""
