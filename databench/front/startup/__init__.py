"""From the command line to a project that can be served: its script, ports, log, memory."""
