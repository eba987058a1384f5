"""What answers are made of: pages and files, found, rendered and kept in memory.

`files` finds a file, `authored` and `earlierruns` decide whether it is a template, `templates`
and `functionpages` render one, `readmes` the text beside it. `cache` keeps the result as long as
its `sources` are unchanged, if `templatereads` finds that every visitor gets the same.
Knows no request and no handler.
"""
