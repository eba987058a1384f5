"""With which codes the server closes websockets (docs/protocol.md 8.1).

Those below 4000 are of RFC 6455 section 7.4.1 and of the registry that it begins
(https://www.iana.org/assignments/websocket); it leaves 4000 and up to applications.
"""

from __future__ import annotations

GOING_AWAY = 1001  # the server stops
JUNK = 1008  # too many messages that are not understood, before `__connect`
TOO_LARGE = 1009
TRY_LATER = 1013  # the server, or the session, has as much as it may have
NOT_JOINED = 4000  # no `__connect` in time
STALLED = 4001  # the page does not take what is written
NO_PONG = 4002
UNFINISHED = 4003  # a message that does not end
GONE = 4004  # the analysis is no longer served

SERVER_STOPS = "the server stops"  # the reason that goes with GOING_AWAY
