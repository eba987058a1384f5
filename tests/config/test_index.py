"""`index.yaml`: file, line, key and nearest name in each complaint; the rest is served."""

import pytest

from databench.config import load
from databench.errors import SettingError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / "analyses" / name).mkdir(parents=True)
        (tmp_path / "analyses" / name / "analysis.py").write_text("")
    return tmp_path / "analyses"


def read(folder, text, **kwargs):
    (folder / "index.yaml").write_text(text)
    return load(folder, **kwargs)


def test_without_a_file_each_folder_with_an_analysis_is_served(folder):
    (folder / "empty").mkdir()
    (folder / "static").mkdir()
    (folder / "static" / "analysis.py").write_text("")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "analysis.py").write_text("")
    index = load(folder)
    assert list(index.entries) == ["one", "two"]
    assert index.title == "Databench"
    assert (index.description, index.version, index.static) == (None, None, ())
    assert index.entries["one"].kernel == "py"
    assert index.entries["one"].problems == ()


@pytest.mark.parametrize("text", ["", "# nothing\n", "title: T", "analyses:"])
def test_without_a_list_each_folder_with_an_analysis_is_served(folder, text):
    index = read(folder, text)
    assert set(index.entries) == (set() if text == "analyses:" else {"one", "two"})
    assert index.problems == ()


OLD = """
description: Analyses of an older project.
build: touch built.txt
static:
  - static/(.*): static/
  - node_modules/(one_file\\.txt): node_modules/

analyses:
  - name: one
    title: The first
    description: With words.
  - name: two
    kernel: py
    title: The second
    watch:
      - two/*.html
      - two/*.py
  - name: three
    kernel: pyspark
  - title: without a name
"""


def test_a_file_of_early_releases_is_read_unchanged(folder):
    (folder / "three").mkdir()
    index = read(folder, OLD)
    assert (index.title, index.description) == ("Databench", "Analyses of an older project.")
    assert index.build == ("touch built.txt",)
    assert index.static == (
        ("static/(.*)", "static/"),
        (r"node_modules/(one_file\.txt)", "node_modules/"),
    )
    assert [name for name, entry in index.entries.items() if not entry.problems] == ["one", "two"]
    assert index.entries["two"].watch == ("two/*.html", "two/*.py")
    (problem,) = index.entries["three"].problems
    assert "there is no kernel 'pyspark'" in problem
    assert [problem.partition(": ")[0] for problem in index.problems] == ["analyses/index.yaml:20"]
    assert index.warnings == ()


def test_everything_but_the_title_is_nothing_by_default(folder):
    index = read(folder, "analyses: [one]")
    assert index.title == "Databench"
    keys = ("description", "description_html", "author", "version", "build", "watch", "static")
    assert [
        key for key in (*keys, "datastore", "content_security_policy") if getattr(index, key)
    ] == []
    entry = index.entries["one"]
    assert (entry.kernel, entry.isolation, entry.reload) == ("py", "analysis", "when idle")
    assert (entry.processes, entry.show_in_index) == (1, True)
    assert (entry.watch, entry.build, entry.thumbnail, entry.readme) == ((), (), None, None)


def test_list_gives_the_order_and_leaves_out_the_others(folder):
    (folder / "three").mkdir()
    (folder / "three" / "analysis.py").write_text("")
    index = read(folder, "analyses:\n- name: two\n  title: Second\n- one\n")
    assert [(entry.name, entry.title) for entry in index.entries.values()] == [
        ("two", "Second"),
        ("one", "one"),
    ]


def test_map_of_analyses_is_as_good_as_a_list(folder):
    index = read(folder, "analyses:\n  two: {title: Second}\n  one:\n")
    assert [entry.title for entry in index.entries.values()] == ["Second", "one"]


