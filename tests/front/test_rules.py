"""Which handler an address gets, and what the log says of it."""

import logging

import pytest


async def test_pages_are_logged_at_info_and_files_at_debug(serve, folder, caplog):
    caplog.set_level(logging.DEBUG, "databench.front")
    (folder / "x" / "static" / "a.txt").write_text("")
    server = await serve()
    await server.get("/x/")
    await server.get("/x/static/a.txt")
    page = await server.connect()
    page.close()
    levels = {r.getMessage().split()[1]: r.levelname for r in caplog.records}
    assert levels == {"/x/": "INFO", "/x/static/a.txt": "DEBUG", "/x/ws": "DEBUG"}


@pytest.mark.expected_log(" 404 ")
async def test_refusals_are_warnings_with_the_id_of_the_answer(serve, caplog):
    server = await serve()
    answer = await server.get("/gone/")
    [record] = [record for record in caplog.records if "/gone/" in record.getMessage()]
    assert record.levelname == "WARNING"
    assert f"(request {answer.headers['X-Request-Id']})" in record.getMessage()


@pytest.mark.expected_log(" 404 ")
async def test_a_pattern_of_the_project_takes_no_page_and_no_websocket_of_an_analysis(
    serve, folder
):
    (folder / "index.yaml").write_text('static: {"(.*)": other}\nanalyses: [{name: x}]')
    (folder / "other" / "x").mkdir(parents=True)
    (folder / "other" / "note.txt").write_text("of the project")
    (folder / "other" / "x" / "ws").write_text("not a websocket")
    server = await serve()
    assert (await server.get("/note.txt")).body == b"of the project"
    assert (
        b"data-analysis" in (await server.get("/x/")).body or (await server.get("/x/")).code == 200
    )
    page = await server.connect()
    page.close()
    assert (await server.get("/gone/")).code == 404
