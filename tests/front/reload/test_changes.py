"""What a saved file means: a table, and rules that hold for any table."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench.front.reload.changes import AnalysisFiles, find_builds, judge
from databench.front.reload.scan import Scan

FOLDER = "/p/analyses"
PACKAGE = "/lib/databench"
PI, MU = f"{FOLDER}/pi", f"{FOLDER}/mu"
GLOB = f"{FOLDER}/data/*.csv"
READY = AnalysisFiles(
    "pi", PI, globs=frozenset({GLOB}), sources=frozenset({f"{PI}/analysis.py", "/p/lib/a.py"})
)
OTHER = AnalysisFiles("mu", MU, sources=frozenset({f"{MU}/analysis.py"}))
SILENT = AnalysisFiles("pi", PI)
SPECIAL = AnalysisFiles("pi", PI, kernel_folder="/p/kernels/tiny")
PROGRAM = "/usr/bin/tiny"
FAILED = AnalysisFiles("pi", PI, sources=frozenset({f"{PI}/analysis.py"}), is_ready=False)


def steps(*paths, pi=READY, tokens=frozenset(), late=(), gone=()):
    changed = dict.fromkeys(paths, tokens)
    return judge(
        Scan(changed, frozenset(gone), frozenset(late)),
        [pi, OTHER],
        folder=FOLDER,
        package=PACKAGE,
        kernels="/p/kernels",
        programs=frozenset({PROGRAM}),
    )


@pytest.mark.parametrize(
    ("analysis", "path", "restarts"),
    [
        (READY, f"{PI}/analysis.py", True),
        (READY, "/p/lib/a.py", True),
        (READY, f"{PI}/not_imported.py", False),
        (READY, f"{PI}/index.html", False),
        (READY, f"{MU}/helper.py", False),
        (SILENT, f"{PI}/analysis.py", True),
        (SILENT, f"{PI}/lib/deep.jl", True),
        (SILENT, f"{PI}/index.html", False),
        (SILENT, f"{PI}/style.css", False),
        (SILENT, f"{PI}/analysis.js", False),
        (SILENT, f"{PI}/kernel.js", True),
        (SILENT, f"{PI}/static/page.js", False),
        (SILENT, f"{PI}/routes.py", False),
        (SILENT, f"{PI}er/analysis.py", False),
        (SILENT, f"{FOLDER}/helper.py", False),
        (SILENT, "/p/kernels/tiny/kernel.pl", False),
        (SPECIAL, "/p/kernels/tiny/kernel.pl", True),
        (SPECIAL, "/p/kernels/tiny/lib/deep.pl", True),
        (SPECIAL, "/p/kernels/tinyer/kernel.pl", False),
        (SPECIAL, "/p/kernels/tiny/README.md", False),
        (replace(SPECIAL, sources=frozenset({"/p/a"})), "/p/kernels/tiny/kernel.pl", False),
        (replace(FAILED, kernel_folder="/p/kernels/tiny"), "/p/kernels/tiny/kernel.pl", True),
        (FAILED, f"{PI}/not_yet_there.py", True),
        (FAILED, f"{FOLDER}/helper.py", True),
        (FAILED, f"{MU}/helper.py", False),
        (FAILED, f"{PI}/index.html", False),
        (FAILED, "/p/lib/a.py", False),
    ],
)
def test_kernel_restarts_for_what_it_depends_on(analysis, path, restarts):
    assert steps(path, pi=analysis).restarts == ({"pi": [path]} if restarts else {})


def test_each_kernel_restarts_for_its_own_files():
    found = steps(f"{PI}/analysis.py", f"{MU}/analysis.py").restarts
    assert found == {"pi": [f"{PI}/analysis.py"], "mu": [f"{MU}/analysis.py"]}


def test_glob_restarts_whoever_has_it_whatever_the_file_is():
    path = f"{FOLDER}/data/a.csv"
    assert steps(path, tokens=frozenset({("glob", GLOB)})).restarts == {"pi": [path]}
    assert steps(path, tokens=frozenset({("glob", "/other")})).restarts == {}


def test_late_file_restarts_its_reader_alone_and_once():
    path = f"{PI}/analysis.py"
    assert steps(late=[("pi", path)]).restarts == {"pi": [path]}
    assert steps(path, late=[("pi", path)]).restarts == {"pi": [path]}
    assert steps(late=[("nobody", path)]).restarts == {}


@pytest.mark.parametrize(
    ("path", "reads"),
    [
        (f"{FOLDER}/index.yaml", True),
        (f"{FOLDER}/new/analysis.py", True),
        (f"{FOLDER}/new/deep/analysis.py", False),
        (f"{PI}/analysis.py", False),
        (f"{PI}/index.yaml", False),
        (f"{PI}/routes.py", True),
        (f"{PI}/deep/routes.py", False),
        ("/elsewhere/index.yaml", False),
    ],
)
def test_index_is_read_for_its_own_files(path, reads):
    assert steps(path).reads_index is reads


def test_index_is_read_for_what_decides_whether_kernels_can_be_started():
    assert steps("/p/kernels/tiny/kernel.yaml").reads_index
    assert steps("/p/kernels/tiny/kernel.yaml").restarts == {}
    assert steps(PROGRAM, tokens=frozenset({("glob", PROGRAM)})).reads_index
    for other in (
        "kernels/kernel.yaml",
        "kernels/a/b/kernel.yaml",
        "kernels/a/x.yaml",
        "kernel.yaml",
    ):
        assert not steps(f"/p/{other}").reads_index


def test_index_is_read_when_an_analysis_goes_or_a_broken_one_changes():
    assert steps(f"{PI}/analysis.py", gone=[f"{PI}/analysis.py"]).reads_index
    broken = AnalysisFiles("pi", PI, is_broken=True)
    assert steps(f"{PI}/anything.py", pi=broken).reads_index


@pytest.mark.parametrize("name", ["a.html", "a.css", "a.js", "README.md", "README.rst", "t.PNG"])
def test_files_of_pages_are_shown(name):
    assert steps(f"{PI}/{name}").shown == [f"{PI}/{name}"]


def test_python_files_are_not_shown():
    assert steps(f"{PI}/analysis.py").shown == []


def test_own_files_are_those_below_the_package_when_it_is_watched():
    path = f"{PACKAGE}/front/app.py"
    assert steps(path, tokens=frozenset({("folder", PACKAGE)})).own == [path]
    assert steps(path, tokens=frozenset({("folder", FOLDER)})).own == []
    assert steps(f"{PACKAGE}/x.html", tokens=frozenset({("folder", PACKAGE)})).own == []


@pytest.mark.parametrize(
    "name", ["tests/analyses/x/analysis.py", "analyses_packaged/x/analysis.py"]
)
def test_examples_that_come_with_databench_are_analyses_like_any_other(name):
    path = f"{PACKAGE}/{name}"
    assert steps(path, tokens=frozenset({("folder", PACKAGE)})).own == []


NAMES = st.sampled_from(["analysis.py", "helper.py", "index.html", "data.csv", "routes.py", "a.js"])
FOLDERS = st.sampled_from([FOLDER, PI, MU, f"{PI}/static", f"{PI}/lib", "/p/lib", "/elsewhere"])
PATHS = st.builds(lambda folder, name: f"{folder}/{name}", FOLDERS, NAMES)
TOKENS = st.frozensets(
    st.sampled_from([("glob", GLOB), ("folder", FOLDER), ("file", "/p/lib/a.py")]), max_size=3
)
ANALYSES = st.builds(
    AnalysisFiles,
    st.just("pi"),
    st.just(PI),
    globs=st.frozensets(st.just(GLOB)),
    sources=st.none() | st.frozensets(PATHS),
    is_ready=st.booleans(),
    is_broken=st.booleans(),
)


@given(st.dictionaries(PATHS, TOKENS, max_size=5), ANALYSES)
def test_restarts_name_changed_files_and_every_named_source(changed, analysis):
    found = judge(Scan(changed), [analysis, OTHER], folder=FOLDER, package=PACKAGE)
    for name, paths in found.restarts.items():
        assert set(paths) <= set(changed)
        assert paths, name
    named = changed.keys() & (analysis.sources or ())
    assert named <= set(found.restarts.get("pi", ()))
    if analysis.sources is not None and analysis.is_ready and not analysis.globs:
        assert set(found.restarts.get("pi", ())) == named
    assert set(found.restarts.get("mu", ())) == changed.keys() & OTHER.sources


@given(st.dictionaries(PATHS, TOKENS, max_size=5), ANALYSES)
def test_a_burst_gives_what_its_saves_give_together(changed, analysis):
    def decide(part):
        return judge(Scan(part), [analysis, OTHER], folder=FOLDER, package=PACKAGE)

    whole, parts = decide(changed), [decide({path: changed[path]}) for path in changed]
    assert set(whole.restarts) == {name for part in parts for name in part.restarts}
    assert whole.reads_index == any(part.reads_index for part in parts)
    assert sorted(whole.shown) == sorted(path for part in parts for path in part.shown)


@pytest.mark.parametrize(
    ("path", "tokens", "names"),
    [
        (f"{PI}/analysis.py", (), {"pi", ""}),
        ("/p/lib/a.py", (), {"pi", ""}),
        (f"{MU}/analysis.py", (), {"mu", ""}),
        (f"{PI}/not_imported.py", (), set()),
        (f"{PI}/index.html", (), set()),
        (f"{FOLDER}/data/a.csv", (("glob", GLOB),), {"pi"}),
        (f"{FOLDER}/lib/a.ts", (("glob", "/all/*.ts"),), {""}),
        (f"{PI}/routes.py", (), set()),
    ],
)
def test_what_depends_on_a_saved_file_is_built(path, tokens, names):
    scan = Scan({path: frozenset(tokens)}, frozenset(), frozenset())
    found = find_builds(scan, [READY, OTHER], frozenset({"/all/*.ts"}), FOLDER)
    assert found == ({path: names} if names else {})


def test_a_source_of_a_kernel_that_has_not_run_yet_is_built_for():
    scan = Scan({f"{PI}/analysis.py": frozenset()}, frozenset(), frozenset())
    assert find_builds(scan, [SILENT], frozenset(), FOLDER) == {f"{PI}/analysis.py": {"pi", ""}}
