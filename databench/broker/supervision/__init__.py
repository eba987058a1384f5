"""Kernels' processes: started, watched, limited, ended; knows nothing of sessions or pages.

`Supervisor` is what the rest of the broker uses, and `Owner` what it asks of the broker in turn.
"""
