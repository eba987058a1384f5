"""Who may administer the server: the token, the cookie for it, and where it is kept."""

import logging
import os
import stat
import threading

import pytest
import tornado.httputil

from databench.cli import make_parser
from databench.errors import SettingError
from databench.front.security import access
from databench.front.security.access import Access

TOKEN = "a-token-of-a-test"
PROJECT = "0a1b2c3d"


def ask(uri="/", method="GET", protocol="http", **headers):
    start = tornado.httputil.RequestStartLine(method, uri, "HTTP/1.1")
    fields = tornado.httputil.HTTPHeaders({"Host": "localhost", **headers})
    request = tornado.httputil.HTTPServerRequest(start_line=start, headers=fields)
    request.protocol = protocol
    return request


def make(token=TOKEN, port=5000, project=PROJECT, **more):
    return Access(token, port=port, project=project, **more)


# ---------------------------------------------------------------- development


@pytest.mark.parametrize(
    ("option", "environ", "host", "debug"),
    [
        (None, {}, "127.0.0.1", True),
        (None, {}, "localhost", True),
        (None, {}, "::1", True),
        (None, {}, "0.0.0.0", False),
        (None, {}, "192.168.1.5", False),
        (None, {"DEBUG": "0"}, "127.0.0.1", False),
        (None, {"DEBUG": "1"}, "0.0.0.0", True),
        (None, {"DEBUG": "*app"}, "127.0.0.1", True),  # another program's variable
        (False, {"DEBUG": "1"}, "127.0.0.1", False),
        (True, {"DEBUG": "0"}, "0.0.0.0", True),
    ],
)
def test_development_is_the_default_where_nobody_else_can_connect(option, environ, host, debug):
    assert access.is_development(option=option, environ=environ, host=host) is debug


@pytest.mark.parametrize(
    ("allowed", "is_proxied", "debug"),
    [
        ((), False, True),
        (("localhost", "lab.localhost", "127.0.0.2"), False, True),
        (("analyses.example",), False, False),
        (("localhost", "analyses.example"), False, False),
        (("*",), False, False),
        ((), True, False),
    ],
)
def test_what_only_a_proxy_needs_is_production(allowed, is_proxied, debug):
    words = {"environ": {}, "host": "127.0.0.1", "allowed": allowed, "is_proxied": is_proxied}
    assert access.is_development(option=None, **words) is debug
    assert access.is_development(option=True, **words) is True


@pytest.mark.parametrize(
    ("words", "debug", "said"),
    [
        ([], True, None),
        (["--host", "127.0.0.1"], True, None),
        (["--allow-host", "localhost"], True, None),
        (["--allow-host", "analyses.example"], False, "--allow-host: visitors"),
        (["--xheaders"], False, "--xheaders: visitors"),
        (
            ["--xheaders", "--allow-host", "a.example"],
            False,
            "--xheaders and --allow-host: visitors",
        ),
        (["--xheaders", "--debug"], True, None),
        (["--xheaders", "--no-debug"], False, None),
        (["--host", "0.0.0.0"], False, None),
    ],
)
def test_documented_recipe_of_a_proxy_is_production(words, debug, said, caplog):
    options = make_parser().parse_args(words)
    caplog.set_level(logging.INFO, "databench")
    host = options.host or "127.0.0.1"
    assert access.find_mode(options, {}, host) is debug
    assert (said in caplog.text) if said else not caplog.records


def test_right_is_the_chosen_token_or_in_development_the_projects_own(tmp_path):
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    assert access.make(tmp_path, 5000, environ, "", is_development=False).token == ""
    assert access.make(tmp_path, 5000, environ, "x" * 16, is_development=True).token == "x" * 16
    assert not (tmp_path / "databench").exists()
    own = access.make(tmp_path, 5000, environ, "", is_development=True)
    assert own.printed == f"?token={own.token}" != "?token="
    assert access.make(tmp_path, 5000, environ, "", is_development=True).token == own.token


# ---------------------------------------------------------------- the token


