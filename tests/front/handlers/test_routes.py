"""`routes.py`: what is registered, what handlers get, and what a broken file does not break."""

import json
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tornado.httpclient import AsyncHTTPClient

from databench.config import load
from databench.front.folders import from_folder
from tests.processes.server import Server
from tests.processes.test_documented_apps import first_block
from tests.processes.visitor import visit

ANALYSES = Path(__file__).resolve().parents[3] / "databench" / "tests" / "analyses"
ROUTES = """
import tornado.gen, tornado.web

class Get(tornado.web.RequestHandler):
    def initialize(self, word='none', **more):
        self.word = word

    def get(self, *args, **kwargs):
        self.write({'word': self.word, 'args': args, 'kwargs': kwargs})

class Set(tornado.web.RequestHandler):
    async def post(self):
        await self.class_data.set('k', self.get_argument('data'))
        self.write(await self.class_data)

class Slow(tornado.web.RequestHandler):
    def get(self):
        import time
        time.sleep(0.002)

class Exit(tornado.web.RequestHandler):
    def get(self):
        raise SystemExit(3)

    @tornado.gen.coroutine
    def delete(self):
        yield tornado.gen.sleep(0)
        raise SystemExit(3)

ROUTES = [
    ('get', Get, {'word': 'given'}),
    ('exit', Exit),
    (r'number/(\\d+)', Get, {}),
    (r'named/(?P<name>[^/]+)/', Get, None),
    ('set', Set, {}),
    ('slow', Slow),
    ('.*', Get, {'word': 'rest'}),
]
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def _imports(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def place(folder):
    (folder / "y").mkdir()
    (folder / "y" / "analysis.py").write_text("")
    (folder / "x" / "routes.py").write_text(ROUTES)
    return from_folder(folder)


async def read(server, path):
    answer = await server.get(path)
    assert answer.code == 200, answer.body
    return json.loads(answer.body)


async def test_handlers_get_their_settings_and_what_the_pattern_caught(serve, place):
    server = await serve(place=place)
    assert await read(server, "/x/get") == {"word": "given", "args": [], "kwargs": {}}
    assert await read(server, "/x/number/7") == {"word": "none", "args": ["7"], "kwargs": {}}
    named = {"word": "none", "args": [], "kwargs": {"name": "a b"}}
    assert await read(server, "/x/named/a%20b/") == named


async def test_pages_and_files_of_the_analysis_stay_though_a_route_takes_all(serve, place, folder):
    (folder / "x" / "analysis.js").write_text("js")
    (folder / "x" / "static" / "a.txt").write_text("a")
    server = await serve(place=place)
    assert (await read(server, "/x/else"))["word"] == "rest"
    assert b"<title>" in (await server.get("/x/")).body
    assert (await server.get("/x/analysis.js")).body == b"js"
    assert (await server.get("/x/static/a.txt")).body == b"a"
    await server.connect("x")


@pytest.mark.expected_log(" 404 ")
async def test_routes_are_those_of_their_analysis_alone(serve, place):
    server = await serve(place=place)
    assert (await server.get("/y/get")).code == 404
    assert (await server.get("/get")).code == 404


@pytest.mark.expected_log(" (404|405) ")
@pytest.mark.parametrize("path", ["/x/routes.py", "/x/static/routes.py", "/x/analysis.py"])
async def test_no_source_is_served(serve, place, folder, path):
    text = ROUTES.replace("('.*', Get, {'word': 'rest'}),", "")
    (folder / "x" / "routes.py").write_text(text)
    (folder / "x" / "static" / "routes.py").write_text(text)
    assert (await (await serve(place=place)).get(path)).code == 404


async def test_class_data_is_set_for_pages_and_kernel(serve, place):
    server = await serve(place=place)
    client = AsyncHTTPClient(force_instance=True)
    answer = await client.fetch(
        f"http://{server.address}/x/set", method="POST", headers=FORM, body="data=5"
    )
    client.close()
    assert json.loads(answer.body) == {"k": "5"}
    assert server.broker.class_values.get("x", "k").stored == b'"5"'


OPEN = """
import tornado.web

class Own(tornado.web.RequestHandler):
    async def post(self):
        self.write('done')
    get = options = put = delete = post

