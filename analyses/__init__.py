"""The demo analyses; installed as `databench.analyses_packaged`."""
