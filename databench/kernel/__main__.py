"""The program of the Python kernel: see `runtime`.

A file that Python runs, not a module (`python -m`): Python would put the working directory, where
a project may have a `types.py`, before its own modules, and fail before it reached this code.
"""

import sys

# A child that `multiprocessing` spawns runs this file too, under another name.
if __name__ == "__main__":
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]  # this file's folder; the project's comes when our modules are loaded
    try:
        import databench  # noqa: F401
    except ModuleNotFoundError:  # neither installed nor on PYTHONPATH
        sys.path.append(__file__.rpartition("databench")[0] or ".")
    from databench.kernel.process import coverage

    coverage.begin()  # before all that is measured is imported
    from databench.kernel.process.streams import settle
    from databench.kernel.runtime import main

    status = main()
    settle()
    raise SystemExit(status)