class Open(Own):
    any_origin = True

ROUTES = [('own', Own), ('open', Open)]
"""


@pytest.mark.expected_log(" 403 ")
async def test_pages_of_other_sites_change_nothing(serve, place, folder):
    (folder / "x" / "routes.py").write_text(OPEN)
    server = await serve(place=place)

    async def ask(path, method, origin=None):
        headers = {"Accept": "*/*"} | ({"Origin": origin} if origin else {})
        body = "" if method in ("POST", "PUT") else None
        answer = await server.get(path, method, headers, body=body)
        return answer.code, answer.body.decode()

    done, own = (200, "done"), f"http://{server.address}"
    for method in ("POST", "PUT", "DELETE"):
        for origin in (None, own):
            assert await ask("/x/own", method, origin) == done
        for origin in ("http://evil.example", "null", f"http://{server.address}.evil.example"):
            code, text = await ask("/x/own", method, origin)
            assert code == 403
            assert f"the page's origin is '{origin}'" in text
            assert "any_origin = True" in text
            assert await ask("/x/open", method, origin) == done
    for method in ("GET", "OPTIONS"):
        assert await ask("/x/own", method, "http://evil.example") == done


@pytest.mark.expected_log("blocked the server")
async def test_a_handler_that_holds_up_the_server_is_told(serve, place, caplog):
    server = await serve(place=place, block_limit_s=0.001)
    await server.get("/x/slow")
    told = [r.getMessage() for r in caplog.records if "x/routes.py: Slow: get" in r.getMessage()]
    assert "blocked the server for" in told[0] and "limit 1 ms" in told[0]


@pytest.mark.expected_log("500 GET|500 DELETE|500 PUT|Uncaught exception|/x/exit 500")
@pytest.mark.parametrize(
    ("method", "what"), [("GET", "SystemExit: 3"), ("DELETE", "SystemExit: 3")]
)
async def test_a_handler_that_exits_fails_alone_and_the_server_goes_on(
    serve, place, method, what, caplog
):
    server = await serve(place=place)
    assert (await server.get("/x/exit", method)).code == 500
    assert f"Exit: {what}; only the server may end itself" in caplog.text
    assert (await server.get("/x/get")).code == 200


@pytest.mark.expected_log("'OPTIONS|OPTIONS [*] 40")
async def test_a_path_without_a_slash_is_answered(serve, place):
    server = await serve(place=place)
    answer = await server.raw("OPTIONS * HTTP/1.1\nHost: localhost\nConnection: close\n\n")
    assert answer.startswith("HTTP/1.1 40")


BROKEN = [
    ("import nothing_like_it", "routes.py:1: ModuleNotFoundError: No module named"),
    ("x = 1\nx = (", "routes.py:2: SyntaxError: "),
    ("import sys\n\nsys.exit(3)", "routes.py:3: SystemExit: 3"),
    ("from analyses import shared", "shared.py:2: ZeroDivisionError: division by zero"),
    ("ROUTES = 5", "routes.py: TypeError: ROUTES is 5, expected a list of (route, handler, "),
    ("ROUTES = [\n  5]", "routes.py:2: ROUTES[0] is left out: 5, expected (route, handler"),
    ("ROUTES = [('a', 'b', {})]", "routes.py:1: ROUTES[0] is left out: handler 'b', expected"),
    (
        "ROUTES: list = [\n  (1, 2, 3)]",
        "routes.py:2: ROUTES[0] is left out: route 1, expected",
    ),
]


@pytest.mark.expected_log("analysis 'x': ", " 404 ")
@pytest.mark.parametrize(("text", "complaint"), BROKEN)
async def test_a_broken_file_is_told_on_its_page_and_the_rest_is_served(
    serve, place, folder, caplog, text, complaint
):
    (folder / "shared.py").write_text("x = 1\n1 / 0")
    (folder / "base.html").unlink()
    (folder / "y" / "routes.py").write_text(ROUTES)
    (folder / "x" / "routes.py").write_text(text)
    server = await serve(place=place)
    assert any(complaint in record.getMessage() for record in caplog.records)
    page = await server.get("/x/")
    assert page.code == 200
    assert complaint.split(": ")[0] in page.body.decode()
    assert 'role="alert"' in page.body.decode()
    assert (await server.get("/x/get")).code == 404
    assert (await read(server, "/y/get"))["word"] == "given"
    assert 'role="alert"' not in (await server.get("/y/")).body.decode()


@pytest.mark.expected_log("left out")
async def test_one_bad_route_leaves_the_others(serve, place, folder):
    (folder / "x" / "routes.py").write_text(
        ROUTES.replace("('get', Get", "(), ('[', Get), ('get', Get")
    )
    server = await serve(place=place)
    assert (await read(server, "/x/get"))["word"] == "given"
    assert len(server.context.route_faults["x"]) == 2


@pytest.mark.expected_log("No module named")
async def test_where_others_can_connect_the_page_tells_no_details(serve, place, folder):
    (folder / "base.html").unlink()
    (folder / "x" / "routes.py").write_text("import nothing_like_it")
    server = await serve(place=place, debug=False)
    page = (await server.get("/x/")).body.decode()
    assert "this analysis has a problem: see the log" in page
    assert "nothing_like_it" not in page


async def test_a_changed_file_is_read_anew_and_others_are_left_alone(serve, place, folder):
    (folder / "x" / "words.py").write_text("word = 'a'")
    text = ROUTES.replace("{'word': 'given'}", "{'word': words.word}")
    (folder / "x" / "routes.py").write_text("from . import words\n" + text)
    (folder / "y" / "routes.py").write_text(ROUTES.replace("'given'", "id(object)"))
    server = await serve(place=place)
    assert (await read(server, "/x/get"))["word"] == "a"
    kept = sys.modules["analyses.y.routes"]
    (folder / "x" / "words.py").write_text("word = 'b'")
    (folder / "x" / "routes.py").write_text("from . import words\n\n" + text)
    server.front.swap(load(folder))
    assert (await read(server, "/x/get"))["word"] == "b"
    assert sys.modules["analyses.y.routes"] is kept


@pytest.mark.expected_log("its previous routes are served")
async def test_a_file_that_was_broken_by_a_save_leaves_the_routes_before_it(serve, place, folder):
    server = await serve(place=place)
    (folder / "x" / "routes.py").write_text("import nothing_like_it")
    server.front.swap(load(folder))
    assert (await read(server, "/x/get"))["word"] == "given"
    assert len(server.context.find_faults("x")) == 1
    (folder / "x" / "routes.py").write_text(ROUTES)
    server.front.swap(load(folder))
    assert server.context.find_faults("x") == []


@pytest.mark.expected_log(" 404 ")
async def test_a_file_that_is_gone_takes_its_routes_along(serve, place, folder):
    server = await serve(place=place)
    (folder / "x" / "routes.py").unlink()
    server.front.swap(load(folder))
    assert (await server.get("/x/get")).code == 404


async def test_the_documented_example_runs(serve, folder):
    page = Path(__file__).resolve().parents[3] / "docs" / "howto" / "add-routes.md"
    (folder / "x" / "routes.py").write_text(first_block(page, "python"))
    server = await serve(place=from_folder(folder))
    client = AsyncHTTPClient(force_instance=True)
    for _ in range(2):
        body = "celsius=21.5"
        await client.fetch(f"http://{server.address}/x/measure", method="POST", body=body)
    client.close()
    assert await read(server, "/x/latest") == {"unit": "°C", "celsius": 21.5}
    assert server.broker.class_values.get("x", "count").stored == b"2"


# -- a real server, real kernels, real websockets --------------------------------------------------


@pytest.fixture(scope="module")
def packaged():
    with Server(ANALYSES) as server:
        yield server


async def post(server, value):
    answer = await AsyncHTTPClient().fetch(
        f"{server.url}/simple2/post", method="POST", body=urlencode({"data": value})
    )
    assert answer.body == b"done"


async def get(server):
    return json.loads((await AsyncHTTPClient().fetch(f"{server.url}/simple2/get")).body)


@pytest.mark.slow
@pytest.mark.process
async def test_a_route_and_two_pages_share_class_data(packaged):
    await post(packaged, "before any page")
    assert (await get(packaged))["posted"] == "before any page"
    async with visit(packaged.address, "simple2") as one, visit(packaged.address, "simple2") as two:
        for page in (one, two):
            await page.wait_state(lambda page: page.class_data.get("posted") == "before any page")
        assert (await one.call("posted"))[0] == "before any page"
        await post(packaged, "by a route")
        for page in (one, two):
            await page.wait_state(lambda page: page.class_data["posted"] == "by a route")
            assert (await page.call("posted"))[0] == "by a route"
        await one.call("share", {"value": "by a page"})
        await two.wait_state(lambda page: page.class_data["posted"] == "by a page")
        assert (await get(packaged))["posted"] == "by a page"


@pytest.mark.slow
@pytest.mark.process
async def test_no_count_is_lost_between_a_route_and_a_kernel(packaged):
    async with visit(packaged.address, "simple2") as page:
        before = (await get(packaged)).get("count", 0)
        await page.send(signal="count", load={"times": 200, "__process_id": 1})
        for _ in range(50):
            await post(packaged, "x")
        while (await page.read_until("__process"))["status"] != "end":
            pass
        assert (await get(packaged))["count"] == before + 250


# ---------------------------------------------------------------- templates

PAGES = """
import os
import tornado.web

