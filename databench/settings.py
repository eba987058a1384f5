"""One table of every setting: name, default, unit and help.

The command line (`--session-grace-s 60`), the environment (`DATABENCH_SESSION_GRACE_S=60`) and
`index.yaml` (`settings: {session_grace_s: 60}`) all read this table, in that order of precedence;
the reference page is made from it. A limit that is not a row here does not exist.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping
from typing import Any, cast

from .errors import SettingError

Value = int | float
_SHOWN = 80
MAXIMUM = 2**53  # what each language and each number of JSON can hold


@dataclasses.dataclass(frozen=True)
class Setting:
    """One row of the table.

    Attributes:
        name: As in `Settings` and `index.yaml`; the unit is its ending.
        default: What holds when nobody says otherwise; its type is the setting's type.
        unit: `s`, `bytes`, `count` or `bytes/s`.
        minimum: The smallest value that is accepted.
        help: One sentence for people.
    """

    name: str
    default: Value
    unit: str
    minimum: Value
    help: str

    @property
    def option(self) -> str:
        """The command line's name for it."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment's name for it."""
        return "DATABENCH_" + self.name.upper()

    def parse(self, text: object, *, source: str) -> Value:
        """Make a value of what a person wrote.

        Args:
            text: A string, or a number from `index.yaml`.
            source: Where it was written, for the error.

        Raises:
            SettingError: It is no number, not finite, below the minimum or above 2^53.
        """
        kind = type(self.default)
        try:
            if isinstance(text, bool):
                raise ValueError
            value = kind(str(text))
            if not math.isfinite(value):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            wanted = "a whole number" if kind is int else "a number"
            raise SettingError(
                f"{self.name} ({source}) is {show(text)}, expected {wanted} in {self.unit}",
                name=self.name,
            ) from None
        if value > MAXIMUM:
            raise SettingError(
                f"{self.name} ({source}) is {show(value)} {self.unit}, maximum {MAXIMUM}; "
                f"the default is {self.default}",
                name=self.name,
            )
        if value < self.minimum:
            raise SettingError(
                f"{self.name} ({source}) is {show(value)} {self.unit}, minimum {self.minimum}; "
                f"the default is {self.default}",
                name=self.name,
            )
        return value


def _row(default: Value, unit: str, minimum: Value, text: str) -> Any:
    """A field with the rest of its row."""
    return dataclasses.field(
        default=default, metadata={"unit": unit, "minimum": minimum, "help": text}
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values in force: a field per row, each with its unit, its least value and what it is.

    A setting is a whole number or any number, as its field says.
    """

    # kernels
    start_limit_s: float = _row(30.0, "s", 0.1, "How long a kernel may take to say hello.")
    ping_interval_s: float = _row(2.0, "s", 0.05, "Time between two pings to a silent kernel.")
    ping_missed: int = _row(3, "count", 1, "Unanswered pings after which it is unresponsive.")
    hang_timeout_s: float = _row(
        0.0, "s", 0.0, "Silence after which a kernel is ended; 0 is never."
    )
    restart_limit: int = _row(5, "count", 1, "Deaths without a completed action before giving up.")
    restart_window_s: float = _row(180.0, "s", 1.0, "The time within which such deaths count.")
    restart_rate_s: float = _row(60.0, "s", 0.0, "The time within which restarts by pages count.")
    kernel_restarts: int = _row(10, "count", 1, "Restarts of one kernel that pages may ask for.")
    visitor_restarts: int = _row(10, "count", 1, "Restarts that one browser may ask for.")
    address_restarts: int = _row(40, "count", 1, "Restarts that one address may ask for.")
    hello_exit_limit: int = _row(2, "count", 1, "Exits before hello after which we give up.")
    backoff_first_s: float = _row(0.5, "s", 0.0, "Wait before the second restart that counts.")
    backoff_max_s: float = _row(30.0, "s", 0.0, "Longest wait before a restart.")
    cancel_attempts: int = _row(10, "count", 1, "Times that a kernel is asked to end a request.")
    cancel_limit_s: float = _row(2.0, "s", 0.1, "After this a cancel offers to end the kernel.")
    shutdown_limit_s: float = _row(5.0, "s", 0.2, "Time for the whole server to stop its kernels.")
    exit_drain_s: float = _row(1.0, "s", 0.0, "Silence after which a dead kernel is given up.")
    exit_drain_most_s: float = _row(30.0, "s", 0.0, "Time for all last messages of a dead kernel.")
    cull_after_s: float = _row(600.0, "s", 0.0, "A kernel nobody uses is ended; 0 is never.")
    max_kernels: int = _row(8, "count", 1, "Processes per analysis, where each session has one.")
    kernel_memory_bytes: int = _row(0, "bytes", 0, "Memory that a kernel may hold; 0: no limit.")
    kernel_processor_s: float = _row(0.0, "s", 0.0, "Processor time of one process; 0: no limit.")
    kernel_open_files: int = _row(0, "count", 0, "Files open in one process; 0: as for the server.")
    kernel_threads: int = _row(0, "count", 0, "Threads of numerical libraries; 0: as they choose.")
    poison_limit: int = _row(2, "count", 1, "Deaths of a kernel until an action is refused.")
    restore_deaths: int = _row(2, "count", 1, "Deaths over restored state until it is dropped.")
    start_alone_s: float = _row(10.0, "s", 0.0, "Longest wait of others for a suspected start.")
    start_settle_s: float = _row(1.0, "s", 0.0, "For so long after it a start may be suspected.")
    poison_suspects: int = _row(1000, "count", 1, "Actions that are remembered for such deaths.")
    kernel_queue_bytes: int = _row(64 * 2**20, "bytes", 2**16, "Bytes that wait for one kernel.")
    kernel_message_bytes: int = _row(64 * 2**20, "bytes", 2**16, "Largest message of a kernel.")
    socket_touch_s: float = _row(3600.0, "s", 1.0, "How often the socket's folder is touched.")
    kernel_message_frames: int = _row(64, "count", 2, "Most frames in one message of a kernel.")
    junk_messages: int = _row(1000, "count", 1, "Messages not understood until a kernel is ended.")
    output_line_bytes: int = _row(8192, "bytes", 80, "Longest captured line of a kernel's output.")
    output_rate_lines: int = _row(2000, "count", 1, "Lines of a kernel logged in a second.")
    output_bytes_per_s: int = _row(2**20, "bytes/s", 2**10, "Bytes of a kernel logged in a second.")
    output_turn_lines: int = _row(100, "count", 1, "Lines taken of a kernel's output per turn.")
    output_turn_bytes: int = _row(2**16, "bytes", 2**10, "Bytes taken of it per turn.")
    output_pause_s: float = _row(0.005, "s", 0.0, "Pause after such a turn, while there is more.")
    output_unfinished_s: float = _row(
        0.5, "s", 0.0, "Age at which a line without an end is shown too."
    )
    watched_files: int = _row(2000, "count", 1, "Source files of one kernel that are watched.")
    output_lines: int = _row(20, "count", 1, "Last lines of stderr that are kept per kernel.")
    output_progress_s: float = _row(
        10.0, "s", 0.0, "Time between two lines of a progress bar where the log is no terminal."
    )
    # the log
    log_queue_lines: int = _row(10_000, "count", 100, "Lines of the log that wait to be written.")
    log_queue_bytes: int = _row(4 * 2**20, "bytes", 2**16, "Bytes of such lines.")
    log_flush_s: float = _row(2.0, "s", 0.0, "How long the end waits for the log to be written.")
    # watching
    watch_scan_s: float = _row(2.0, "s", 0.1, "How often files are looked at without an event.")
    reload_limit: int = _row(
        3, "count", 1, "Restarts in a row by a file that each one writes again."
    )
    reload_window_s: float = _row(5.0, "s", 0.1, "How soon after a restart such a save counts.")
    reload_quiet_s: float = _row(10.0, "s", 0.1, "How long it is left alone until it counts again.")
    watched_folders: int = _row(2000, "count", 1, "Folders whose files are watched.")
    # builds
    build_limit_s: float = _row(600.0, "s", 0.1, "How long one command of build may take.")
    build_lines: int = _row(1000, "count", 0, "Lines of one build command that are shown.")
    # sessions
    memory_budget_bytes: int = _row(
        0,
        "bytes",
        0,
        "What the server holds for pages and kernels; 0: half of the machine or control group.",
    )
    open_actions: int = _row(256, "count", 1, "Actions that may be open in one session.")
    recent_ids: int = _row(1000, "count", 1, "Ended process ids that a session remembers.")
    ring_messages: int = _row(1000, "count", 1, "Messages in a session's replay ring.")
    ring_bytes: int = _row(4 * 2**20, "bytes", 2**12, "Bytes in a session's replay ring.")
    ring_ends: int = _row(1000, "count", 1, "Ends of requests kept beyond the replay ring.")
    state_bytes: int = _row(64 * 2**20, "bytes", 2**10, "State that one session or class may hold.")
    session_grace_s: float = _row(60.0, "s", 0.0, "How long a session without a page is kept.")
    result_grace_s: float = _row(86400.0, "s", 0.0, "How long an end that no page saw is kept.")
    result_bytes: int = _row(
        256 * 2**20, "bytes", 0, "Bytes of sessions that wait for a page beyond their grace."
    )
    session_link_s: float = _row(60.0, "s", 1.0, "Time for a page to join by a link of a session.")
    session_links: int = _row(1000, "count", 1, "Links of sessions that wait for such a join.")
    session_links_each: int = _row(20, "count", 1, "Of these, how many may be for one session.")
    flush_interval_s: float = _row(0.1, "s", 0.002, "Time within which a datastore has a write.")
    sessions: int = _row(10000, "count", 1, "Sessions that the server holds at once.")
    sessions_per_person: int = _row(200, "count", 1, "Sessions that one browser may have at once.")
    sessions_per_address: int = _row(
        2500,
        "count",
        1,
        "Sessions from one address at once; the loopback interface has no such limit.",
    )
    closed_sessions: int = _row(
        10000, "count", 0, "Closed sessions whose pages are shown the reason."
    )
    session_pages: int = _row(32, "count", 1, "Pages that one session has at once.")
    # connections
    http_idle_limit_s: float = _row(
        20.0, "s", 0.0, "How long a connection without a request is kept."
    )
    http_header_limit_s: float = _row(10.0, "s", 0.0, "Time for a request's headers, or for TLS.")
    http_body_limit_s: float = _row(30.0, "s", 0.0, "Time for the body of a request.")
    connections_per_address: int = _row(
        4096, "count", 0, "Connections of one address; 0: no limit."
    )
    hsts_s: float = _row(
        0.0,
        "s",
        0.0,
        "How long browsers are held to encryption (Strict-Transport-Security); 0: not.",
    )
    form_bytes: int = _row(2**20, "bytes", 2**10, "Largest form of a request, not of files.")
    # flow control
    credit_window_bytes: int = _row(4 * 2**20, "bytes", 2**10, "Bytes in flight per session.")
    replay_window_bytes: int = _row(2**20, "bytes", 1, "Bytes of a replay in flight to one page.")
    stall_limit_s: float = _row(120.0, "s", 0.1, "A page that has not drained for this is closed.")
    class_data_bytes: int = _row(
        64 * 2**20, "bytes", 2**10, "Answers to writes of class state that wait for a kernel."
    )
    # pages
    block_limit_s: float = _row(
        0.1, "s", 0.001, "How long a handler may hold up the server untold."
    )
    page_message_bytes: int = _row(10 * 2**20, "bytes", 2**10, "Largest message of a page.")
    page_value_bytes: int = _row(
        2**20, "bytes", 1, "Largest value that an input may write by itself."
    )
    page_keys: int = _row(100, "count", 0, "Values that a page may add with set_state.")
    page_message_limit_s: float = _row(
        30.0, "s", 0.1, "Time for a message of a page to come whole."
    )
    unfinished_bytes: int = _row(
        256 * 2**20,
        "bytes",
        2**16,
        "Bytes of messages of pages, and of bodies, that have not come whole.",
    )
    page_junk_messages: int = _row(10, "count", 0, "Answers to what comes before __connect.")
    page_turn_frames: int = _row(16, "count", 1, "Frames of one page that one turn handles.")
    page_turn_bytes: int = _row(2**18, "bytes", 2**10, "Bytes of one page that one turn handles.")
    page_turns: int = _row(4, "count", 1, "Waiting pages that share one turn.")
    project_files: int = _row(20000, "count", 1, "Files of a project that may be templates.")
    page_join_limit_s: float = _row(30.0, "s", 0.1, "Time for a websocket to say __connect.")
    page_ping_interval_s: float = _row(
        20.0, "s", 0.0, "Silence of a page before a ping; 0 is none."
    )
    page_pong_limit_s: float = _row(
        120.0, "s", 0.1, "A page silent for this after a ping is closed."
    )
    drain_messages: int = _row(100, "count", 1, "Messages taken from the kernels per wake-up.")
    turn_sessions: int = _row(
        200, "count", 1, "Sessions opened, shown a change or closed in one turn."
    )
    drain_turn_s: float = _row(0.002, "s", 0.0, "After this a turn takes no further message.")
    readme_bytes: int = _row(2**19, "bytes", 2**10, "Largest readme that is rendered.")
    readme_limit_s: float = _row(5.0, "s", 0.1, "Time to render one; then it is shown as text.")
    kept_bytes: int = _row(
        32 * 2**20, "bytes", 0, "Unchanged pages and small files kept in memory."
    )
    kept_check_s: float = _row(
        0.5, "s", 0.0, "How often, in production, what such a page was made of is looked at."
    )
    # the kernel's own
    batch_messages: int = _row(100, "count", 1, "Emits that are sent together.")
    batch_wait_s: float = _row(0.002, "s", 0.0, "How long an emit of a batch waits for others.")
    batch_plain_emits: int = _row(
        500, "count", 0, "Emits without a pause that plain code sends at once."
    )
    batch_quiet_emits: int = _row(16, "count", 0, "Emits of a quiet spell that are sent at once.")
    unawaited_bytes: int = _row(16 * 2**20, "bytes", 2**10, "Emits nobody awaited, out of credit.")
    plain_threads: int = _row(8, "count", 0, "Threads for plain actions beside the main one.")

    @property
    def values(self) -> dict[str, Value]:
        """All of them by name."""
        return {row.name: getattr(self, row.name) for row in TABLE}


