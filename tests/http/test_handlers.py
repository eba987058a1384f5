"""Whether an application is ready, as a balancer asks."""

import json

import pytest
import tornado.testing

from databench.http import Application, StatusHandler


class Own(StatusHandler):
    def status(self):
        return {**super().status(), "jobs": 3}


class Base(tornado.testing.AsyncHTTPTestCase):
    def get_app(self):
        self.application = Application([("/status", StatusHandler), ("/own", Own)])
        return self.application


class Ready(Base):
    def test_503_with_retry_after_until_the_application_is_ready(self):
        for method in ("GET", "HEAD"):
            answer = self.fetch("/status", method=method)
            assert (answer.code, answer.reason) == (503, "Not Ready")
            assert answer.headers["Retry-After"] == "5"
            assert answer.headers["Cache-Control"] == "no-store"
        assert json.loads(self.fetch("/status").body) == {"status": "not ready"}

    def test_ready_is_said_as_json_and_may_be_extended(self):
        self.application.ready_to_serve.set()
        answer = self.fetch("/status")
        assert answer.code == 200
        assert answer.headers["Content-Type"].startswith("application/json")
        assert json.loads(answer.body) == {"status": "ok"}
        assert json.loads(self.fetch("/own").body) == {"status": "ok", "jobs": 3}
        self.application.ready_to_serve.clear()
        assert self.fetch("/own").code == 503


@pytest.mark.parametrize("method", ["get", "head"])
def test_both_methods_are_there(method):
    assert callable(getattr(StatusHandler, method))