def test_all_keys_are_read(folder):
    (folder / "one" / "t.png").write_bytes(b"")
    index = read(
        folder,
        """
title: T
description: D
description_html: <b>D</b>
author: A
version: 1.10
build: make
watch: [a, b]
static: {files/(.*): folder/}
datastore: memory
settings: {session_grace_s: 5}
analyses:
  - name: one
    title: One
    description: d
    kernel: py
    isolation: pool
    processes: 3
    watch: one/*.py
    build: [make one]
    reload: at once
    show_in_index: false
    thumbnail: t.png
    readme: "# R"
    version: 2.0
""",
    )
    assert (index.problems, index.warnings) == ((), ())
    assert (index.title, index.version, index.build, index.watch) == (
        "T",
        "1.10",
        ("make",),
        ("a", "b"),
    )
    assert index.settings == {"session_grace_s": 5.0}
    entry = index.entries["one"]
    assert (entry.isolation, entry.processes, entry.reload) == ("pool", 3, "at once")
    assert (entry.show_in_index, entry.thumbnail, entry.version) == (False, "t.png", "2.0")
    assert entry.problems == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [b\nc: d", "analyses/index.yaml:2: this is not YAML: expected ',' or ']'"),
        ("title: T\n\tx: 1", "analyses/index.yaml:2: this is not YAML: found character '\\t'"),
        ("- one", "analyses/index.yaml:1: the file is not a map"),
        ("just text", "analyses/index.yaml:1: the file is not a map"),
    ],
)
def test_unreadable_file_keeps_the_analyses_and_says_where(folder, text, complaint):
    index = read(folder, text)
    assert list(index.entries) == ["one", "two"]
    assert len(index.problems) == 1
    assert index.problems[0].startswith(complaint)


