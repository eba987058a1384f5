"""Websockets: how they are read and written, looked after and closed.

`basesocket` is what all of them have in common; `pagesocket` is the one of an analysis' page,
`livereload` the one of pages without an analysis (that of `/_kernels` stands beside its page, in
`handlers.kernels`). `pace` gives each its turn, `opensockets` and `pagewatch` know the open ones.
"""
