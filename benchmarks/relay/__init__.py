"""The minimal relay that Databench is measured against.

What a competent person would write in an hour: a Tornado websocket, a ZMQStream on one
ROUTER over ipc, and a subprocess with a DEALER that echoes opaque bytes. No sessions, no
replay, no credit, no supervision, no pages. Everything at its default but Nagle, which
Tornado turns back on after the HTTP part and which would cost every exchange 40 ms.
"""
