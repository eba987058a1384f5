"""The Python kernel: its `__main__.py` runs one analysis for the front.

The event loop and the socket live in a side thread, so that the main thread is free for plain
actions: there alone Python lets a signal interrupt `time.sleep` or a long division. `runtime` makes
the parts, `context` hands them to the sessions; `send_window`, `lane` and `arguments` are pure.
Two wings: `loading`, from files to the class, and `process`, what the process is.
"""
