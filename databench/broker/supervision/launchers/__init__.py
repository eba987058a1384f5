"""Launchers of kernel processes; `local` is the first. Only they spawn, signal and reap."""
