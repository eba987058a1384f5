"""What was saved: each path's last save by its count, and what a page was too late for."""

import json

from databench.front.reload.saves import Saves


def test_each_save_has_the_next_count_and_says_its_paths():
    saves = Saves()
    before = saves.count
    frames = [json.loads(saves.add(paths)) for paths in (["/y/", "/"], ["/x/"])]
    assert [frame["signal"] for frame in frames] == ["__reload"] * 2
    assert [frame["load"]["paths"] for frame in frames] == [["/", "/y/"], ["/x/"]]
    assert [frame["load"]["saves"] for frame in frames] == [before + 1, before + 2]


def test_what_was_missed_is_all_that_was_saved_later_once():
    saves = Saves()
    count = saves.count
    for paths in (["/"], ["/x/"], ["/"]):
        saves.add(paths)
    load = json.loads(saves.find_missed(count + 1))["load"]
    assert load == {"paths": ["/", "/x/"], "saves": count + 3, "missed": True}
    assert json.loads(saves.find_missed(count + 2))["load"]["paths"] == ["/"]


def test_nothing_is_missed_by_pages_that_know_all_or_say_nothing():
    saves = Saves()
    saves.add(["/"])
    assert saves.find_missed(None) is None
    assert saves.find_missed(saves.count) is None
    assert Saves().find_missed(0) is None
