"""Who may do what: hosts and origins, visitors, administrators, keys, certificates.

A request passes `hosts` first. `visitors` knows the browser by a cookie, `access` the
administrator by a token. `sessionlinks` and `redaction` keep keys out of addresses and logs.
Knows nothing else of the front.
"""
