"""What a template reads, found in the Python that Tornado makes of it; pure.

A page may be answered from memory only if it depends on nothing but the names that it is given.
That is decided before it is run, by what its code could do: everything is refused that is not
known to be harmless here, so what nobody thought of is refused too. Imports, modules, functions
that are not in the list, methods that might change a value or ask the system, and whatever goes
through an underscore: of such a template nothing is kept.
"""

from __future__ import annotations

import ast
import builtins
import re

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
# here but might be where nobody looks.
_CHANGING = {name for kind in (str, bytes, list, dict, set, tuple) for name in dir(kind)} - {
    "title",  # of an analysis; the method changes nothing
    "index",
    "count",
    "format",
}
_GENERATED = re.compile(r"_tt_(append|buffer|tmp|utf8|string_types|execute|apply\d+)")
_CALLED = re.compile(r"_tt_(append|utf8|apply\d+)")
# Tornado's other names for templates (`template.generate`), and all of Python's.
_OTHERS = frozenset({*dir(builtins), "datetime", "_tt_modules", "__loader__", "__name__"})
_NODES = (
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.Expr),
    *(ast.If, ast.For, ast.While, ast.Break, ast.Continue, ast.Pass, ast.Try, ast.ExceptHandler),
    *(ast.Name, ast.Constant, ast.Attribute, ast.Subscript, ast.Slice, ast.Call, ast.keyword),
    *(ast.Starred, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.IfExp, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension),
    *(ast.JoinedStr, ast.FormattedValue, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.NamedExpr),
    *(ast.boolop, ast.unaryop, ast.operator, ast.cmpop, ast.expr_context),
)


def find_reads(code: str) -> frozenset[str] | None:
    """The names on which what a template makes depends.

    Args:
        code: The Python of a template and all that it extends and includes.

    Returns:
        Its own variables among them; `None`: it may depend on something else.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    reads: set[str] = set()
    asked: set[ast.AST] = set()  # `globals()` of `globals().get("name")`
    for node in ast.walk(tree):  # from the outside in
        name = _find_asked(node)
        if name is not None:
            assert isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            asked |= {node.func.value, node.func.value.func}  # type: ignore[attr-defined]
            reads.add(name)
        elif node not in asked and not _is_harmless(node):
            return None
        if isinstance(node, ast.Name) and node not in asked and not _is_own(node.id):
            reads.add(node.id)
    return None if reads & (_OTHERS - FUNCTIONS) else frozenset(reads - FUNCTIONS)


def _is_own(name: str) -> bool:
    return name in FUNCTIONS or _GENERATED.fullmatch(name) is not None


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
    if not isinstance(node, _NODES) or isinstance(getattr(node, "ctx", None), ast.Del):
        return False
    if isinstance(node, ast.FunctionDef):
        return not node.decorator_list and _GENERATED.fullmatch(node.name) is not None
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
        return function.attr in _METHODS
    if not isinstance(function, ast.Name):
        return False
    return function.id in FUNCTIONS | OURS or _CALLED.fullmatch(function.id) is not None


def _is_harmless_attribute(node: ast.Attribute) -> bool:
    if node.attr.startswith("_"):
        return False
    if node.attr in _METHODS or node.attr not in _CHANGING:
        return True
    # Tornado's own `_tt_append = _tt_buffer.append`.
    return isinstance(node.value, ast.Name) and node.value.id == "_tt_buffer"
