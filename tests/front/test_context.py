"""What handlers share: the analyses, what is wrong with them, the kernels; and how they get it."""

import pytest
import tornado.web

from databench.config import load
from databench.front.basehandler import Headers
from databench.front.context import ContextApplication, FrontContext
from databench.front.reload.build import PROJECT
from databench.settings import Settings
from tests.front.conftest import STATUS, FakeBroker


@pytest.fixture
async def context(folder):
    return FrontContext(load(folder), FakeBroker(), Settings())


def test_a_handler_finds_the_context_in_its_application():
    class Small(ContextApplication):
        def __init__(self, context):
            self.context = context
            super().__init__([])

    context = object()
    handler = Headers.__new__(Headers)
    handler.application = Small(context)
    assert handler.context is context


async def test_an_analysis_by_its_name(context):
    assert context.entry("x") is context.index.entries["x"]
    with pytest.raises(tornado.web.HTTPError, match="no analysis 'y'") as caught:
        context.entry("y")
    assert caught.value.status_code == 404


async def test_faults_of_routes_and_builds_stand_together(context):
    assert context.find_faults("x") == context.find_faults("") == []
    context.route_faults = {"x": ("routes",)}
    context.builder.faults.update({"x": ("build",), PROJECT: ("project",)})
    assert context.find_faults("x") == ["routes", "build", "project"]
    assert context.find_faults("") == ["project"]
    assert context.find_faults("y") == ["project"]


async def test_each_kernel_has_the_address_of_its_page(context, folder):
    [kernel] = context.describe_kernels()
    assert kernel == {"kernel": "k1.2", **STATUS["kernels"][0], "address": "/x/"}
    object.__setattr__(context.index, "single", "x")
    assert context.describe_kernels()[0]["address"] == "/"


async def test_a_link_is_known_by_what_the_broker_has_by_then(context):
    assert not context.links._is_there("x", "s")
    context.broker.sessions.add(("x", "s"))
    assert context.links._is_there("x", "s")