TABLE = tuple(
    Setting(field.name, cast(Value, field.default), **field.metadata)
    for field in dataclasses.fields(Settings)
)
ROWS = {row.name: row for row in TABLE}
# The command line's other options (cli.py), for the nearest name of a misspelt one.
OPTIONS = [
    "--host",
    "--port",
    "--ssl-certfile",
    "--ssl-keyfile",
    "--ssl-port",
    "--ssl-only",
    "--analyses",
    "--log",
    "--allow-host",
    "--xheaders",
    "--admin-token",
    "--debug",
    "--watch",
    "--trust-pages",
    "--build",
    "--coverage",
]


def show(value: object) -> str:
    """What a person wrote, for a sentence: not longer than a line."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # more digits than Python shows
        return f"a very long {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def override(base: Settings, changes: Mapping[str, Any]) -> Settings:
    """Settings of which some are others.

    Raises:
        SettingError: A name that is no row.
    """
    for name in changes:
        find_row(name, source="values")
    return dataclasses.replace(base, **changes) if changes else base


def find_row(name: str, *, source: str) -> Setting:
    """The row of that name.

    Raises:
        SettingError: There is none; the text tells the nearest name.
    """
    row = ROWS.get(name)
    if row is None:
        near = difflib.get_close_matches(name, ROWS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SettingError(f"there is no setting {show(name)} ({source}){hint}", name=name)
    return row


def resolve(
    *,
    options: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    file: Mapping[str, object] | None = None,
) -> Settings:
    """Settings from the command line, the environment and `index.yaml`, first wins.

    Args:
        options: Name to text, as given on the command line.
        environ: The environment; variables that are no rows are left alone.
        file: The map under `settings:` in `index.yaml`.

    Raises:
        SettingError: An unknown name or a value that does not fit.
    """
    values: dict[str, Value] = {}
    for name, text in (file or {}).items():
        values[name] = find_row(name, source="index.yaml").parse(text, source="index.yaml")
    for row in TABLE:
        if environ is not None and row.variable in environ:
            values[row.name] = row.parse(environ[row.variable], source=row.variable)
    for name, text in (options or {}).items():
        row = find_row(name, source="command line")
        values[name] = row.parse(text, source=row.option)
    return override(Settings(), values)
