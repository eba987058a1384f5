"""A script as the thing that is served: what is known of it, and what is refused."""

import asyncio
import sys
from pathlib import Path
from types import ModuleType

import pytest
import tornado.ioloop

import databench
from databench.errors import SettingError
from databench.front.startup.script import from_class, from_file


class Here(databench.Analysis):
    class Inner(databench.Analysis):
        pass


@pytest.fixture
def main(monkeypatch, tmp_path):
    """A plain script of one class as `__main__`."""
    file = tmp_path / "my-pi.py"
    file.touch()
    module = ModuleType("__main__")
    module.__file__ = str(file)
    module.Pi = type("Pi", (databench.Analysis,), {"__module__": "__main__", "__qualname__": "Pi"})
    monkeypatch.setitem(sys.modules, "__main__", module)
    monkeypatch.setattr(sys, "argv", ["my-pi.py", "--x"])
    return module


def made(cls, **more):
    given = {"path": None, "name": None, "info": None, "static": None, "extra_routes": ()}
    return from_class(cls, **{**given, **more})


@pytest.mark.parametrize(
    ("file", "name", "module"),
    [
        ("pi.py", "pi", "pi"),
        ("my-pi.py", "my-pi", "my-pi"),
        ("my pi 2.py", "my-pi-2", "my pi 2"),
        ("v1.2.py", "v1-2", "v1_2"),
        ("π.py", "analysis", "π"),
        ("_x.py", "x", "_x"),
        ("static.py", "static-", "static"),
        ("coins/analysis.py", "coins", "analysis"),
    ],
)
def test_a_file_becomes_a_name_that_an_address_can_hold(file, name, module, tmp_path):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.touch()
    found = from_file(path, argv=(file,))
    assert (found.name, found.module, found.is_at_root) == (name, module, False)
    assert (found.folder, found.path) == (path.parent, (str(path.parent),))


def test_a_link_is_followed_and_gives_its_name(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "pi.py").touch()
    (tmp_path / "link.py").symlink_to(tmp_path / "real" / "pi.py")
    found = from_file(tmp_path / "link.py", argv=())
    assert (found.name, found.module, found.folder) == ("link", "pi", tmp_path / "real")
    assert found.file == tmp_path / "real" / "pi.py"


def test_a_class_of_the_plain_script_is_found_in_its_file(main, tmp_path):
    found = made(main.Pi)
    assert (found.name, found.title, found.class_name) == ("pi", "Pi", "Pi")
    assert (found.file, found.module, found.folder) == (tmp_path / "my-pi.py", "my-pi", tmp_path)
    assert (found.argv, found.is_at_root) == (("my-pi.py", "--x"), True)


def test_a_class_of_a_module_is_imported_by_its_name():
    found = made(Here.Inner, name="Two words")
    assert (found.file, found.is_imported) == (Path(__file__), True)
    assert found.module == Here.__module__
    assert (found.class_name, found.name, found.title) == ("Here.Inner", "Two-words", "Two words")


def test_a_script_of_a_package_is_imported_by_its_name(main):
    main.__spec__ = type("Spec", (), {"name": "package.pi"})
    found = made(main.Pi)
    assert (found.is_imported, found.module) == (True, "package.pi")


def test_path_tells_where_the_page_is(main, tmp_path):
    (tmp_path / "pages").mkdir()
    assert made(main.Pi, path=tmp_path / "pages" / "x.py").folder == tmp_path / "pages"
    assert made(main.Pi, path=str(tmp_path / "pages")).folder == tmp_path / "pages"


def test_a_class_that_the_kernel_could_not_find_is_refused(main):
    class Local(databench.Analysis):
        pass

    with pytest.raises(SettingError, match=r"'Local' is defined inside a function .*at the top"):
        made(Local)
    cls, main.Pi = main.Pi, None
    with pytest.raises(SettingError, match=r"__main__\.Pi is not in its file under that name"):
        made(cls)
    main.Pi = cls
    del main.__file__
    with pytest.raises(SettingError, match=r"is not in a file.*write it to a file"):
        made(cls)


def test_loop_that_the_script_has_made_is_known_and_none_is_made_for_that(main):
    asyncio.set_event_loop(None)
    assert made(main.Pi).loop is None
    with pytest.raises(RuntimeError):
        asyncio.get_event_loop()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    assert made(main.Pi).loop is None  # nothing of Tornado's is on it
    current = tornado.ioloop.IOLoop.current()
    assert made(main.Pi).loop is loop
    current.close(all_fds=True)
    assert made(main.Pi).loop is None
    asyncio.set_event_loop(None)
