"""The command line: whose word is whose, and how the command ends."""

import os
import re
import signal
import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench import cli, settings
from databench._version import __version__

# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("words", "own", "others"),
    [
        ([], [], []),
        (["--port", "5001"], ["--port", "5001"], []),
        (["--port=5001", "--x", "1"], ["--port=5001"], ["--x", "1"]),
        (["--x", "--port", "1"], [], ["--x", "--port", "1"]),
        (["pi.py", "--x"], ["pi.py"], ["--x"]),
        (["--port", "1", "pi.py", "-n", "3"], ["--port", "1", "pi.py"], ["-n", "3"]),
        (["pi.py", "small.csv", "--port", "1"], ["pi.py"], ["small.csv", "--port", "1"]),
        (["--xheaders", "pi.py"], ["--xheaders", "pi.py"], []),
        (
            ["--allow-host", "a", "--allow-host", "b"],
            ["--allow-host", "a", "--allow-host", "b"],
            [],
        ),
        (["--port", "1", "--", "--port", "2"], ["--port", "1"], ["--port", "2"]),
        (["--por", "1"], [], ["--por", "1"]),  # no abbreviations: it may be the analysis'
        (["--port", "--x"], ["--port", "--x"], []),
        (["--session-grace-s", "5", "--y"], ["--session-grace-s", "5"], ["--y"]),
        (["--no-debug", "--z=1"], ["--no-debug"], ["--z=1"]),
    ],
)
def test_words_from_the_first_unknown_option_on_are_the_analyses(words, own, others):
    assert cli.split(cli.make_parser(), words) == (own, others)


@given(st.lists(st.sampled_from(["--port", "1", "--x", "--port=1", "a.py", "-", "--xheaders"])))
def test_no_word_is_lost_or_moved(words):
    own, others = cli.split(cli.make_parser(), words)
    assert own + others == words
    is_word_too_many = others[:1] and not others[0].startswith("--")
    assert not others or others[0] == "--x" or is_word_too_many


def test_level_is_one_of_ours(capsys):
    assert cli.make_parser().parse_args(["--log", "debug"]).log == "DEBUG"
    with pytest.raises(SystemExit) as caught:
        cli.main(["--log", "loud"], {})
    assert caught.value.code == 2
    assert "DEBUG" in capsys.readouterr().err


def test_each_setting_is_an_option():
    options = cli.make_parser().parse_args(["--session-grace-s", "5"])
    assert options.session_grace_s == "5"
    for row in settings.TABLE:
        assert hasattr(options, row.name)


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"], {})
    assert caught.value.code == 0
    text = capsys.readouterr().out
    options = ("--host", "--port", "--log", "--analyses", "--allow-host", "--version", "--debug")
    for option in (*options, *(row.option for row in settings.TABLE)):
        assert option in text


def test_version_is_told(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"], {})
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"databench {__version__}\n"


@pytest.mark.usefixtures("_logging_kept")
@pytest.mark.parametrize(
    ("words", "environ", "complaint"),
    [
        (["nwe"], {}, "'nwe' is neither a subcommand nor a file; did you mean 'new'?"),
        (["--analyses", "/nowhere/at.all"], {}, "neither a folder"),
        (["--port", "x"], {}, "port (--port) is 'x', expected 0 to 65535"),
        ([], {"PORT": "x"}, "port (PORT) is 'x'"),
        (["--prot", "5099"], {}, "there is no option '--prot'; did you mean '--port'? If it is"),
        (["--ring-bytes", "many"], {}, "ring_bytes (--ring-bytes) is 'many', expected a whole"),
        ([], {"DATABENCH_RING_BYTES": "1"}, "minimum 4096"),
        (["--host", "203.0.113.1"], {}, "cannot listen on host '203.0.113.1'"),
        (["--ssl-port=x"], {}, "port (--ssl-port) is 'x', expected 0 to 65535"),
        ([], {"SSLPORT": "x"}, "port (SSLPORT) is 'x', expected 0 to 65535"),
        (["--ssl-certfile", "no.pem"], {}, "--ssl-certfile is 'no.pem', which cannot be read: No"),
        (["--ssl-only"], {}, "--ssl-only needs --ssl-certfile"),
        ([], {"SSLKEYFILE": "k.pem"}, "--ssl-keyfile is 'k.pem', but --ssl-certfile is missing"),
        (["--ssl-port", "0", "--host", "0.0.0.0"], {}, "needs a loopback host, but the host is '0"),
    ],
)
def test_what_cannot_be_used_is_told_and_ends_with_2(words, environ, complaint, capsys):
    assert cli.main(words, environ) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["new", "pi"], ["pi.py"], ["kernels"], ["--help"]])
def test_a_working_directory_that_was_removed_is_said_in_words(
    words, capsys, tmp_path, monkeypatch
):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert cli.main(words, {}) == 2
    assert "was removed or renamed. Change to another folder" in capsys.readouterr().err


