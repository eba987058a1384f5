"""Pages that ask for what is no action: found at the start."""

import pytest

from databench.config import load
from databench.front.startup.askedactions import find_asked, find_problems, is_declared


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("d.emit('set_state', {n: 1});", [(1, "set_state")]),
        ('<p>\nd.emit( "set_class_state" , {})', [(2, "set_class_state")]),
        ("await d.call(`connected`)", [(1, "connected")]),
        ("<button data-action=args>", [(1, "args")]),
        ("<button data-action = 'disconnected'>", [(1, "disconnected")]),
        (
            "<button data-action='set_state' id=a>d.emit('connect')",
            [(1, "connect"), (1, "set_state")],
        ),
        ("d.on('connected', f); d.emit('connected-not', 1)", []),
        ("d.emit('set_state_of', 1); <a data-action='args-more'>", []),
        ("d.connect(); <p data-signal='args'>", []),
    ],
)
def test_what_a_page_asks_for_is_found_with_its_line(text, found):
    assert find_asked(text) == found


@pytest.mark.parametrize(
    ("source", "is_there"),
    [
        ("class A:\n    on_set_state = databench.Analysis.set_state\n", True),
        ("    @databench.on\n    def set_state(self, **values):", True),
        ("    @on(idempotent=True)\n    async def set_state(self):", True),
        ("    def set_state(self, **values):", False),
        ("self.set_state(n=1)", False),
    ],
)
def test_an_action_of_the_class_is_seen(source, is_there):
    assert is_declared("set_state", source) == is_there


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "analyses" / "prices"
    (folder / "static").mkdir(parents=True)
    (folder / "analysis.py").write_text(
        "import databench\nclass A(databench.Analysis):\n    pass\n"
    )
    (folder / "index.html").write_text("<button data-action='connected'>Again</button>")
    (folder / "static" / "more.js").write_text("\nd.emit('set_class_state', {price: 1});\n")
    return folder


def test_the_start_names_file_and_line_and_the_line_to_add(folder):
    step, writer = find_problems(load(folder.parent))
    assert step.startswith("prices/index.html line 1 asks for 'connected', a step")
    assert writer.startswith("static/more.js line 2 asks for 'set_class_state'")
    assert writer.endswith(
        "add to the class: on_set_class_state = databench.Analysis.set_class_state"
    )


def test_with_the_line_nothing_is_said(folder):
    with open(folder / "analysis.py", "a") as source:
        source.write("    on_set_class_state = databench.Analysis.set_class_state\n")
    (folder / "index.html").write_bytes(b"\xff")  # no text: nothing is found in it
    assert find_problems(load(folder.parent)) == []
