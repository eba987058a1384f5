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
        default: The value without any other; its type is the setting's type.
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
        """Make a value of the user's text.

        Args:
            text: A string, or a number from `index.yaml`.
            source: Where it was written, for the error.

        Raises:
            SettingError: It is not a number, not finite, below the minimum or above 2^53.
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
    """The values in force: a field per row, each with its unit, its least value and its meaning.

    A setting is a whole number or any number, by the type of its field.
    """

    # kernels
    start_limit_s: float = _row(30.0, "s", 0.1, "Time for a kernel to send hello.")
    ping_interval_s: float = _row(2.0, "s", 0.05, "Time between two heartbeats to a silent kernel.")
    ping_missed: int = _row(3, "count", 1, "Unanswered heartbeats until a kernel is unresponsive.")
    hang_timeout_s: float = _row(
        0.0, "s", 0.0, "Silence after which the server ends a kernel; 0: never."
    )
    restart_limit: int = _row(5, "count", 1, "Crashes without a completed action until giving up.")
    restart_window_s: float = _row(180.0, "s", 1.0, "Time within which such crashes count.")
    restart_rate_s: float = _row(60.0, "s", 0.0, "Time within which restarts by pages count.")
    kernel_restarts: int = _row(10, "count", 1, "Restarts of one kernel that pages may request.")
    visitor_restarts: int = _row(10, "count", 1, "Restarts that one browser may request.")
    address_restarts: int = _row(40, "count", 1, "Restarts that one address may request.")
    hello_exit_limit: int = _row(2, "count", 1, "Exits before hello until giving up.")
    backoff_first_s: float = _row(0.5, "s", 0.0, "Delay before the second restart that counts.")
    backoff_max_s: float = _row(30.0, "s", 0.0, "Longest delay before a restart.")
    cancel_attempts: int = _row(10, "count", 1, "Times that a kernel is asked to end a request.")
    cancel_limit_s: float = _row(
        2.0, "s", 0.1, "Time after a cancel until a page offers to end the kernel."
    )
    shutdown_limit_s: float = _row(5.0, "s", 0.2, "Time for the server to stop its kernels.")
    exit_drain_s: float = _row(
        1.0, "s", 0.0, "Silence after which the server stops reading from a dead kernel."
    )
    exit_drain_most_s: float = _row(30.0, "s", 0.0, "Time for the last messages of a dead kernel.")
    cull_after_s: float = _row(
        600.0, "s", 0.0, "Time after which the server ends an unused kernel; 0: never."
    )
    max_kernels: int = _row(8, "count", 1, "Processes per analysis with isolation: session.")
    kernel_memory_bytes: int = _row(0, "bytes", 0, "Memory that a kernel may hold; 0: no limit.")
    kernel_processor_s: float = _row(0.0, "s", 0.0, "Processor time of one process; 0: no limit.")
    kernel_open_files: int = _row(0, "count", 0, "Files open in one process; 0: as for the server.")
    kernel_threads: int = _row(0, "count", 0, "Threads of numerical libraries; 0: their default.")
    poison_limit: int = _row(2, "count", 1, "Crashes of a kernel until an action is refused.")
    restore_deaths: int = _row(2, "count", 1, "Crashes over restored state until it is dropped.")
    start_alone_s: float = _row(10.0, "s", 0.0, "Longest wait behind a suspected start.")
    start_settle_s: float = _row(1.0, "s", 0.0, "Time after a start in which it may be suspected.")
    poison_suspects: int = _row(1000, "count", 1, "Actions that are remembered for such crashes.")
    kernel_queue_bytes: int = _row(64 * 2**20, "bytes", 2**16, "Bytes that wait for one kernel.")
    kernel_message_bytes: int = _row(64 * 2**20, "bytes", 2**16, "Largest message of a kernel.")
    socket_touch_s: float = _row(3600.0, "s", 1.0, "Time between touches of the socket's folder.")
    kernel_message_frames: int = _row(64, "count", 2, "Most frames in one message of a kernel.")
    junk_messages: int = _row(1000, "count", 1, "Invalid messages until the server ends a kernel.")
    output_line_bytes: int = _row(8192, "bytes", 80, "Longest captured line of a kernel's output.")
    output_rate_lines: int = _row(2000, "count", 1, "Lines of a kernel's output logged per second.")
    output_bytes_per_s: int = _row(
        2**20, "bytes/s", 2**10, "Bytes of a kernel's output logged per second."
    )
    output_turn_lines: int = _row(100, "count", 1, "Lines of a kernel's output read per turn.")
    output_turn_bytes: int = _row(2**16, "bytes", 2**10, "Bytes of that output read per turn.")
    output_pause_s: float = _row(0.005, "s", 0.0, "Pause after such a turn if there is more.")
    output_unfinished_s: float = _row(0.5, "s", 0.0, "Age at which an unfinished line is logged.")
    watched_files: int = _row(2000, "count", 1, "Source files of one kernel that are watched.")
    output_lines: int = _row(20, "count", 1, "Last lines of stderr kept per kernel.")
    output_progress_s: float = _row(
        10.0, "s", 0.0, "Time between two lines of a progress bar if the log is not a terminal."
    )
    # the log
    log_queue_lines: int = _row(10_000, "count", 100, "Log lines that may wait to be written.")
    log_queue_bytes: int = _row(
        4 * 2**20, "bytes", 2**16, "Bytes of log lines that may wait to be written."
    )
    log_flush_s: float = _row(2.0, "s", 0.0, "Time that the server waits at its end for the log.")
    # watching
    watch_scan_s: float = _row(2.0, "s", 0.1, "Time between two checks of files without events.")
    reload_limit: int = _row(
        3, "count", 1, "Restarts in a row by a file that the analysis itself writes."
    )
    reload_window_s: float = _row(
        5.0, "s", 0.1, "Time after a restart within which such a save counts."
    )
    reload_quiet_s: float = _row(
        10.0, "s", 0.1, "Time without a save until such a file counts again."
    )
    watched_folders: int = _row(2000, "count", 1, "Folders whose files are watched.")
    # builds
    build_limit_s: float = _row(600.0, "s", 0.1, "Time for one build command.")
    build_lines: int = _row(1000, "count", 0, "Lines of one build command that are logged.")
    # sessions
    memory_budget_bytes: int = _row(
        0,
        "bytes",
        0,
        "Memory of the server for pages and kernels; 0: half of the machine's or control group's.",
    )
    open_actions: int = _row(256, "count", 1, "Actions that may be open in one session.")
    recent_ids: int = _row(1000, "count", 1, "Ended process ids that a session remembers.")
    ring_messages: int = _row(1000, "count", 1, "Messages in a session's replay ring.")
    ring_bytes: int = _row(4 * 2**20, "bytes", 2**12, "Bytes in a session's replay ring.")
    ring_ends: int = _row(1000, "count", 1, "Ends of requests kept beyond the replay ring.")
    state_bytes: int = _row(64 * 2**20, "bytes", 2**10, "State of one session, or of one class.")
    session_grace_s: float = _row(60.0, "s", 0.0, "Time that a session without a page is kept.")
    result_grace_s: float = _row(
        86400.0, "s", 0.0, "Time that a result which no page has seen is kept."
    )
    result_bytes: int = _row(
        256 * 2**20, "bytes", 0, "Bytes of sessions without a page that are kept for a result."
    )
    session_link_s: float = _row(60.0, "s", 1.0, "Time for a page to join through a session link.")
    session_links: int = _row(1000, "count", 1, "Session links that may wait for a page to join.")
    session_links_each: int = _row(20, "count", 1, "Session links of one session that may wait.")
    flush_interval_s: float = _row(0.1, "s", 0.002, "Time until a change is on disk.")
    sessions: int = _row(10000, "count", 1, "Sessions that the server holds at once.")
    sessions_per_person: int = _row(200, "count", 1, "Sessions of one browser at once.")
    sessions_per_address: int = _row(
        2500,
        "count",
        1,
        "Sessions of one address at once; does not apply to the loopback interface.",
    )
    closed_sessions: int = _row(
        10000, "count", 0, "Closed sessions whose reason is kept for their pages."
    )
    session_pages: int = _row(32, "count", 1, "Pages of one session at once.")
    # connections
    http_idle_limit_s: float = _row(
        20.0, "s", 0.0, "Time that a connection without a request is kept."
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
        "Time that browsers use encryption only (Strict-Transport-Security); 0: not set.",
    )
    form_bytes: int = _row(2**20, "bytes", 2**10, "Largest form in a request, without files.")
    # flow control
    credit_window_bytes: int = _row(4 * 2**20, "bytes", 2**10, "Bytes in flight per session.")
    replay_window_bytes: int = _row(2**20, "bytes", 1, "Bytes of a replay in flight to one page.")
    stall_limit_s: float = _row(
        120.0, "s", 0.1, "Time without progress after which a slow page is closed."
    )
    class_data_bytes: int = _row(
        64 * 2**20, "bytes", 2**10, "Answers to writes of class state that may wait for a kernel."
    )
    # pages
    block_limit_s: float = _row(
        0.1, "s", 0.001, "Time that a handler may block the server before the log names it."
    )
    page_message_bytes: int = _row(10 * 2**20, "bytes", 2**10, "Largest message of a page.")
    page_value_bytes: int = _row(
        2**20, "bytes", 1, "Largest value that an input without a handler may write."
    )
    page_keys: int = _row(100, "count", 0, "Values that a page may add with set_state.")
    page_message_limit_s: float = _row(
        30.0, "s", 0.1, "Time for a message of a page to arrive whole."
    )
    unfinished_bytes: int = _row(
        256 * 2**20,
        "bytes",
        2**16,
        "Bytes of incomplete messages of pages; the same again of HTTP bodies.",
    )
    page_junk_messages: int = _row(10, "count", 0, "Answers to other messages before __connect.")
    page_turn_frames: int = _row(16, "count", 1, "Frames of one page that one turn handles.")
    page_turn_bytes: int = _row(2**18, "bytes", 2**10, "Bytes of one page that one turn handles.")
    page_turns: int = _row(4, "count", 1, "Waiting pages that share one turn.")
    project_files: int = _row(20000, "count", 1, "Files of a project that may be templates.")
    page_join_limit_s: float = _row(30.0, "s", 0.1, "Time for a websocket to send __connect.")
    page_ping_interval_s: float = _row(
        20.0, "s", 0.0, "Silence of a page before a ping; 0: no pings."
    )
    page_pong_limit_s: float = _row(
        120.0, "s", 0.1, "Silence after a ping until the page is closed."
    )
    drain_messages: int = _row(100, "count", 1, "Messages read from the kernels per wake-up.")
    turn_sessions: int = _row(
        200, "count", 1, "Sessions opened, shown a change or closed in one turn."
    )
    drain_turn_s: float = _row(0.002, "s", 0.0, "Time after which a turn reads no further message.")
    readme_bytes: int = _row(2**19, "bytes", 2**10, "Largest readme that is rendered.")
    readme_limit_s: float = _row(
        5.0, "s", 0.1, "Time to render a readme; then it is shown as text."
    )
    kept_bytes: int = _row(
        32 * 2**20, "bytes", 0, "Unchanged pages and small files kept in memory."
    )
    kept_check_s: float = _row(
        0.5, "s", 0.0, "Time between two checks, in production, of the files behind such a page."
    )
    # the kernel's own
    batch_messages: int = _row(100, "count", 1, "Emits that are sent together.")
    batch_wait_s: float = _row(0.002, "s", 0.0, "Time that an emit waits for others to batch with.")
    batch_plain_emits: int = _row(
        500, "count", 0, "Emits without a pause that plain code sends one by one."
    )
    batch_quiet_emits: int = _row(16, "count", 0, "Emits after a pause that are sent at once.")
    unawaited_bytes: int = _row(
        16 * 2**20, "bytes", 2**10, "Bytes of unawaited emits that may wait for credit."
    )
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
    "--trace-kernel",
    "--trace-file",
    "--xheaders",
    "--admin-token",
    "--debug",
    "--watch",
    "--trust-pages",
    "--build",
    "--coverage",
]


def show(value: object) -> str:
    """A user's text, for a sentence: not longer than a line."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # more digits than Python shows
        return f"a very long {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def override(base: Settings, changes: Mapping[str, Any]) -> Settings:
    """Settings of which some are others.

    Raises:
        SettingError: A name that is not a row.
    """
    for name in changes:
        find_row(name, source="values")
    return dataclasses.replace(base, **changes) if changes else base


def find_row(name: str, *, source: str) -> Setting:
    """The row of that name.

    Raises:
        SettingError: There is none; the text has the nearest name.
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
        environ: The environment; variables that are not rows are left alone.
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