@pytest.mark.parametrize("token", ["", "secret", "x" * 15])
def test_short_token_is_refused_in_words(token):
    with pytest.raises(SettingError, match=rf"\(--admin-token\) has {len(token)} characters"):
        access.check_token(token, "--admin-token")


@pytest.mark.parametrize("character", [" ", "&", "#", "%", "é", "\n", "/", "+"])
def test_token_that_an_address_does_not_take_is_refused(character):
    with pytest.raises(SettingError, match="letters, digits and"):
        access.check_token("x" * 16 + character, "DATABENCH_ADMIN_TOKEN")
    assert access.check_token("x" * 16, "--admin-token") == "x" * 16


def test_chosen_token_is_the_options_then_the_environments():
    environ = {"DATABENCH_ADMIN_TOKEN": "y" * 16}
    assert access.find_chosen("x" * 16, environ) == "x" * 16
    assert access.find_chosen(None, environ) == "y" * 16
    assert access.find_chosen(None, {}) == ""
    with pytest.raises(SettingError, match=r"\(DATABENCH_ADMIN_TOKEN\) has 3 characters"):
        access.find_chosen(None, {"DATABENCH_ADMIN_TOKEN": "abc"})


def test_request_without_the_token_has_no_right():
    assert not make().may_administer(ask())
    assert not make().may_administer(ask(Authorization=f"Bearer {TOKEN}x"))
    assert not make().may_administer(ask(Authorization=f"Basic {TOKEN}"))
    assert not make().may_administer(ask(Authorization="Bearer é"))


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer  {TOKEN} "])
def test_program_brings_the_token_in_a_header(header):
    assert make().may_administer(ask(Authorization=header))


def test_cookie_has_the_right_on_its_port_and_for_its_project_alone():
    name, value = make().cookie(is_secure=False)
    cookie = f"{name}={value}"
    assert TOKEN not in cookie
    assert make().may_administer(ask(Cookie=cookie))
    assert make().may_administer(ask(Cookie=cookie, Authorization="Bearer of-a-proxy"))
    for other in (make(port=5001), make(project="1"), make(token="another-token-of-a-test")):
        assert not other.may_administer(ask(Cookie=cookie))
        other_name, other_value = other.cookie(is_secure=False)
        assert other_value != value
        assert not make().may_administer(ask(Cookie=f"{name}={other_value}"))
        assert not other.may_administer(ask(Cookie=f"{other_name}={value}"))


def test_cookie_without_tls_has_no_right_over_tls():
    name, value = make().cookie(is_secure=False)
    assert not make().may_administer(ask(Cookie=f"{name}={value}", protocol="https"))
    name, value = make().cookie(is_secure=True)
    assert make().may_administer(ask(Cookie=f"{name}={value}", protocol="https"))


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer "}, {"Authorization": "Bearer"}, {}])
def test_without_a_token_nobody_has_the_right(headers):
    nobody = make(token="")
    name, value = nobody.cookie(is_secure=False)
    assert not nobody.may_administer(ask(**headers, Cookie=f"{name}={value}"))
    assert not nobody.brings_token(ask("/?token="))


@pytest.mark.parametrize(
    ("uri", "method", "brings"),
    [
        (f"/?token={TOKEN}", "GET", True),
        (f"/pi/?a=1&token={TOKEN}&b=2", "HEAD", True),
        (f"/?token={TOKEN}", "POST", False),
        ("/?token=another", "GET", False),  # the page's own argument
        ("/?token=%ff", "GET", False),
        ("/", "GET", False),
    ],
)
def test_token_in_an_address_is_for_exchange(uri, method, brings):
    assert make().brings_token(ask(uri, method)) is brings


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("/?token=x", "./"),
        ("/pi/?a=1&token=x&b=%20", "./?a=1&b=%20"),
        ("/_kernels?Token=x", "./_kernels"),
        ("//evil.example?token=x", "./evil.example"),
        ("//evil.example/?token=x", "./"),
        ("/pi/a:b?token=x", "./a:b"),
        ("/pi/?%74oken=x&a=1", "./?a=1"),
    ],
)
def test_token_is_taken_out_of_the_address(uri, place):
    assert access.strip_token(ask(uri)) == place


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("/?token=x", "/?token=…"),
        ("/a?b=1&TOKEN=x&c=2", "/a?b=1&TOKEN=…&c=2"),
        ("/token=x", "/token=x"),
        ("/?%74oken=x&a=1", "/?%74oken=…&a=1"),
        ("/?next=%3Ftoken%3Dx", "/?next=%3Ftoken%3D…"),
        ("/?mytoken=x", "/?mytoken=x"),
        ("/?mytoken=1", "/?mytoken=1"),
    ],
)
def test_token_in_an_address_is_hidden(uri, shown):
    assert access.hide_token(ask(uri)) == shown


