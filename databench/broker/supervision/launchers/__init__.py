"""Who starts kernel processes; `local` is the first. Only launchers spawn, signal and reap."""
