"""Mixins of handlers: the logger, the line of an error, the document of an error."""

import json
import logging

import pytest
import tornado.web

from databench.http import Application
from databench.http.mixins import ErrorLogger, ErrorWriter, LoggingHandler, find_reason
from databench.http.testing import ApplicationTestCase


class Raising(ErrorLogger, ErrorWriter, tornado.web.RequestHandler):
    """Fails as the query says."""

    def get(self):
        reason = self.get_query_argument("reason", None)
        how = self.get_query_argument("how")
        status = int(self.get_query_argument("status", "500"))
        if how == "raise":
            raise tornado.web.HTTPError(status, reason=reason)
        if how == "fault":
            raise ValueError(*self.get_query_arguments("text"))
        if how == "late":
            self.write("a")
            self.flush()
            raise ValueError("late")
        kwargs = {"reason": reason} if reason else {}
        if said := self.get_query_argument("log_message", None):
            kwargs["log_message"] = said
        self.send_error(status, **kwargs)


class Content(Raising):
    def send_response(self, document):
        self.set_header("Content-Type", "text/plain")
        self.write("; ".join(f"{key} {value}" for key, value in sorted(document.items())))


class OnlyWriter(ErrorWriter, tornado.web.RequestHandler):
    def get(self):
        raise tornado.web.HTTPError(int(self.get_query_argument("status")))


class WithDatabase(LoggingHandler, tornado.web.RequestHandler):
    def initialize(self, database):
        super().initialize()
        self.database = database

    def get(self):
        self.write(f"{self.logger.name} {self.database}")


class OwnLogger(WithDatabase):
    def initialize(self, database):
        super().initialize(database)
        self.logger = logging.getLogger("another")


class Mixins(ApplicationTestCase):
    @pytest.fixture(autouse=True)
    def _caplog(self, caplog):
        self.caplog = caplog

    def get_app(self):
        given = {"database": 3}
        self.app = Application(
            [
                ("/raising", Raising),
                ("/content", Content),
                ("/writer", OnlyWriter),
                ("/logger", WithDatabase, given),
                ("/own", OwnLogger, given),
            ],
        )
        return self.app

    def logged(self):
        records = [r for r in self.caplog.records if "failed with" in r.getMessage()]
        (record,) = records
        return record.name, record.levelname, record.getMessage(), record.exc_info is not None

    def document(self, path):
        answer = self.fetch(path)
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        return json.loads(answer.body)

    # -- LoggingHandler

    def test_logger_is_named_after_the_class(self):
        assert self.fetch("/logger").body == b"WithDatabase 3"

    def test_handler_may_have_a_logger_of_its_own(self):
        assert self.fetch("/own").body == b"another 3"

    # -- ErrorLogger

    def test_4xx_is_a_warning_without_a_traceback(self):
        self.fetch("/raising?how=raise&status=404")
        line = "GET /raising?how=raise&status=404 failed with 404: Not Found"
        assert self.logged() == ("Raising", "WARNING", line, False)

    def test_5xx_is_an_error_with_the_traceback(self):
        self.fetch("/raising?how=fault")
        line = "GET /raising?how=fault failed with 500: Internal Server Error"
        assert self.logged() == ("Raising", "ERROR", line, True)
        assert self.caplog.text.count("Traceback") == 1

    def test_5xx_that_was_sent_has_no_traceback(self):
        self.fetch("/raising?how=send&status=503")
        line = "GET /raising?how=send&status=503 failed with 503: Service Unavailable"
        assert self.logged() == ("Raising", "ERROR", line, False)

    def test_reason_of_an_http_error_is_kept(self):
        answer = self.fetch("/raising?how=raise&status=404&reason=Gone%20fishing")
        assert answer.reason == "Gone fishing"
        assert self.logged()[2].endswith("failed with 404: Gone fishing")

    def test_reason_that_was_sent_is_kept(self):
        answer = self.fetch("/raising?how=send&status=400&reason=oops")
        assert answer.reason == "oops"
        assert self.logged()[2].endswith("failed with 400: oops")

    def test_code_that_is_no_standard_is_unknown(self):
        answer = self.fetch("/raising?how=send&status=623")
        assert (answer.code, answer.reason) == (623, "Unknown")
        assert self.logged()[1:3] == (
            "ERROR",
            "GET /raising?how=send&status=623 failed with 623: Unknown",
        )

    def test_log_message_is_for_the_log_alone(self):
        document = self.document("/raising?how=send&status=500&log_message=the%20disk")
        assert self.logged()[2].endswith("failed with 500: the disk")
        assert document["message"] == "Internal Server Error"

    def test_fault_after_the_headers_is_not_lost(self):
        self.fetch("/raising?how=late")
        assert "ValueError: late" in self.caplog.text

    # -- ErrorWriter

    def test_document_of_an_exception(self):
        assert self.document("/raising?how=raise&status=404") == {
            "type": "HTTPError",
            "message": "HTTP 404: Not Found",
            "traceback": None,
        }
        assert self.document("/raising?how=fault&text=no%20such%20key") == {
            "type": "ValueError",
            "message": "no such key",
            "traceback": None,
        }

    def test_document_of_what_was_sent(self):
        assert self.document("/raising?how=send&status=500") == {
            "type": None,
            "message": "Internal Server Error",
            "traceback": None,
        }
        assert self.document("/raising?how=send&status=567")["message"] == "Unknown"

    def test_message_is_always_there(self):
        assert self.document("/raising?how=fault")["message"] == "Internal Server Error"

    def test_traceback_is_served_where_the_setting_says_so(self):
        self.app.settings["serve_traceback"] = True
        lines = self.document("/raising?how=fault&text=a")["traceback"]
        assert lines[0].startswith("Traceback")
        assert lines[-1] == "ValueError: a\n"
        assert self.document("/raising?how=send")["traceback"] is None

    def test_content_mixin_writes_it_in_its_own_way(self):
        answer = self.fetch("/content?how=send&status=404")
        assert answer.headers["Content-Type"] == "text/plain"
        assert answer.body == b"message Not Found; traceback None; type None"

    def test_writer_works_alone(self):
        assert self.document("/writer?status=623")["message"] == "HTTP 623: Unknown"


def test_reason_of_another_exception_is_none_of_the_answer():
    error = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
    assert find_reason(400, exc_info=(type(error), error, None)) == "Bad Request"
