"""The cases, topic by topic, in the order in which a kernel's author makes them pass."""

from __future__ import annotations

from ..case import Case
from . import actions, cancel, class_data, end, flow, payloads, sessions, start, state

TOPICS = (
    start.TOPIC,
    sessions.TOPIC,
    actions.TOPIC,
    payloads.TOPIC,
    end.TOPIC,
    state.TOPIC,
    class_data.TOPIC,
    cancel.TOPIC,
    flow.TOPIC,
)
CASES: tuple[Case, ...] = tuple(case for topic in TOPICS for case in topic.cases)
