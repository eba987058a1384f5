"""The names that a template reads, found in the Python that Tornado makes of it; pure.

A page may be answered from memory only if it depends on nothing but the names that it gets.
The code decides that before it runs, by what it could do: everything that is not known to be
harmless is refused, also what this module does not foresee. Imports, modules, functions
that are not in the list, methods that might change a value or ask the system, and everything that
goes through an underscore: no page of such a template is kept.
"""

from __future__ import annotations

import ast
import builtins
import re
import string

# Functions whose result depends on their arguments alone: Python's, and Tornado's for templates.
FUNCTIONS = frozenset(
    [
        "abs",
        "all",
        "any",
        "bool",
        "chr",
        "dict",
        "divmod",
        "enumerate",
        "filter",
        "float",
        "int",
        "isinstance",
        "len",
        "list",
        "map",
        "max",
        "min",
        "ord",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "slice",
        "sorted",
        "str",
        "sum",
        "tuple",
        "zip",
        "escape",
        "xhtml_escape",
        "url_escape",
        "json_encode",
        "squeeze",
        "linkify",
    ]
)
# Given by Databench to each page, which notes the files that are asked for: a name like others.
OURS = frozenset({"static_url"})
_METHODS = frozenset(
    [
        "capitalize",
        "casefold",
        "count",
        "decode",
        "encode",
        "endswith",
        "find",
        "format",
        "get",
        "index",
        "isdigit",
        "isoformat",
        "items",
        "join",
        "keys",
        "lower",
        "lstrip",
        "partition",
        "replace",
        "rfind",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strftime",
        "strip",
        "title",
        "upper",
        "values",
        "zfill",
    ]
)
# What a value may be, and so what `value.name` may turn out to be: a method, which is not called
# here but might be in a place that this does not check.
_CHANGING = {name for kind in (str, bytes, list, dict, set, tuple) for name in dir(kind)} - {
    "title",  # of an analysis; the method changes nothing
    "index",
    "count",
    "format",
}
_GENERATED = re.compile(r"_tt_(append|buffer|tmp|utf8|string_types|execute|apply\d+)")
_DEFINED = re.compile(r"_tt_(execute|apply\d+)")
_CALLED = re.compile(r"_tt_(append|utf8|apply\d+)")
# Tornado's other names for templates (`template.generate`), and all of Python's.
_OTHERS = frozenset({*dir(builtins), "datetime", "_tt_modules", "__loader__", "__name__"})
_KINDS = (
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.Expr),
    *(ast.If, ast.For, ast.While, ast.Break, ast.Continue, ast.Pass, ast.Try, ast.ExceptHandler),
    *(ast.Name, ast.Constant, ast.Attribute, ast.Subscript, ast.Slice, ast.Call, ast.keyword),
    *(ast.Starred, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.IfExp, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension),
    *(ast.JoinedStr, ast.FormattedValue, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.NamedExpr),
    *(ast.boolop, ast.unaryop, ast.operator, ast.cmpop, ast.expr_context),
)
_NODES = {node for kind in _KINDS for node in (kind, *kind.__subclasses__())}
# A look takes three times as long as to compile it, 0.1 s for so much: of more nothing is kept.
_MOST_CHARACTERS = 2**17


def find_reads(code: str) -> frozenset[str] | None:
    """The names on which what a template makes depends.

    Args:
        code: The Python of a template and all that it extends and includes.

    Returns:
        Its own variables among them; `None`: it may depend on something else.
    """
    if len(code) > _MOST_CHARACTERS:
        return None
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    reads: set[str] = set()
    asked: set[ast.AST] = set()  # `globals()` of `globals().get("name")`
    known: set[ast.AST] = set()  # names in the one place where they may be
    for node in ast.walk(tree):  # from the outside in
        if (name := _find_placed(node)) is not None:
            known.add(name)
        wanted = _find_asked(node)
        if wanted is not None:
            assert isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            asked |= {node.func.value, node.func.value.func}  # type: ignore[attr-defined]
            reads.add(wanted)
        elif node not in asked and not _is_harmless(node):
            return None
        if _is_misplaced(node) and node not in known:
            return None
        if isinstance(node, ast.Name) and node not in asked and not _is_own(node.id):
            reads.add(node.id)
    if reads & (_OTHERS - FUNCTIONS) or any(name.startswith("_") for name in reads):
        return None
    return frozenset(reads - FUNCTIONS)