def test_page_without_the_right_hears_where_to_find_it():
    assert "that the terminal shows" in make(is_development=True).how
    assert "--admin-token" in make().how
    assert "has no administrator" in make(token="").how


def test_terminal_shows_the_token_that_nobody_has_chosen():
    assert make(is_development=True).printed == f"?token={TOKEN}"
    assert make().printed == ""


# ---------------------------------------------------------------- kept for the project


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_folder_is_the_users_own(tmp_path):
    assert access.find_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "databench"
    for environ in ({}, {"XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": "relative"}):
        assert str(access.find_folder(environ)) == os.path.expanduser("~/.cache/databench")


def test_token_is_kept_for_the_project_where_nobody_else_reads_it(tmp_path):
    folder = tmp_path / "cache" / "databench"
    token = access.find_token(folder, PROJECT)
    assert len(token) == 32
    assert access.find_token(folder, PROJECT) == access.read_token(folder, PROJECT) == token
    assert access.find_token(folder, "another") != token
    assert (mode(folder), mode(folder / f"token-{PROJECT}")) == (0o700, 0o600)
    assert len(list(folder.iterdir())) == 2


def test_token_that_others_could_read_is_used_no_more(tmp_path):
    token = access.find_token(tmp_path, PROJECT)
    (tmp_path / f"token-{PROJECT}").chmod(0o640)
    tmp_path.chmod(0o755)
    assert access.read_token(tmp_path, PROJECT) == ""
    another = access.find_token(tmp_path, PROJECT)
    assert another not in (token, "")
    assert access.find_token(tmp_path, PROJECT) == another
    assert (mode(tmp_path), mode(tmp_path / f"token-{PROJECT}")) == (0o700, 0o600)


@pytest.mark.parametrize("content", [b"", b"short\n", b"x" * 40 + b" y", b"\xff" * 40])
def test_file_that_holds_no_token_is_replaced(tmp_path, content):
    path = tmp_path / f"token-{PROJECT}"
    path.touch(0o600)
    path.write_bytes(content)
    assert access.read_token(tmp_path, PROJECT) == ""
    assert access.find_token(tmp_path, PROJECT) == access.read_token(tmp_path, PROJECT) != ""


def test_link_and_fifo_are_not_read(tmp_path):
    token = access.find_token(tmp_path, "other")
    (tmp_path / "token-link").symlink_to("token-other")
    os.mkfifo(tmp_path / "token-fifo", 0o600)
    assert access.read_token(tmp_path, "link") == access.read_token(tmp_path, "fifo") == ""
    assert access.find_token(tmp_path, "link") != token
    assert access.read_token(tmp_path, "other") == token


def test_servers_that_start_together_have_one_token(tmp_path):
    found, barrier = [], threading.Barrier(8)

    def start():
        barrier.wait()
        found.append(access.find_token(tmp_path / "databench", PROJECT))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(list((tmp_path / "databench").iterdir())) == 1


@pytest.mark.expected_log(
    "the token can't be stored in .* each start of the server makes a new one"
)
def test_token_is_made_where_it_cannot_be_kept(tmp_path):
    (tmp_path / "file").touch()
    assert len(access.find_token(tmp_path / "file", PROJECT)) == 32