def test_file_that_is_no_utf8_keeps_the_analyses(folder):
    (folder / "index.yaml").write_bytes(b"title: \xff")
    index = load(folder)
    assert list(index.entries) == ["one", "two"]
    assert "analyses/index.yaml: cannot be read" in index.problems[0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "x: 1\ntitel: T",
            "analyses/index.yaml:2: unknown key 'titel' is ignored; did you mean 'title'?",
        ),
        ("zzz: 1", "analyses/index.yaml:1: unknown key 'zzz' is ignored"),
        ("[a]: 1", "analyses/index.yaml:1: unknown key None is ignored"),
        (
            "title: A\ntitle: B",
            "analyses/index.yaml:2: key 'title' is repeated; the last one counts",
        ),
        (
            "analyses:\n- name: one\n  kernl: py",
            "analyses/index.yaml:3: unknown key 'kernl' is ignored; did you mean 'kernel'?",
        ),
    ],
)
def test_unknown_key_warns_and_all_is_served(folder, text, complaint):
    index = read(folder, text)
    assert any(warning.startswith(complaint) for warning in index.warnings)
    assert index.problems == ()
    assert "one" in index.entries
    assert index.entries["one"].problems == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title: [a]", "analyses/index.yaml:1: title is ['a'], expected text"),
        ("\nbuild: 3", "analyses/index.yaml:2: build is 3, expected text or a list of texts"),
        (
            "settings:\n  sesion_grace_s: 3",
            "analyses/index.yaml:2: there is no setting 'sesion_grace_s' (index.yaml); "
            "did you mean 'session_grace_s'?",
        ),
        (
            "settings:\n  session_grace_s: -1",
            "analyses/index.yaml:2: session_grace_s (index.yaml) is -1.0 s, minimum 0.0",
        ),
        ("settings: 3", "analyses/index.yaml:1: settings is not a map"),
        ("analyses: 3", "analyses/index.yaml:1: analyses is neither a list nor a map"),
        ("analyses:\n- title: T", "analyses/index.yaml:2: an analysis has no name"),
        ("analyses:\n- [one]", "analyses/index.yaml:2: an analysis has no name"),
        ("analyses:\n- one\n- one", "analyses/index.yaml:3: analysis 'one' is listed twice"),
        (
            "analyses:\n- ../one",
            "analyses/index.yaml:2: analysis '../one' is not served: names that begin with '.'",
        ),
        (
            "analyses:\n- static",
            "analyses/index.yaml:2: analysis 'static' is not served: the address /static/ is used",
        ),
    ],
)
def test_problem_of_the_file_says_where(folder, text, complaint):
    index = read(folder, text)
    assert [problem for problem in index.problems if problem.startswith(complaint)]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (
            "kernel: cobl",
            "analyses/index.yaml:3: there is no kernel 'cobl' (did you mean 'cobol'?); "
            "known: cobol, py",
        ),
        ("isolation: pol", "analyses/index.yaml:3: isolation is 'pol', expected one of analysis"),
        ("processes: 0", "analyses/index.yaml:3: processes is 0, expected a whole number"),
        (
            "memory_limit: lots",
            "analyses/index.yaml:3: memory_limit is 'lots', expected a size",
        ),
        ("memory_limit: 2", "analyses/index.yaml:3: memory_limit is 2, expected a size such"),
        ("memory_limit: 2 i", "analyses/index.yaml:3: memory_limit is '2 i', expected a size"),
        ("memory_limit: -1", "analyses/index.yaml:3: memory_limit is -1, expected a size such"),
        ("memory_limit: true", "analyses/index.yaml:3: memory_limit is True, expected a size"),
        pytest.param(
            f"memory_limit: {'9' * 400} B",
            "analyses/index.yaml:3: memory_limit is '9999",
            id="more than a float holds",
        ),
        (
            "memory_limit: 9999999 TiB",
            "analyses/index.yaml:3: memory_limit is '9999999 TiB', expected a size such as "
            "'2 GiB', '500 MB' or a number of bytes, or 0 for no limit, from 8388608 to",
        ),
        (
            "hang_timeout_s: -1",
            "analyses/index.yaml:3: hang_timeout_s is -1, expected a number",
        ),
        (
            "threads: two",
            "analyses/index.yaml:3: threads is 'two', expected a whole number, at least 0",
        ),
        (
            "open_files: 2.5",
            "analyses/index.yaml:3: open_files is 2.5, expected a whole number, at least 0",
        ),
        (
            "start_limit_s: 0",
            "analyses/index.yaml:3: start_limit_s is 0, expected a number in s, at least 0.1",
        ),
    ],
)
def test_broken_entry_keeps_its_place_and_the_others_are_served(folder, body, complaint):
    index = read(folder, f"analyses:\n- name: one\n  {body}\n- name: two", kernels=("py", "cobol"))
    assert list(index.entries) == ["one", "two"]
    assert index.entries["one"].problems[0].startswith(complaint)
    assert index.entries["two"].problems == ()
    assert index.problems == ()


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("thumbnail: ../x.png", "thumbnail is '../x.png', expected a file"),
        ("show_in_index: sometimes", "show_in_index is 'sometimes', expected true or false"),
        ("title: [a]", "title is ['a'], expected text"),
    ],
)
def test_what_is_only_shown_and_wrong_warns_and_the_analysis_is_served(folder, body, complaint):
    index = read(folder, f"analyses:\n- name: one\n  {body}")
    assert index.entries["one"].problems == ()
    assert [warning for warning in index.warnings if f"index.yaml:3: {complaint}" in warning]


def test_limits_of_an_analysis_are_settings_by_other_names(folder):
    index = read(
        folder,
        "analyses:\n- name: one\n  memory_limit: 1.5 GiB\n  threads: 3\n  cull_after_s: 0\n"
        "- name: two\n  memory_limit: 500MB\n  start_limit_s: 90",
    )
    assert index.entries["one"].limits == {
        "kernel_memory_bytes": 3 * 2**29,
        "kernel_threads": 3,
        "cull_after_s": 0,
    }
    assert index.entries["two"].limits == {"kernel_memory_bytes": 500_000_000, "start_limit_s": 90}


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0),
        ("16777216", 2**24),
        ("1_000_000_000", 10**9),
        ("2 GiB", 2**31),
        ("2gib", 2**31),
        ("1.5 gb", 1_500_000_000),
        (".5 TiB", 2**39),
        ("512Mi", 2**29),
        ("9000 kB", 9_000_000),
        ("8388608 B", 2**23),
    ],
)
def test_sizes_are_read_as_people_write_them(folder, text, size_bytes):
    index = read(folder, f"analyses:\n- name: one\n  memory_limit: {text}")
    assert index.entries["one"].problems == ()
    assert index.entries["one"].limits == {"kernel_memory_bytes": size_bytes}


