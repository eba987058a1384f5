"""Keyed values that signal their changes."""

import asyncio
import threading

import pytest

from databench import Datastore


@pytest.fixture
def store(request):
    store = Datastore(request.node.nodeid, release_storage=True)
    yield store
    store.close()


@pytest.fixture
def heard(store):
    heard = []
    assert store.on_change(lambda key, value: heard.append((key, value))) is store
    return heard


def test_it_is_a_mapping(store):
    store["a"] = 1
    store.update({"b": 2}, c=3)
    store.set_state(d=4)
    store.set_state(lambda state: {"e": state["a"] + 4})
    assert (store["a"], store.get("b"), store.get("x"), store.get("x", 9)) == (1, 2, None, 9)
    assert list(store) == store.keys() == ["a", "b", "c", "d", "e"]
    assert store.values() == [1, 2, 3, 4, 5]
    assert dict(store.items()) == dict(zip("abcde", range(1, 6), strict=True))
    assert "a" in store
    assert "x" not in store
    assert len(store) == 5
    assert repr(store) == repr(dict(store.items()))
    del store["a"]
    assert "a" not in store


def test_a_missing_key_is_a_key_error_and_an_index_error(store):
    for error in (KeyError, IndexError):
        with pytest.raises(error):
            store["absent"]
        with pytest.raises(error):
            del store["absent"]
        with pytest.raises(error):
            store.trigger_changed("absent")
        with pytest.raises(error):
            store.get_encoded("absent")


def test_only_a_change_is_told(store, heard):
    store["a"] = 1
    store["a"] = 1
    store["a"] = 1.0
    store["a"] = True
    assert heard == [("a", 1), ("a", 1.0), ("a", True)]
    assert [type(value) for _, value in heard] == [int, float, bool]


def test_copies_are_stored_and_copies_are_read(store, heard):
    value = {"list": [1]}
    store["a"] = value
    value["list"].append(2)
    store["a"]["list"].append(3)
    assert store["a"] == {"list": [1]}
    store["a"] = value
    assert heard == [("a", {"list": [1]}), ("a", {"list": [1, 2]})]
    heard[0][1]["list"].clear()
    assert store["a"] == {"list": [1, 2]}


def test_subscribers_get_a_dict_and_their_results_are_returned(store):
    assert store.subscribe(lambda change: change) is store
    store.on_change(lambda key, value: key)
    assert store.set("a", 1) == [{"a": 1}, "a"]
    assert store.set("a", 1) == []
    assert store.update(a=2, b=3) == [{"a": 2}, "a", {"b": 3}, "b"]
    assert store.trigger_changed("a") == [{"a": 2}, "a"]
    assert store.trigger_all_change_callbacks() == [{"a": 2}, "a", {"b": 3}, "b"]


async def test_results_can_be_awaited(store):
    async def later(key, value):
        await asyncio.sleep(0)
        return value

    store.on_change(later)
    store.on_change(lambda key, value: key)
    assert await store.set("a", 1) == [1, "a"]
    assert await store.init(a=5) == []


def test_init_sets_absent_keys_only_and_declares_all(store, heard):
    store["a"] = 1
    store.init({"a": 5, "b": 6}, c=7)
    assert dict(store.items()) == {"a": 1, "b": 6, "c": 7}
    assert store.declared == {"a", "b", "c"}
    assert heard == [("a", 1), ("b", 6), ("c", 7)]


def test_values_that_have_no_json_form_are_refused_and_change_nothing(store, heard):
    with pytest.raises(TypeError, match=r"value\['a'\]\['x'\] is of type object"):
        store["a"] = {"x": object()}
    with pytest.raises(TypeError, match="the key 3 is not a string"):
        store[3] = 1
    assert len(store) == 0
    assert heard == []


def test_stores_of_one_domain_share_values_and_hear_of_each_other(store, heard):
    other = Datastore(store.domain)
    other["a"] = 1
    assert store["a"] == 1
    assert heard == [("a", 1)]
    other.close()


def test_a_closed_store_hears_nothing():
    first, second = Datastore("closing"), Datastore("closing", release_storage=True)
    heard = []
    first.on_change(lambda key, value: heard.append(key))
    first.close()
    first.close()
    second["a"] = 1
    assert heard == []
    second.close()
    assert Datastore("closing", release_storage=True).get("a") is None


def test_the_last_close_of_a_released_domain_frees_it_and_others_keep_it():
    kept = Datastore("kept")
    kept["a"] = 1
    kept.close()
    again = Datastore("kept", release_storage=True)
    third = Datastore("kept")
    assert again["a"] == 1
    again.close()
    assert third["a"] == 1
    Datastore("kept", release_storage=True).close()
    third.release_storage = True
    third.close()
    assert "a" not in Datastore("kept", release_storage=True)


def test_restored_values_are_told_to_nobody(store, heard):
    store.restore("a", b'{"x": [1]}')
    assert store["a"] == {"x": [1]}
    assert heard == []
    with pytest.raises(ValueError):
        store.restore("b", b"{")


def test_received_values_are_told_to_callbacks_and_not_to_observers(store, heard):
    observed = []
    store.observe(lambda key, value, text: lambda: observed.append((key, text)))
    store.receive("a", b"1")
    store.receive("a", b"1")
    store["a"] = 2
    assert heard == [("a", 1), ("a", 2)]
    assert observed == [("a", b"2")]


def test_a_deleted_key_is_told_as_none_and_is_gone(store, heard):
    observed = []
    store.observe(lambda key, value, text: lambda: observed.append((key, value, text)))
    store["a"] = None
    del store["a"]
    assert heard == [("a", None), ("a", None)]
    assert observed == [("a", None, b"null"), ("a", None, b"")]
    assert "a" not in store
    store.init(a=1)
    assert store["a"] == 1


def test_observers_hear_of_changes_in_the_order_in_which_they_were_stored(store):
    told = []
    store.observe(lambda key, value, text: lambda: told.append(int(text)))

    def write(first):
        for value in range(first, first + 200):
            store["a"] = value

    threads = [threading.Thread(target=write, args=(n * 1000,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told[-1] == store["a"]
    assert len(told) == 800


async def test_a_change_is_atomic_and_gives_the_value(store):
    assert await store.change("n", lambda n: (n or 0) + 1) == 1
    assert await store.change("n", lambda n: n + 1) == 2

    class Elsewhere:
        def change(self, key, function):
            return asyncio.sleep(0, ("changed", key))

        def change_state(self, updater):
            return asyncio.sleep(0, updater({"n": 5}))

    store.set_changer(Elsewhere())
    assert await store.change("n", lambda n: n) == ("changed", "n")
    assert await store.set_state(lambda state: {"n": state["n"]}) == [{"n": 5}]
    store._shared.changer = None


def test_setting_a_value_calls_settle_after_the_lock(store, monkeypatch):
    seen = []
    monkeypatch.setattr(
        Datastore, "settle", staticmethod(lambda: seen.append(Datastore.lock._is_owned()))
    )
    store["a"] = 1
    assert seen == [False]
