"""Names of cookies: one for each port and project."""

import types
from pathlib import Path

import pytest
import tornado.httputil

from databench.front.security import cookies


def test_project_is_eight_digits_of_its_folder():
    one, other = (cookies.find_project(Path(f"/srv/{name}")) for name in ("a", "b"))
    assert one != other
    assert (len(one), int(one, 16) >= 0) == (8, True)
    assert cookies.find_project(Path("/srv/a")) == one


def test_folder_whose_name_is_no_text_has_a_project():
    assert len(cookies.find_project(Path("/srv/\udcff"))) == 8


@pytest.mark.parametrize("change", [{"port": 5001}, {"project": "1"}, {"what": "other"}])
def test_another_port_project_or_use_is_another_name(change):
    words = {"what": "admin", "port": 5000, "project": "0a1b2c3d"}
    assert cookies.name(**words) == "5000_0a1b2c3d_databench_admin"
    assert cookies.name(**{**words, **change}) != cookies.name(**words)


def test_name_over_tls_is_one_that_the_host_alone_can_set():
    name = cookies.name("admin", port=5000, project="0a1b2c3d", is_secure=True)
    assert name == "__Host-5000_0a1b2c3d_databench_admin"


def test_name_of_a_visitors_cookie_is_what_browsers_have():
    """A returning visitor stays who he is."""
    project = cookies.find_project(Path("/home/u/analyses"))
    name = cookies.name("person", port=5000, project=project)
    assert name == "5000_013bbf09_databench_person"


def test_cookies_of_a_request_are_read():
    headers = tornado.httputil.HTTPHeaders({"Cookie": 'a=1; b="x y"; nonsense; c=2=3'})
    request = types.SimpleNamespace(headers=headers)
    assert [cookies.read(request, name) for name in "abcd"] == ["1", "x y", "2=3", None]
    assert cookies.read(types.SimpleNamespace(headers={}), "a") is None
