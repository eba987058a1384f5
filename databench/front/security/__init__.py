"""Who may do what: hosts and origins, visitors and their cookies, administrators, keys, TLS."""