class Page(tornado.web.RequestHandler):
    def get(self, name):
        self.render(name + '.html')

class Other(Page):
    def get_template_path(self):
        return os.path.join(os.path.dirname(__file__), '..', '..', 'pages')

ROUTES = [('page/(.*)', Page), ('other/(.*)', Other)]
"""


@pytest.mark.expected_log("page/late 500", "other/late 500", "was changed after the server")
async def test_handler_renders_no_file_that_an_analysis_wrote(serve, folder):
    (folder / "x" / "routes.py").write_text(PAGES)
    pages = {"page": folder, "other": folder.parent / "pages"}
    for path in pages.values():
        path.mkdir(exist_ok=True)
        (path / "own.html").write_text('{{ 1 + 1 }}{% include "part.html" %}')
        (path / "part.html").write_text("!")
    server = await serve(debug=False, place=from_folder(folder))
    for name, path in pages.items():
        (path / "late.html").write_text("{{ 'was' + '-run' }}")
        answer = await server.get(f"/x/{name}/late")
        assert (answer.code, b"was-run" in answer.body) == (500, False)
        assert (await server.get(f"/x/{name}/own")).body == b"2!"


# ---------------------------------------------------------------- headers

HEADERS = """
import tornado.web

class Plain(tornado.web.RequestHandler):
    def get(self):
        self.write('plain')

