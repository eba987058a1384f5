"""Kernels' processes: started, watched, limited, ended; nothing of sessions or pages is known here.

`Supervisor` is what the rest of the broker uses, and `Owner` what it asks of the broker in turn.
"""
