"""What a template reads, and of which templates nothing may be kept."""

import ast

import pytest
import tornado.template

from databench.front.content.templatereads import find_reads


def reads(text):
    loader = tornado.template.DictLoader(
        {"page": text, "base": "{% block a %}{{ base }}{% end %}", "part": "{{ part }}"}
    )
    return find_reads(loader.load("page").code)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("nothing", set()),
        ("{{ title }}", {"title"}),
        ("{% raw readme %}{# no #}{% comment no %}", {"readme"}),
        ("{{ globals().get('title') or globals().get('name', 'x') }}", {"title", "name"}),
        ("{% extends 'base' %}{% block a %}{{ own }}{% end %}", {"own"}),
        ("{% extends 'base' %}", {"base"}),
        ("{% include 'part' %}", {"part"}),
        ("{% for a in analyses %}{{ a['title'].upper() }}{{ a.name }}{% end %}", {"analyses", "a"}),
        ("{% set x = title[:1] %}{{ x }}", {"title", "x"}),
        ("{{ url_escape(name, plus=False) }}{{ len(names) }}", {"name", "names"}),
        ("{{ f'{saves:>5}' }}{{ ', '.join(sorted(names, key=lambda n: n.lower())) }}", None),
        ("{% apply escape %}{{ title }}{% end %}", {"title"}),
        ("{{ static_url('analysis.js') }}", {"static_url"}),
        ("{% if title %}a{% elif name %}b{% else %}c{% end %}", {"title", "name"}),
        ("{% while False %}{% break %}{% end %}{% try %}{% except %}{% end %}", set()),
        ("{{ [info for info in infos if info.get('show')] }}", {"infos", "info"}),
        ("{{ {'a': 1, **values}['a'] }}{{ not x and -y + 1 }}", {"values", "x", "y"}),
    ],
)
def test_names_are_found(text, names):
    found = reads(text)
    if names is None:
        assert found == {"saves", "names", "n"}
    else:
        assert found == names


# A name of the request's is read as any other: the page decides that it is none that it gave.
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{{ request.path }}", "request"),
        ("{{ globals().get('handler').application }}", "handler"),
        ("{% if current_user %}{% end %}", "current_user"),
        ("{{ handler }}", "handler"),
        ("{% for handler in a %}{% end %}{{ handler }}", "handler"),
    ],
)
def test_names_of_the_request_are_among_them(text, name):
    assert name in reads(text)


@pytest.mark.parametrize(
    "text",
    [
        "{% import time %}{{ title }}",
        "{% from time import time %}",
        "{% module Login() %}",
        "{{ datetime.datetime.now() }}",
        "{{ globals().get('datetime') }}",
        "{{ globals() }}",
        "{{ globals()['handler'] }}",
        "{{ globals().get(name) }}",
        "{{ globals().copy() }}",
        "{{ locals() }}",
        "{{ vars() }}",
        "{{ open('/etc/passwd').read() }}",
        "{{ __import__('random').random() }}",
        "{{ eval('handler') }}",
        "{{ getattr(title, 'x') }}",
        "{{ id(title) }}",
        "{{ hash(title) }}",
        "{{ translate('x') }}",
        "{{ _('x') }}",
        "{{ reverse_url('x') }}",
        "{% raw xsrf_form_html() %}",
        "{{ own_function() }}",
        "{{ own.method() }}",
        "{{ analyses.pop() }}",
        "{{ analyses.append(1) }}",
        "{{ [add(1) for add in [analyses.append]] }}",
        "{% set add = analyses.append %}{{ add(1) }}",
        "{{ list(map(analyses.append, [1])) }}",
        "{{ title.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{% set len = open %}{{ len(title) }}",
        "{% set len = analyses %}{{ len(title) }}",
        "{% set static_url = analyses %}",
        "{{ (lambda len: len(1))(analyses) }}",
        "{{ (lambda len: 1) }}",
        "{% set analyses[0] = 1 %}",
        "{% set analyses.x = 1 %}",
        "{% set analyses += [1] %}",
        "{{ _tt_execute() }}",
        "{{ _tt_modules }}",
        "{% apply own %}{% end %}",
        "{{ (yield 1) }}",
        "{{ (title or open)('x') }}",
        "{{ __loader__ }}",
        "{{ print(1) }}",
        "{{ type(title) }}",
        "{{ __builtins__['eval']('handler') }}",
        "{{ list(map(__builtins__['eval'], ['handler'])) }}",
        "{{ globals().get('__builtins__') }}",
        "{% set _tt_apply7 = analyses %}{{ _tt_apply7('x') }}",
        "{% set _tt_utf8 = analyses %}{{ title }}",
        "{% set _tt_append = analyses.get %}{{ title }}",
        "{% for _tt_utf8 in analyses %}{{ title }}{% end %}",
        "{{ [title for _tt_utf8 in analyses] }}",
        "{{ (lambda _tt_utf8: title) }}",
        "{{ (_tt_utf8 := title) }}",
        "{{ '{0.func.__globals__}'.format(static_url) }}",
        "{{ '{0[x]}'.format(title) }}",
        "{{ title.format(analyses) }}",
        "{{ list(map('{0.x}'.format, analyses)) }}",
        "{{ static_url.func }}",
        "{{ static_url.args[0].size_bytes }}",
        "{{ [url('a') for url in [static_url]] }}",
        "{{ str(static_url) }}",
    ],
)
def test_of_what_may_depend_on_more_nothing_is_kept(text):
    found = reads(text)
    assert found is None


@pytest.mark.parametrize(
    "code", ["def f(:", "x = 1\0", "'{:{}}'.format(1)", "del x", "class A: pass", "import os"]
)
def test_code_that_no_template_makes_is_refused(code):
    assert find_reads(code) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{{ '{:.2f} {!r} {x}'.format(1, title, x=2) }}", {"title"}),
        ("{{ static_url('a.css') }}", {"static_url"}),
        (
            "{% apply escape %}{{ title }}{% end %}{% set more = title %}{{ more }}",
            {"title", "more"},
        ),
    ],
)
def test_the_harmless_uses_of_the_same_are_no_reason_to_refuse(text, names):
    assert reads(text) == names


def test_of_a_very_long_template_nothing_is_kept():
    assert reads("<p>{{ title }}</p>" * 20) == {"title"}
    assert reads("<p>{{ title }}</p>" * 2000) is None


def test_each_kind_of_statement_that_is_not_known_is_refused():
    # A Python to come may have more of them.
    assert find_reads("match x:\n    case 1: pass") is None
    assert find_reads("with x: pass") is None
    assert find_reads("async def _tt_execute(): pass") is None
    assert issubclass(ast.Match, ast.stmt)
