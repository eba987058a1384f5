"""Write the tables of docs/reference/limits.md: python docs/make_limits.py [--check].

Whoever adds a limit adds a row here: what is held or done, the formula over the settings that
bound it, and the test that shows it. tests/test_docs.py fails when the page is not what this makes,
when a formula names a setting that is not there, or a row a test that is not there.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

from databench.settings import ROWS, Settings

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "limits.md"


@dataclass(frozen=True)
class Limit:
    """One row.

    Attributes:
        what: What is held, or done in one turn of the loop.
        formula: The most, over names of settings, in Python; where it has none, in words.
        unit: `bytes`, or what is counted.
        beyond: What happens beyond it.
        test: The test that shows it, as pytest names it.
    """

    what: str
    formula: str
    unit: str
    beyond: str
    test: str


SESSIONS = "tests/broker/sessions/test_sessions.py"
MEMORY = (
    Limit(
        "the whole server: all rows below together",
        "memory_budget_bytes",
        "bytes",
        "New sessions, large arguments and large replays are refused, and rings and `data` do not "
        "grow. The server closes sessions without a page: those whose results were seen, then "
        "those with unseen results of the client that uses most. One message per session may be in "
        "flight.",
        f"{SESSIONS}::test_whatever_one_client_does_the_sum_stays_within_the_budget",
    ),
    Limit(
        "the replay ring of a session, with the ends beside it",
        "2 * (ring_bytes + kernel_message_bytes) + 128 * (ring_messages + ring_ends)",
        "bytes",
        "The oldest messages are dropped; the newest stays whatever its size. A page that comes "
        "back gets `__gap`.",
        "tests/protocol/test_ring.py",
    ),
    Limit(
        "`data` of a session",
        "state_bytes",
        "bytes",
        "The value is not kept, and its page says so.",
        "tests/protocol/test_session.py::"
        "test_state_beyond_its_bytes_is_a_problem_and_a_smaller_value_is_none",
    ),
    Limit(
        "`class_data` of an analysis, with the frames for pages that join and come back",
        "3 * state_bytes",
        "bytes",
        "The write is refused.",
        "tests/broker/stores/test_class_data.py",
    ),
    Limit(
        "a replay in flight to one page, and one message",
        "replay_window_bytes + kernel_message_bytes",
        "bytes",
        "The next step waits until the page has read it. All pages share the bytes of the message.",
        f"{SESSIONS}::test_pages_that_read_nothing_hold_a_window_each_and_share_its_bytes",
    ),
    Limit(
        "new messages in flight to one page, and one more",
        "2 * credit_window_bytes + kernel_message_bytes",
        "bytes",
        "The page continues from the ring when it has read them; after `stall_limit_s` it is "
        "closed.",
        "tests/broker/sessions/test_outbox.py::test_a_page_that_lags_gets_no_more_until_it_has_drained",
    ),
    Limit(
        "arguments that wait for one kernel",
        "kernel_queue_bytes",
        "bytes",
        "The action ends with an error.",
        "tests/broker/sessions/test_requests.py",
    ),
    Limit(
        "sessions sent to one kernel that it has not read, with their state",
        "kernel_queue_bytes + state_bytes",
        "bytes",
        "Further sessions wait in the server until the kernel has read half of that.",
        "tests/broker/sessions/test_opening.py::test_sessions_that_a_kernel_does_not_read_wait_in_the_front",
    ),
    Limit(
        "incomplete messages of pages, and the same again of incomplete HTTP bodies",
        "2 * unfinished_bytes",
        "bytes",
        "The server closes the page with 1013, or answers the request with 503, with the reason; "
        "over the budget, it also does so if the message or body holds more than 64 KiB.",
        "tests/front/websockets/test_pace.py::"
        "test_beyond_the_budget_small_messages_go_on_and_large_ones_are_refused",
    ),
    Limit(
        "sessions kept only for a result that no page has seen",
        "result_bytes",
        "bytes",
        "The oldest is closed.",
        f"{SESSIONS}::test_sessions_that_wait_with_a_result_are_bounded_together",
    ),
    Limit(
        "sessions",
        "sessions",
        "sessions",
        "The server closes the oldest without a page, seen results first, but none that runs an "
        "action. If all have a page or run one, it refuses the new session.",
        f"{SESSIONS}::test_a_client_that_leaves_many_results_behind_locks_nobody_out",
    ),
    Limit(
        "sessions of one visitor",
        "sessions_per_person",
        "sessions",
        "The server closes the visitor's oldest session without a page.",
        f"{SESSIONS}::test_a_person_over_its_share_loses_its_own_and_is_shown_why",
    ),
    Limit(
        "sessions of one address (of IPv6: one /64); not of the loopback interface",
        "sessions_per_address",
        "sessions",
        "The server closes the address' oldest session without a page.",
        f"{SESSIONS}::test_an_address_has_a_share_of_its_own",
    ),
    Limit(
        "pages of one session",
        "session_pages",
        "pages",
        "The server closes the page with 1013 and the reason.",
        f"{SESSIONS}::test_a_session_has_so_many_pages_and_no_more",
    ),
    Limit(
        "reasons of closed sessions, for pages that come back",
        "512 * closed_sessions",
        "bytes",
        "The oldest is forgotten.",
        "tests/broker/sessions/test_holdings.py::test_reasons_are_remembered_for_so_many_sessions",
    ),
)
TURN = (
    Limit(
        "messages of kernels",
        "drain_messages",
        "messages",
        "The rest waits for the next turn, also after `drain_turn_s`.",
        "tests/broker/test_channel.py",
    ),
    Limit(
        "lines of one kernel's output",
        "output_turn_lines",
        "lines",
        "The server reads the rest after `output_pause_s`; it logs `output_rate_lines` per second, "
        "and counts the others.",
        "tests/broker/supervision/test_output.py::test_one_turn_hands_on_a_bounded_number_of_lines_and_loses_none",
    ),
    Limit(
        "frames of one page",
        "page_turn_frames",
        "frames",
        "The page waits for its next turn, also after `page_turn_bytes`, and, together with all "
        "other pages, after `drain_turn_s`.",
        "tests/protocol/test_turns.py::test_work_of_a_turn_is_bounded_whatever_pages_send",
    ),
    Limit(
        "frames of all pages that wait for their turn",
        "page_turns * page_turn_frames",
        "frames",
        "The next pages get the next turn, in order.",
        "tests/front/websockets/test_pace.py::test_flooding_pages_have_a_bounded_part_of_each_round",
    ),
    Limit(
        "a step of a page's replay",
        "replay_window_bytes + kernel_message_bytes",
        "bytes",
        "The next step gets another turn.",
        "tests/broker/sessions/test_outbox.py::"
        "test_a_replay_is_written_in_steps_of_a_window_and_taken_as_it_is_written",
    ),
    Limit(
        "sessions opened in a new kernel",
        "turn_sessions",
        "sessions",
        "The next turn opens more; those with a page come first.",
        "tests/broker/test_pools.py::"
        "test_a_new_kernel_is_told_of_so_many_sessions_in_a_turn_and_of_those_with_pages_first",
    ),
    Limit(
        "sessions that get a change of their kernel's state",
        "turn_sessions",
        "sessions",
        "The next turn sends it to more; sessions without a page get nothing.",
        "tests/broker/test_pools.py::"
        "test_only_sessions_with_pages_are_shown_a_change_and_so_many_in_a_turn",
    ),
    Limit(
        "sessions closed",
        "turn_sessions",
        "sessions",
        "The next turn closes more.",
        f"{SESSIONS}::test_many_sessions_are_closed_in_parts",
    ),
)


def evaluate(limit: Limit) -> int:
    """What the formula gives with the default settings."""
    values = {name: row.default for name, row in ROWS.items()}
    return int(eval(limit.formula, {"__builtins__": {}}, values))  # our own rows, above


def find_settings(limit: Limit) -> list[str]:
    """The names in the formula."""
    nodes = ast.walk(ast.parse(limit.formula, mode="eval"))
    return [node.id for node in nodes if isinstance(node, ast.Name)]


def _number(limit: Limit) -> str:
    value = evaluate(limit)
    if limit.formula == "memory_budget_bytes" and not Settings().memory_budget_bytes:
        return "half of the machine's memory, or of its control group's"
    if limit.unit != "bytes":
        return f"{value:,} {limit.unit}"
    return f"{value / 2**20:,.1f} MiB"


def table(limits: tuple[Limit, ...]) -> str:
    """The rows, in the order of the source."""
    lines = ["| what | at most | by default | beyond it | shown by |", "|---|---|---|---|---|"]
    for limit in limits:
        test = limit.test.removeprefix("tests/").partition("::")
        shown = f"`{test[2] or test[0]}`"
        cells = (limit.what, f"`{limit.formula}`", _number(limit), limit.beyond, shown)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def render(page: str) -> str:
    """The page with its tables made anew."""
    for name, limits in (("memory", MEMORY), ("turn", TURN)):
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        page = before + begin + "\n" + table(limits) + "\n" + end + after
    return page


def main() -> int:
    """Write the page, or with `--check` say whether it is up to date."""
    text = PAGE.read_text()
    made = render(text)
    if "--check" in sys.argv:
        return int(made != text)
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
