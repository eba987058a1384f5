"""Sessions and their pages: begun, opened in kernels, shown, kept, closed.

Nothing here starts or ends a process: of kernels it knows their records and what can be sent.
"""
