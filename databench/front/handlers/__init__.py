"""Which handler answers a request over plain HTTP: pages, files, status, kernels, `routes.py`."""
