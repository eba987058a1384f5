"""The documents hold: links resolve, examples run, tables say what the code says.

Examples are fenced blocks. `python`: run, one namespace per page; `yaml` that opens with
`# analyses/index.yaml` or `# kernels/.../kernel.yaml`: read by the code that reads such files;
`html` that extends a template: parsed as one; `json`: parsed; `js`: parsed by Node; `sh`: its
`make` targets and the options of `databench` exist. `<!-- only read: reason -->` above a block
keeps it from running.
"""

import ast
import functools
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tokenize
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt
from tornado.template import Loader, Template

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = sorted(
    [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    + [*(REPOSITORY / "analyses").rglob("*.md"), *(REPOSITORY / "kernels").rglob("*.md")]
)
_MARKDOWN = MarkdownIt("commonmark").enable("table")


def _name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


every_page = pytest.mark.parametrize("page", PAGES, ids=_name)


def test_pages_are_found():
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md"} <= {_name(page) for page in PAGES}


# -- links -----------------------------------------------------------------------------------------


def slug(heading: str) -> str:
    """The anchor of a heading, as code hosts make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Every anchor of a page: its headings', numbered from the second of one name, and ids."""
    found: set[str] = set()
    tokens = _MARKDOWN.parse(text)
    for i, token in enumerate(tokens):
        if token.type == "heading_open":
            inner = tokens[i + 1].children or []
            words = "".join(
                child.content for child in inner if child.type in ("text", "code_inline")
            )
            base, n = slug(words), 0
            while (name := f"{base}-{n}" if n else base) in found:
                n += 1
            found.add(name)
    return found | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def links(text: str) -> list[str]:
    """Targets of a page's links and images."""
    found = []
    for token in _MARKDOWN.parse(text):
        for child in token.children or []:
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                found.append(str(target))
    return found


def broken_links(page: Path, text: str) -> list[str]:
    """The targets that lead nowhere. Those on other hosts are not asked."""
    broken = []
    for target in links(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page if not path else (page.parent / path).resolve()
        if not file.is_relative_to(REPOSITORY) or not file.exists():
            broken.append(target)
        elif anchor and (file.suffix != ".md" or anchor not in anchors(file.read_text())):
            broken.append(target)
    return broken


@every_page
def test_links_resolve(page):
    assert broken_links(page, page.read_text()) == []


def test_a_broken_link_is_found():
    page = REPOSITORY / "README.md"
    text = "# Some `code` here\n[a](#some-code-here) [b](#no-such) [c](nowhere.md) [d](LICENSE)"
    assert broken_links(page, text)[-1] == "nowhere.md"
    assert anchors(text) == {"some-code-here"}


def test_every_document_is_reached_from_the_readme():
    seen, todo = set(), [REPOSITORY / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        targets = [target.partition("#")[0] for target in links(page.read_text())]
        todo += [(page.parent / t).resolve() for t in targets if t and ":" not in t]
    alone = {_name(p) for p in (REPOSITORY / "docs").rglob("*.md")} - {_name(p) for p in seen}
    assert alone == set()


# -- words -----------------------------------------------------------------------------------------

# Words that are not written any more, as regular expressions, each with what to write instead. The
# list only grows: mend every page and text first, then add the word. Code and names in backticks
# keep theirs. It is held over documents, errors, log lines, help texts, the texts of pages, and the
# package's comments and docstrings.
NOT_WRITTEN = {
    "told": "logged, sent, shown, reported",
    "untold": "without a log line",
    "how it is to use": "how to use it",
    "nobody": "no visitor, no page, no process: name which one",
    "somebody": "a visitor, you, another kernel: name which one",
    "everybody": "every visitor, every session",
    "person": "visitor, or you",
    "no death": "does not count as a crash",
    "deaths": "crashes",
    "what only": "a key of which only",
    "hears of": "gets",
    "for ever": "forever",
    "is looked at": "is checked, becomes visible",
    "and their kin": "and similar",
    "says so either way": "turns it on or off",
    "looked for beside": "Databench looks beside",
    "a process of its own": "a separate process, its own process",
    "made anew": "made again",
    "waits for nothing": "quits at once",
    r"(?<!there )is no(?= )(?! (?:longer|other)\b)": "is not a",
    r"(?<!there )are no(?= )(?! (?:longer|other)\b)": "are not",
    r"h[eo]ld(?:s|ing)? up": "blocks",
    r"(?:goes|went) on": "continues",
    "begun anew": "started again",
    "anew": "again",
    "how far it is": "its progress",
    "for want of": "without, at a limit",
    "whoever": "anyone who, a visitor who",
    "turned away": "refused",
    "cannot be had": "cannot be read, cannot be used",
    "given out": "served, sent",
    "takes no more": "refuses",
    "say --": "give --",
    "waits to be seen": "that you have not seen",
    "of yours": "your",
    "still going": "still in progress",
    r"(?:in|of) (?:a|an) \w+ of (?:its|their) own": "in its own, in a separate",
    r"[lL]et it pass on": "it must forward",
    "was said before": "was sent before",
    "in the place of": "instead of",
    "at hand": "available",
    "not at once": "instead of at once",
}
_NOT_WRITTEN = {
    re.compile(rf"(?<!\w)(?:{word})(?!\w)", re.IGNORECASE): hint
    for word, hint in NOT_WRITTEN.items()
}


def find_not_written(text: str) -> dict[str, str]:
    """The words of a text that are not written any more, each with what to write instead."""
    return {
        found.group(): hint
        for pattern, hint in _NOT_WRITTEN.items()
        for found in pattern.finditer(text)
    }


def prose(text: str) -> list[str]:
    """The text of a page, block by block, without code, targets of links and comments."""
    inline = (token.children or [] for token in _MARKDOWN.parse(text) if token.type == "inline")
    return [
        "".join(" " if "break" in c.type else c.content for c in children if c.type in _READ)
        for children in inline
    ]


_READ = ("text", "softbreak", "hardbreak")


def python_texts(source: str) -> list[str]:
    """The texts of a module that people may read: strings of three words, not docstrings."""
    tree = ast.parse(source)
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            found.append("".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in skipped:
                found.append(node.value)
    return [" ".join(text.split()) for text in found if len(text.split()) >= 3]


def script_texts(source: str) -> list[str]:
    """The texts of a script of the client: its strings of three words, without comments."""
    pattern = r"/\*.*?\*/|//[^\n]*|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`"
    found = [m.group() for m in re.finditer(pattern, source, re.DOTALL)]
    return [text[1:-1] for text in found if text[0] != "/" and len(text.split()) >= 3]


def template_text(source: str) -> list[str]:
    """The text of a template, without tags, expressions and scripts."""
    text = re.sub(r"<(script|style)\b.*?</\1>|<!--.*?-->", " ", source, flags=re.DOTALL)
    return [" ".join(re.sub(r"\{[{%#].*?[}%#]\}|<[^>]*>", " ", text, flags=re.DOTALL).split())]


def comments(source: str) -> list[str]:
    """The comments and docstrings of a module, without code in backticks and argument names."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    found = [token.string for token in tokens if token.type == tokenize.COMMENT]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found += str(node.value.value).splitlines()
    return [re.sub(r"^\s+\w+:|`[^`]*`", " ", text) for text in found]


def script_comments(source: str) -> list[str]:
    """The comments of a script of the client, without code in backticks."""
    found = re.findall(r"/\*.*?\*/|(?:(?<=\s)|^)//[^\n]*", source, re.DOTALL | re.MULTILINE)
    return [re.sub(r"`[^`]*`", " ", text) for text in found]


_READERS = {".py": python_texts, ".ts": script_texts, ".html": template_text}
_COMMENTS = {".py": comments, ".ts": script_comments}
SOURCES = sorted(
    path
    for path in (REPOSITORY / "databench").rglob("*")
    if path.suffix in _READERS and "tests" not in path.parts and "static" not in path.parts
)


@every_page
def test_page_has_no_word_that_is_not_written_any_more(page):
    assert find_not_written("\n".join(prose(page.read_text()))) == {}


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_texts_have_no_word_that_is_not_written_any_more(path):
    assert find_not_written("\n".join(_READERS[path.suffix](path.read_text()))) == {}


@pytest.mark.parametrize("path", [path for path in SOURCES if path.suffix in _COMMENTS], ids=_name)
def test_comments_have_no_word_that_is_not_written_any_more(path):
    assert find_not_written("\n".join(_COMMENTS[path.suffix](path.read_text()))) == {}


def test_help_of_settings_has_no_word_that_is_not_written_any_more():
    from databench.settings import TABLE

    assert {row.name: row.help for row in TABLE if find_not_written(row.help)} == {}


def test_a_word_that_is_not_written_any_more_is_found():
    text = "Told by\nnobody, `told` and [x](told.md).\n\n```\ntold\n```\n\n<!-- told -->\n"
    assert list(find_not_written("\n".join(prose(text)))) == ["Told", "nobody"]
    assert find_not_written("There is no kernel, it is no longer there, one is no map.") == {
        "is no": "is not a"
    }
    assert len(NOT_WRITTEN) >= 42  # the list only grows


def test_texts_of_sources_are_found():
    module = (
        '"""Doc of it."""\nlog.info("a %s is here", name)\nraise X(f"the {a} is " "no b")\n"one"'
    )
    assert python_texts(module) == ["a %s is here", "the … is no b"]
    script = "// a line of it\nconst a = 'one two three'; /* b c d */ const b = `x ${y} z`; 'short'"
    assert script_texts(script) == ["one two three", "x ${y} z"]
    assert template_text("<p class='x'>One {{ two }}<b>three</b></p><script>no</script>") == [
        "One three"
    ]
    assert len(SOURCES) > 200


def test_comments_of_sources_are_found():
    module = (
        '"""Doc."""\nx = "no"  # why\ndef f():\n    """Told `x`.\n\n        told: the one.\n    """'
    )
    assert [text.strip() for text in comments(module)] == [
        "# why",
        "Doc.",
        "Told  .",
        "",
        "the one.",
        "",
    ]
    assert script_comments("/** a `b`\n */ const c = 'http://d'; // e") == ["/** a  \n */", "// e"]


# -- examples --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str
    only_read: bool

    def __str__(self) -> str:
        return f"{_name(self.page)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found, only_read = [], False
    for token in _MARKDOWN.parse(page.read_text()):
        if token.type == "html_block":
            only_read = token.content.startswith("<!-- only read: ")
        elif token.type == "fence":
            language = token.info.split(" ")[0]
            line = (token.map or [0])[0] + 1
            found.append(Block(page, line, language, token.content, only_read))
            only_read = False
        else:
            only_read = False
    return found


BLOCKS = [block for page in PAGES for block in blocks(page)]


def _of(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


@every_page
def test_python_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "example"}
    for block in blocks(page):
        if block.language == "python":
            text = "\n" * block.line + block.text
            code = compile(text, str(block.page), "exec", dont_inherit=True)
            if not block.only_read:
                exec(code, names)


@pytest.mark.parametrize("block", _of("yaml"), ids=str)
def test_yaml_examples_are_read_by_the_code_that_reads_such_files(block, tmp_path):
    assert yaml.safe_load(block.text) is not None
    first = block.text.splitlines()[0]
    if first == "# analyses/index.yaml":
        check_index(block.text, tmp_path)
    elif re.fullmatch(r"# kernels/[\w-]+/kernel\.yaml.*", first):
        check_kernel_spec(block.text, tmp_path)


def check_index(text: str, folder: Path) -> None:
    """Reads an example of index.yaml as the front does; a warning is a failure."""
    from databench import config
    from databench.broker.supervision.kernelspec import find_kernelspecs

    (folder / config.INDEX_FILE).write_text(text)
    for item in yaml.safe_load(text).get("analyses") or []:
        analysis = folder / item["name"]
        analysis.mkdir()
        (analysis / "analysis.py").touch()
    index = config.load(folder, kernels=find_kernelspecs())
    found = [*index.problems, *index.warnings]
    assert found + [text for entry in index.entries.values() for text in entry.problems] == []


def check_kernel_spec(text: str, folder: Path) -> None:
    """Reads an example of kernel.yaml as the broker does."""
    from databench.broker.supervision.kernelspec import read_kernelspec

    (folder / "kernel.yaml").write_text(text)
    read_kernelspec(folder / "kernel.yaml")


@pytest.mark.parametrize("block", _of("html"), ids=str)
def test_html_examples_are_templates(block):
    folder = REPOSITORY / "databench" / "front" / "content" / "templates"
    text = block.text
    if not text.startswith("{% extends"):
        text = "{% extends 'base.html' %}{% block content %}" + text + "{% end %}"
    template = Template(text, loader=Loader(str(folder)))
    assert template.code
    names = set(re.findall(r"{% block (\w+) %}", text))
    assert names <= {"head", "content", "analysis", "log", "footer"}


@pytest.mark.parametrize("block", _of("json"), ids=str)
def test_json_examples_parse(block):
    json.loads(block.text)


@pytest.mark.parametrize("block", _of("js"), ids=str)
def test_javascript_examples_parse(block):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here to parse JavaScript")
    command = [node, "--input-type=module", "--check", "-"]
    result = subprocess.run(command, input=block.text, text=True, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr


# What a shell example may begin with beside `make` and `databench`.
_COMMANDS = {"cd", "mkdir", "kill", "curl", "pip", "python", "python3", "git", "npm", "ls", "sudo"}
_COMMANDS |= {"docker", "redis-server"}  # of others, where a demo needs them


@pytest.mark.parametrize("block", _of("sh"), ids=str)
def test_shell_examples_name_what_there_is(block):
    if block.only_read:
        return
    makefile = (REPOSITORY / "Makefile").read_text()
    for line in block.text.splitlines():
        words = [word for word in line.partition("#")[0].split() if not re.match(r"[A-Z_]+=", word)]
        if not words:
            continue
        if words[0] == "make":
            targets = [word for word in words[1:] if not word.startswith("-")]
            assert all(re.search(rf"^{t}:", makefile, re.MULTILINE) for t in targets), line
        elif words[0] == "databench":
            options = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert options <= command_line_options(), line
        else:
            assert words[0] in _COMMANDS or "/" in words[0], line


def test_app_of_the_readme_is_the_demo():
    found = {block.language: block.text for block in reversed(blocks(REPOSITORY / "README.md"))}
    for language, name in (("python", "analysis.py"), ("html", "index.html")):
        assert found[language] == (REPOSITORY / "analyses" / "pi" / name).read_text()


# -- tables ----------------------------------------------------------------------------------------


def _reference(name: str) -> str:
    return (REPOSITORY / "docs" / "reference" / name).read_text()


@functools.cache
def command_line_options() -> set[str]:
    """The options of `databench`, as its own help tells them."""
    command = [sys.executable, "-m", "databench", "--help"]
    result = subprocess.run(command, cwd=REPOSITORY, text=True, capture_output=True, check=True)
    return set(re.findall(r"--[a-z][a-z-]*", result.stdout)) | {"--help"}


def _load_limits():
    sys.path.insert(0, str(REPOSITORY / "docs"))
    try:
        return __import__("make_limits")
    finally:
        del sys.path[0]


LIMITS = _load_limits()


@pytest.mark.parametrize("limit", [*LIMITS.MEMORY, *LIMITS.TURN], ids=lambda limit: limit.what)
def test_a_limit_names_settings_and_a_test_that_are_there(limit):
    assert LIMITS.evaluate(limit) >= 0
    file, _, name = limit.test.partition("::")
    text = (REPOSITORY / file).read_text()
    assert not name or f"def {name}(" in text


GENERATORS = sorted((REPOSITORY / "docs").glob("make_*.py"))


@pytest.mark.parametrize("generator", GENERATORS, ids=_name)
def test_made_part_of_a_page_says_what_the_code_says(generator):
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, str(generator), "--check"]
    assert subprocess.run(command, env=environ, check=False).returncode == 0, "run: make docs"


def test_command_line_page_names_every_option():
    from databench.settings import TABLE

    settings = {row.option for row in TABLE}
    page = _reference("command-line.md")
    assert {o for o in command_line_options() - settings if f"`{o}" not in page} == set()


def test_configuration_page_names_every_key():
    from databench.config.checks import ENTRY_KEYS, GLOBAL_KEYS

    page = _reference("configuration.md")
    keys = {*GLOBAL_KEYS, *ENTRY_KEYS, "name", "analyses", "settings"}
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_python_page_names_everything_public():
    import databench

    page = _reference("python.md")
    assert [name for name in databench.__all__ if f"databench.{name}" not in page] == []


def test_http_page_names_everything_public():
    from databench import http
    from databench.http import mixins, serving

    page = _reference("http.md")
    names = [f"http.{name}" for name in {*http.__all__} - {"app", "handlers", "runner"}]
    own = mixins.__name__
    names += [
        f"`{name}`"
        for name, item in vars(mixins).items()
        if isinstance(item, type) and item.__module__ == own
    ]
    names += [f"`{name}`" for name in (*serving.SETTINGS, "port", "number_of_procs")]
    assert "`ErrorLogger`" in names
    assert [name for name in names if name not in page] == []


# For the kernel, and for whoever writes a backend of their own.
_INNER = {"is_heard", "observe", "get_encoded", "restore", "receive", "set_changer"}


@pytest.mark.parametrize("name", ["Analysis", "Datastore"])
def test_python_page_names_every_method(name):
    tree = ast.parse((REPOSITORY / "databench" / f"{name.lower()}.py").read_text())
    methods = {
        item.name
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == name
        for item in node.body
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
        and not item.name.startswith("_")
    }
    page = _reference("python.md")
    assert {m for m in methods - _INNER if not re.search(rf"[`.]{m}[`(]", page)} == set()


def test_javascript_page_names_what_databench_js_offers():
    text = (REPOSITORY / "databench" / "client" / "connection.ts").read_text()
    public = set(re.findall(r"^  (?:async )?([a-z]\w+)\([^;]*\{$", text, re.MULTILINE))
    page = _reference("javascript.md")
    assert {name for name in public - {"constructor"} if f"`{name}(" not in page} == set()