class Own(Plain):
    def set_default_headers(self):
        self.set_header('Content-Security-Policy', "default-src 'self'")
        self.clear_header('X-Frame-Options')

class Late(Plain):
    def get(self):
        self.set_header('Referrer-Policy', 'no-referrer')
        self.write('late')

class Open(Plain):
    any_origin = True

class Fails(Plain):
    def get(self):
        raise tornado.web.HTTPError(418)

ROUTES = [('plain', Plain), ('own', Own), ('late', Late), ('open', Open), ('fails', Fails)]
"""


@pytest.mark.expected_log("/x/fails 418")
async def test_handlers_have_the_headers_and_what_they_say_themselves_holds(serve, folder):
    (folder / "x" / "routes.py").write_text(HEADERS)
    server = await serve(place=from_folder(folder))
    names = ["plain", "own", "late", "open", "fails"]
    headers = {name: (await server.get(f"/x/{name}")).headers for name in names}
    for found in headers.values():
        assert found["X-Content-Type-Options"] == "nosniff"
    for name in ("plain", "late", "open", "fails"):
        assert headers[name]["Content-Security-Policy"].startswith("object-src 'none'; base-uri")
        assert headers[name]["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["own"]["Content-Security-Policy"] == "default-src 'self'"
    assert "X-Frame-Options" not in headers["own"]
    assert headers["late"]["Referrer-Policy"] == "no-referrer"
    assert "Cross-Origin-Resource-Policy" in headers["plain"]
    assert "Cross-Origin-Resource-Policy" not in headers["open"]
