"""The handlers of plain HTTP: pages, files, status, the kernels' page, a project's `routes.py`.

All of them build on `basehandler`, pages on `basepage` too. `rules` says which one answers which
address; none of them knows the application.
"""