def test_options_behind_a_dash_pair_are_the_analyses(monkeypatch):
    from databench.front import serve

    given = []
    monkeypatch.setattr(
        serve, "serve", lambda _options, _environ, cli_args, _: given.append(cli_args)
    )
    cli.main(["--", "--ssl-port", "1"], {})
    assert given == [["--ssl-port", "1"]]


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("p.py", "'p.py' is neither a subcommand nor a file; did you mean 'pi.py'?"),
        ("sub/my_pi.py", "did you mean 'sub/my-pi.py'?"),
        ("pi", "'pi' is neither a subcommand nor a file; did you mean 'pi.py'?"),
        ("new2", "did you mean 'new'?"),
        ("reports", "databench --help lists the commands"),
        ("data.csv", "'data.csv' is not a Python file, expected FILE.py"),
        ("sub", "'sub' is a folder; to serve the analyses in it, give --analyses sub"),
        ("one", "'one' is a folder; to serve the analysis in it, give one/analysis.py"),
        ("nowhere/pi.py", "'nowhere/pi.py' is neither a subcommand nor a file"),
    ],
)
def test_file_that_cannot_be_served_is_told_with_the_nearest(
    target, complaint, tmp_path, monkeypatch, capsys
):
    for name in ("pi.py", "data.csv", "sub/my-pi.py", "one/analysis.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert cli.main([target], {}) == 2
    assert complaint in capsys.readouterr().err


def test_script_has_the_options_but_those_of_folders(tmp_path):
    from databench.front.startup.script import from_file

    (tmp_path / "pi.py").touch()
    parser = cli.make_parser(from_file(tmp_path / "pi.py", argv=("pi.py",)))
    assert cli.split(parser, ["--port", "1", "x", "--port", "2"])[0] == ["--port", "1"]
    assert cli.split(parser, ["--analyses", "x"]) == ([], ["--analyses", "x"])
    options = parser.parse_args(["--session-grace-s", "5"])
    assert (options.session_grace_s, options.target, options.analyses) == ("5", None, None)
    assert "usage: pi.py [options]" in parser.format_help()


@pytest.fixture
def _logging_kept():
    """Loggers as they were before the command set them."""
    import logging

    loggers = [logging.getLogger(), logging.getLogger("databench")]
    before = [(logger, logger.handlers[:], logger.level) for logger in loggers]
    yield
    for logger, handlers, level in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)


# ---------------------------------------------------------------- the command itself


class Command:
    """`python -m databench` as a process, its lines as they come."""

    def __init__(self, repository, folder, *words, **environ):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "databench", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(repository), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines = []

    def wait_address(self):
        """Read up to the address; its port."""
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(r"http://\S+:(\d+)/", line):
                return int(found[1])
        raise AssertionError("".join(self.lines))

    def end(self):
        """Its exit status and all it said."""
        try:
            rest, _ = self.process.communicate(timeout=20)
        finally:
            self.process.kill()
        return self.process.returncode, "".join(self.lines) + rest


@pytest.fixture
def command(repository, tmp_path):
    (tmp_path / "analyses" / "x").mkdir(parents=True)
    (tmp_path / "analyses" / "x" / "analysis.py").write_text(
        "import databench\n\n\nclass X(databench.Analysis):\n    pass\n"
    )
    started = []

    def start(*words, **environ):
        started.append(Command(repository, tmp_path, *words, **environ))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        one.process.stdout.close()


def get(port, path="/"):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        )
        with client.makefile("rb") as answer:
            return answer.read().decode()


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_with_0(command, number):
    server = command("--port", "0")
    port = server.wait_address()
    assert get(port).startswith("HTTP/1.1 200")
    assert get(port, "/x/").startswith("HTTP/1.1 200")
    server.process.send_signal(number)
    status, said = server.end()
    assert status == 0, said
    assert "Traceback" not in said
    assert f"Databench {__version__}" in said
    assert "Ctrl-C stops" in said


@pytest.mark.process
@pytest.mark.slow
def test_port_that_was_asked_for_and_is_taken_ends_with_2(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said = command("--port", str(port)).end()
    assert status == 2
    assert said.startswith(f"databench: port {port} (--port) is taken on 127.0.0.1; ")
    assert len(said.splitlines()) == 1


@pytest.mark.process
@pytest.mark.slow
def test_port_and_host_come_from_the_environment(command):
    server = command(PORT="0", HOST="localhost")
    port = server.wait_address()
    assert get(port).startswith("HTTP/1.1 200")
    server.process.send_signal(signal.SIGTERM)
    assert server.end()[0] == 0


@pytest.mark.process
@pytest.mark.slow
def test_version_as_a_process(command):
    assert command("--version").end() == (0, f"databench {__version__}\n")


@pytest.mark.process
@pytest.mark.slow
def test_broken_entry_is_told_and_the_rest_is_served(command, tmp_path):
    (tmp_path / "analyses" / "index.yaml").write_text("titel: T\nanalyses: [x, gone]\n")
    server = command("--port", "0")
    port = server.wait_address()
    assert get(port, "/x/").startswith("HTTP/1.1 200")
    assert get(port, "/gone/").startswith("HTTP/1.1 503")
    server.process.send_signal(signal.SIGTERM)
    status, said = server.end()
    assert status == 0
    assert "analyses/index.yaml:1: unknown key 'titel' is ignored; did you mean 'title'?" in said
    assert "analyses/index.yaml:2: analysis 'gone': its folder" in said


def test_options_of_the_parser_are_the_ones_whose_misspelling_is_told():
    rows = {row.option for row in settings.TABLE}
    known = {word for word in cli.make_parser()._option_string_actions if word.startswith("--")}
    assert known - rows - {"--help", "--version", "--no-debug", "--no-watch"} == set(
        settings.OPTIONS
    )


@pytest.mark.parametrize(("words", "is_divided"), [(["--prot"], False), (["--", "--prot"], True)])
def test_what_a_lone_dash_pair_hands_on_is_not_taken_for_a_misspelling(
    words, is_divided, monkeypatch
):
    from databench.front import serve

    seen = []
    monkeypatch.setattr(serve, "serve", lambda options, *rest: seen.append(options) or 0)
    assert cli.main(["--port", "0", *words], {}) == 0
    assert seen[0].is_divided is is_divided