def _find_placed(node: ast.AST) -> ast.AST | None:
    """Whether this node is a call's function, or assigned by Tornado itself."""
    if isinstance(node, ast.Call):
        return node.func
    if not (isinstance(node, ast.Assign) and len(node.targets) == 1):
        return None
    made = ast.unparse(node.targets[0]), ast.unparse(node.value)
    is_tornados = made in (("_tt_buffer", "[]"), ("_tt_append", "_tt_buffer.append"))
    return node.targets[0] if is_tornados else None


def _is_misplaced(node: ast.AST) -> bool:
    """Whether a node is harmless in one place alone.

    A template may assign Tornado's own names, which are called unseen; reach into `static_url`; and
    hand `format` on, whose text may go through underscores.
    """
    if isinstance(node, ast.Name):
        is_stored = not isinstance(node.ctx, ast.Load)
        return node.id in OURS or (is_stored and node.id != "_tt_tmp" and _is_generated(node.id))
    if isinstance(node, ast.arg):
        return _is_generated(node.arg)
    return isinstance(node, ast.Attribute) and node.attr == "format"


def _is_generated(name: str) -> bool:
    return _GENERATED.fullmatch(name) is not None


def _is_own(name: str) -> bool:
    return name in FUNCTIONS or _is_generated(name)


def _find_asked(node: ast.AST) -> str | None:
    """The name in `globals().get("name", …)`, with which templates read what may be missing."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
        return None
    inner, name = node.func.value, node.args[0]
    is_asked = (
        node.func.attr == "get"
        and isinstance(inner, ast.Call)
        and isinstance(inner.func, ast.Name)
        and (inner.func.id, inner.args, inner.keywords) == ("globals", [], [])
    )
    if is_asked and isinstance(name, ast.Constant) and isinstance(name.value, str):
        return name.value
    return None


def _is_harmless(node: ast.AST) -> bool:
    if type(node) not in _NODES or isinstance(getattr(node, "ctx", None), ast.Del):
        return False
    if isinstance(node, ast.FunctionDef):
        return not node.decorator_list and _DEFINED.fullmatch(node.name) is not None
    if isinstance(node, ast.Call):
        return _is_harmless_call(node.func)
    if isinstance(node, ast.Name):
        return isinstance(node.ctx, ast.Load) or node.id not in FUNCTIONS | OURS
    if isinstance(node, ast.arg):
        return node.arg not in FUNCTIONS | OURS
    if isinstance(node, ast.Subscript):
        return isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Attribute):
        return isinstance(node.ctx, ast.Load) and _is_harmless_attribute(node)
    return True


def _is_harmless_call(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return function.attr in _METHODS and (
            function.attr != "format" or _is_plain(function.value)
        )
    if not isinstance(function, ast.Name):
        return False
    return function.id in FUNCTIONS | OURS or _CALLED.fullmatch(function.id) is not None


def _is_plain(text: ast.expr) -> bool:
    """Whether a text that is formatted is known, and reaches into no value as `{0.name}` does."""
    if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
        return False
    try:
        fields = list(string.Formatter().parse(text.value))
    except ValueError:
        return False
    return not any(
        set(".[") & set(name or "") or "{" in (spec or "") for _, name, spec, _ in fields
    )


def _is_harmless_attribute(node: ast.Attribute) -> bool:
    if node.attr.startswith("_"):
        return False
    if node.attr in _METHODS or node.attr not in _CHANGING:
        return True
    # Tornado's own `_tt_append = _tt_buffer.append`.
    return isinstance(node.value, ast.Name) and node.value.id == "_tt_buffer"
