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
from typing import Any

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


TABLE = (
    # kernels
    Setting("start_limit_s", 30.0, "s", 0.1, "How long a kernel may take to say hello."),
    Setting("ping_interval_s", 2.0, "s", 0.05, "Time between two pings to a silent kernel."),
    Setting("ping_missed", 3, "count", 1, "Unanswered pings after which it is unresponsive."),
    Setting("hang_timeout_s", 0.0, "s", 0.0, "Silence after which a kernel is ended; 0 is never."),
    Setting("restart_limit", 5, "count", 1, "Deaths without a completed action before giving up."),
    Setting("restart_window_s", 180.0, "s", 1.0, "The time within which such deaths count."),
    Setting("restart_rate_s", 60.0, "s", 0.0, "The time within which restarts by pages count."),
    Setting("kernel_restarts", 10, "count", 1, "Restarts of one kernel that pages may ask for."),
    Setting("visitor_restarts", 10, "count", 1, "Restarts that one browser may ask for."),
    Setting("address_restarts", 40, "count", 1, "Restarts that one address may ask for."),
    Setting("hello_exit_limit", 2, "count", 1, "Exits before hello after which we give up."),
    Setting("backoff_first_s", 0.5, "s", 0.0, "Wait before the second restart that counts."),
    Setting("backoff_max_s", 30.0, "s", 0.0, "Longest wait before a restart."),
    Setting("cancel_attempts", 10, "count", 1, "Times that a kernel is asked to end a request."),
    Setting("cancel_limit_s", 2.0, "s", 0.1, "After this a cancel offers to end the kernel."),
    Setting("shutdown_limit_s", 5.0, "s", 0.2, "Time for the whole server to stop its kernels."),
    Setting("exit_drain_s", 1.0, "s", 0.0, "Silence after which a dead kernel is given up."),
    Setting("exit_drain_most_s", 30.0, "s", 0.0, "Time for all last messages of a dead kernel."),
    Setting("cull_after_s", 600.0, "s", 0.0, "A kernel nobody uses is ended; 0 is never."),
    Setting("max_kernels", 8, "count", 1, "Processes per analysis, where each session has one."),
    Setting("kernel_memory_bytes", 0, "bytes", 0, "Memory that a kernel may hold; 0: no limit."),
    Setting("kernel_processor_s", 0.0, "s", 0.0, "Processor time of one process; 0: no limit."),
    Setting("kernel_open_files", 0, "count", 0, "Files open in one process; 0: as for the server."),
    Setting("kernel_threads", 0, "count", 0, "Threads of numerical libraries; 0: as they choose."),
    Setting("poison_limit", 2, "count", 1, "Deaths of a kernel until an action is refused."),
    Setting("restore_deaths", 2, "count", 1, "Deaths over restored state until it is dropped."),
    Setting("start_alone_s", 10.0, "s", 0.0, "Longest wait of others for a suspected start."),
    Setting("start_settle_s", 1.0, "s", 0.0, "For so long after it a start may be suspected."),
    Setting("poison_suspects", 1000, "count", 1, "Actions that are remembered for such deaths."),
    Setting("kernel_queue_bytes", 64 * 2**20, "bytes", 2**16, "Bytes that wait for one kernel."),
    Setting("kernel_message_bytes", 64 * 2**20, "bytes", 2**16, "Largest message of a kernel."),
    Setting("socket_touch_s", 3600.0, "s", 1.0, "How often the socket's folder is touched."),
    Setting("kernel_message_frames", 64, "count", 2, "Most frames in one message of a kernel."),
    Setting("junk_messages", 1000, "count", 1, "Messages not understood until a kernel is ended."),
    Setting("output_line_bytes", 8192, "bytes", 80, "Longest captured line of a kernel's output."),
    Setting("output_rate_lines", 2000, "count", 1, "Lines of a kernel logged in a second."),
    Setting("output_bytes_per_s", 2**20, "bytes/s", 2**10, "Bytes of a kernel logged in a second."),
    Setting("output_turn_lines", 100, "count", 1, "Lines taken of a kernel's output per turn."),
    Setting("output_turn_bytes", 2**16, "bytes", 2**10, "Bytes taken of it per turn."),
    Setting("output_pause_s", 0.005, "s", 0.0, "Pause after such a turn, while there is more."),
    Setting(
        "output_unfinished_s", 0.5, "s", 0.0, "Age at which a line without an end is shown too."
    ),
    Setting("watched_files", 2000, "count", 1, "Source files of one kernel that are watched."),
    Setting("output_lines", 20, "count", 1, "Last lines of stderr that are kept per kernel."),
    Setting(
        "output_progress_s",
        10.0,
        "s",
        0.0,
        "Time between two lines of a progress bar where the log is no terminal.",
    ),
    # the log
    Setting("log_queue_lines", 10_000, "count", 100, "Lines of the log that wait to be written."),
    Setting("log_queue_bytes", 4 * 2**20, "bytes", 2**16, "Bytes of such lines."),
    Setting("log_flush_s", 2.0, "s", 0.0, "How long the end waits for the log to be written."),
    # watching
    Setting("watch_scan_s", 2.0, "s", 0.1, "How often files are looked at without an event."),
    Setting(
        "reload_limit", 3, "count", 1, "Restarts in a row by a file that each one writes again."
    ),
    Setting("reload_window_s", 5.0, "s", 0.1, "How soon after a restart such a save counts."),
    Setting("reload_quiet_s", 10.0, "s", 0.1, "How long it is left alone until it counts again."),
    Setting("watched_folders", 2000, "count", 1, "Folders whose files are watched."),
    # builds
    Setting("build_limit_s", 600.0, "s", 0.1, "How long one command of build may take."),
    Setting("build_lines", 1000, "count", 0, "Lines of one build command that are shown."),
    # sessions
    Setting(
        "memory_budget_bytes",
        0,
        "bytes",
        0,
        "What the server holds for pages and kernels; 0: half of the machine or control group.",
    ),
    Setting("open_actions", 256, "count", 1, "Actions that may be open in one session."),
    Setting("recent_ids", 1000, "count", 1, "Ended process ids that a session remembers."),
    Setting("ring_messages", 1000, "count", 1, "Messages in a session's replay ring."),
    Setting("ring_bytes", 4 * 2**20, "bytes", 2**12, "Bytes in a session's replay ring."),
    Setting("ring_ends", 1000, "count", 1, "Ends of requests kept beyond the replay ring."),
    Setting("state_bytes", 64 * 2**20, "bytes", 2**10, "State that one session or class may hold."),
    Setting("session_grace_s", 60.0, "s", 0.0, "How long a session without a page is kept."),
    Setting("result_grace_s", 86400.0, "s", 0.0, "How long an end that no page saw is kept."),
    Setting(
        "result_bytes",
        256 * 2**20,
        "bytes",
        0,
        "Bytes of sessions that wait for a page beyond their grace.",
    ),
    Setting("session_link_s", 60.0, "s", 1.0, "Time for a page to join by a link of a session."),
    Setting("session_links", 1000, "count", 1, "Links of sessions that wait for such a join."),
    Setting("session_links_each", 20, "count", 1, "Of these, how many may be for one session."),
    Setting("flush_interval_s", 0.1, "s", 0.002, "Time within which a datastore has a write."),
    Setting("sessions", 10000, "count", 1, "Sessions that the server holds at once."),
    Setting("sessions_per_person", 200, "count", 1, "Sessions that one browser may have at once."),
    Setting(
        "sessions_per_address",
        2500,
        "count",
        1,
        "Sessions from one address at once; the loopback interface has no such limit.",
    ),
    Setting(
        "closed_sessions", 10000, "count", 0, "Closed sessions whose pages are shown the reason."
    ),
    Setting("session_pages", 32, "count", 1, "Pages that one session has at once."),
    # connections
    Setting(
        "http_idle_limit_s", 20.0, "s", 0.0, "How long a connection without a request is kept."
    ),
    Setting("http_header_limit_s", 10.0, "s", 0.0, "Time for a request's headers, or for TLS."),
    Setting("http_body_limit_s", 30.0, "s", 0.0, "Time for the body of a request."),
    Setting(
        "connections_per_address",
        4096,
        "count",
        0,
        "Connections of one address; 0: no limit.",
    ),
    Setting(
        "hsts_s",
        0.0,
        "s",
        0.0,
        "How long browsers are held to encryption (Strict-Transport-Security); 0: not.",
    ),
    Setting("form_bytes", 2**20, "bytes", 2**10, "Largest form of a request, not of files."),
    # flow control
    Setting("credit_window_bytes", 4 * 2**20, "bytes", 2**10, "Bytes in flight per session."),
    Setting("replay_window_bytes", 2**20, "bytes", 1, "Bytes of a replay in flight to one page."),
    Setting("stall_limit_s", 120.0, "s", 0.1, "A page that has not drained for this is closed."),
    Setting(
        "class_data_bytes",
        64 * 2**20,
        "bytes",
        2**10,
        "Answers to writes of class state that wait for a kernel.",
    ),
    # pages
    Setting("block_limit_s", 0.1, "s", 0.001, "How long a handler may hold up the server untold."),
    Setting("page_message_bytes", 10 * 2**20, "bytes", 2**10, "Largest message of a page."),
    Setting(
        "page_value_bytes", 2**20, "bytes", 1, "Largest value that an input may write by itself."
    ),
    Setting("page_keys", 100, "count", 0, "Values that a page may add with set_state."),
    Setting("page_message_limit_s", 30.0, "s", 0.1, "Time for a message of a page to come whole."),
    Setting(
        "unfinished_bytes",
        256 * 2**20,
        "bytes",
        2**16,
        "Bytes of messages of pages, and of bodies, that have not come whole.",
    ),
    Setting("page_junk_messages", 10, "count", 0, "Answers to what comes before __connect."),
    Setting("page_turn_frames", 16, "count", 1, "Frames of one page that one turn handles."),
    Setting("page_turn_bytes", 2**18, "bytes", 2**10, "Bytes of one page that one turn handles."),
    Setting("page_turns", 4, "count", 1, "Waiting pages that share one turn."),
    Setting("project_files", 20000, "count", 1, "Files of a project that may be templates."),
    Setting("page_join_limit_s", 30.0, "s", 0.1, "Time for a websocket to say __connect."),
    Setting("page_ping_interval_s", 20.0, "s", 0.0, "Silence of a page before a ping; 0 is none."),
    Setting("page_pong_limit_s", 120.0, "s", 0.1, "A page silent for this after a ping is closed."),
    Setting("drain_messages", 100, "count", 1, "Messages taken from the kernels per wake-up."),
    Setting(
        "turn_sessions", 200, "count", 1, "Sessions opened, shown a change or closed in one turn."
    ),
    Setting("drain_turn_s", 0.002, "s", 0.0, "After this a turn takes no further message."),
    Setting("readme_bytes", 2**19, "bytes", 2**10, "Largest readme that is rendered."),
    Setting("readme_limit_s", 5.0, "s", 0.1, "Time to render one; then it is shown as text."),
    Setting(
        "kept_bytes", 32 * 2**20, "bytes", 0, "Unchanged pages and small files kept in memory."
    ),
    Setting(
        "kept_check_s",
        0.5,
        "s",
        0.0,
        "How often, in production, what such a page was made of is looked at.",
    ),
    # the kernel's own
    Setting("batch_messages", 100, "count", 1, "Emits that are sent together."),
    Setting("batch_wait_s", 0.002, "s", 0.0, "How long an emit of a batch waits for others."),
    Setting(
        "batch_plain_emits", 500, "count", 0, "Emits without a pause that plain code sends at once."
    ),
    Setting("batch_quiet_emits", 16, "count", 0, "Emits of a quiet spell that are sent at once."),
    Setting("unawaited_bytes", 16 * 2**20, "bytes", 2**10, "Emits nobody awaited, out of credit."),
    Setting("plain_threads", 8, "count", 0, "Threads for plain actions beside the main one."),
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


@dataclasses.dataclass(frozen=True)
class Settings:
    """The values in force: one attribute per row of `TABLE`, looked up by name.

    Args:
        values: Overrides by name; absent names have their defaults.

    Raises:
        SettingError: A name that is no row (it tells the nearest).
    """

    values: Mapping[str, Value] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.values:
            find_row(name, source="values")
        merged = {row.name: self.values.get(row.name, row.default) for row in TABLE}
        object.__setattr__(self, "values", merged)
        self.__dict__.update(merged)  # some are asked for with each message

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"there is no setting {name!r}")


def show(value: object) -> str:
    """What a person wrote, for a sentence: not longer than a line."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # more digits than Python shows
        return f"a very long {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def override(base: Settings, changes: Mapping[str, Value]) -> Settings:
    """Settings of which some are others.

    Raises:
        SettingError: A name that is no row.
    """
    return Settings({**base.values, **changes}) if changes else base


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
    return Settings(values)