def test_missing_folder_and_missing_file_are_told(folder):
    (folder / "empty").mkdir()
    index = read(folder, "analyses: [one, gone, empty]")
    assert "its folder" in index.entries["gone"].problems[0]
    assert "there is no analysis.py" in index.entries["empty"].problems[0]
    assert index.entries["one"].problems == ()


def test_entry_of_another_kernel_needs_no_python_file(folder):
    (folder / "js").mkdir()
    index = read(folder, "analyses: [{name: js, kernel: js}]", kernels=("py", "js"))
    assert index.entries["js"].problems == ()


def test_missing_analyses_folder_is_an_error(tmp_path):
    with pytest.raises(SettingError, match="does not exist"):
        load(tmp_path / "gone")


def test_anchors_and_merges_are_understood(folder):
    index = read(folder, "analyses:\n- &a {name: one, isolation: session}\n- {<<: *a, name: two}\n")
    assert index.entries["two"].isolation == "session"


_LAUGHS = "a: &a [x, x]\n" + "".join(
    f"b{n}: &b{n} [*{'a' if n == 0 else f'b{n - 1}'}{', *a' if n == 0 else f', *b{n - 1}'}]\n"
    for n in range(40)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (_LAUGHS + "title: *b39", "more than 20000 values"),
        (_LAUGHS + "<<: {title: *b39}", "more than 20000 values"),
        ("[" * 5000, "nested too deeply"),
        ("{a: " * 3000, "nested too deeply"),
        ("# " + "x" * 2**20, "limit 262144"),
        ("title: " + "9" * 6000, "index.yaml:1: title cannot be read: "),
        ("version: 2020-13-45", "index.yaml:1: version cannot be read: "),
        ("settings: {sessions: " + "9" * 6000 + "}", "index.yaml:1: "),
        ("analyses: 2020-13-45", "index.yaml:1: analyses is neither"),
        ("title: &a [*a]", "index.yaml:1: title cannot be read: "),
    ],
    ids=lambda value: value[:24],
)
def test_what_would_exhaust_or_break_the_reader_is_a_problem(folder, text, problem):
    index = read(folder, text)
    assert problem in index.problems[0]


def test_entry_that_breaks_the_reader_keeps_its_place_and_the_rest_is_served(folder):
    long_name = "a" * 300
    index = read(
        folder,
        f"analyses:\n- name: one\n- name: {long_name}\n- name: two\n  version: 2020-13-45\n",
    )
    assert list(index.entries) == ["one", long_name, "two"]
    assert index.entries["one"].problems == ()
    assert "cannot be read: File name too long" in index.entries[long_name].problems[0]
    assert [warning for warning in index.warnings if "version cannot be read" in warning]


def test_merge_of_what_is_no_map_warns(folder):
    index = read(folder, "<<: 5\ntitle: T\nanalyses:\n- name: one\n  <<: [5]\n")
    assert (index.title, list(index.entries)) == ("T", ["one"])
    assert all(
        "'<<' is ignored" in warning or "unknown key" in warning for warning in index.warnings
    )
    assert "index.yaml:1: '<<' is ignored" in index.warnings[0]


def test_a_thumbnail_that_is_missing_is_told(folder):
    index = read(folder, "analyses:\n  - name: one\n    thumbnail: none.png\n")
    (warning,) = index.warnings
    assert "analyses/index.yaml:3: thumbnail" in warning
    assert "none.png' is missing; a letter is shown" in warning
    (folder / "one" / "none.png").write_bytes(b"")
    assert load(folder).warnings == ()
