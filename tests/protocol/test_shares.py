"""How many sessions a client may have, and which goes for another one."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from databench.protocol.clients import Client
from databench.protocol.shares import FULL, FULL_GONE, OWN_GONE, Shares
from databench.protocol.waiting import Waiting, WaitingRoom

LIMITS = SimpleNamespace(sessions=10, sessions_per_person=3, sessions_per_address=5)
HOME = "127.0.0.1"
FAR = "192.0.2.7"


class World:
    """Sessions as the broker would have them."""

    def __init__(self, limits=LIMITS):
        self.shares, self.room, self.limits = Shares(), WaitingRoom(), limits
        self.clients = {}
        self.running = set()
        self.count = 0

    def join(self, client, *, stays=False, is_unseen=True):
        """A page comes; the id of its session, or the text that it is shown."""
        for _ in range(4):
            leaving, why = self.shares.choose_leaving(client, self.room, self.limits)
            if leaving is None:
                break
            assert leaving.id_ not in self.running
            self.room.leave(leaving.id_)
            self.shares.end(leaving.id_, self.clients.pop(leaving.id_))
        assert leaving is None
        if why:
            return why
        self.count += 1
        id_ = f"s{self.count}"
        self.clients[id_] = client
        self.shares.begin(id_, client)
        if stays:
            self.running.add(id_)
        else:
            self.room.enter(Waiting(id_, client, float(self.count), is_unseen, 1))
        return id_


def test_one_client_that_leaves_unseen_results_never_locks_others_out():
    world = World()
    other = world.join(Client(HOME, "other"))
    for _ in range(100):
        world.join(Client(HOME, ""))
    assert len(world.shares) == 10
    assert other in world.clients
    assert world.join(Client(FAR, "victim")) in world.clients


def test_a_person_over_its_share_loses_its_own_oldest():
    world = World()
    me, you = Client(HOME, "me"), Client(HOME, "you")
    theirs = world.join(you)
    mine = [world.join(me) for _ in range(5)]
    assert [id_ in world.clients for id_ in mine] == [False, False, True, True, True]
    assert theirs in world.clients


def test_a_person_over_its_share_loses_its_own_wherever_it_was():
    world = World()
    mine = [world.join(Client(address, "me")) for address in ("192.0.2.1", "192.0.2.2", FAR)]
    assert world.join(Client("192.0.2.9", "me")) in world.clients
    assert [id_ in world.clients for id_ in mine] == [False, True, True]


def test_a_seen_one_of_a_person_goes_before_an_older_unseen_one():
    world = World()
    me = Client(HOME, "me")
    mine = [world.join(me, is_unseen=is_unseen) for is_unseen in (True, False, True)]
    world.join(me)
    assert [id_ in world.clients for id_ in mine] == [True, False, True]


def test_who_has_only_sessions_in_use_is_refused_in_words():
    world = World()
    for _ in range(3):
        world.join(Client(HOME, "me"), stays=True)
    assert world.join(Client(HOME, "me")) == (
        "You have 3 sessions open, the limit. Close a tab of this server first."
    )
    for _ in range(5):
        world.join(Client(FAR, ""), stays=True)
    assert world.join(Client(FAR, "new")) == (
        "Your address has 5 sessions open, the limit. Close some first."
    )
    assert world.join(Client("192.0.2.8", ""), stays=True) in world.clients
    assert world.join(Client("192.0.2.8", ""), stays=True) in world.clients
    assert world.join(Client("192.0.2.8", "")) == FULL
    assert all(len(text) <= 123 for text in (FULL, FULL_GONE[:0], OWN_GONE[:0]))


def test_texts_of_refusals_fit_the_close_frame():
    limits = SimpleNamespace(sessions=0, sessions_per_person=0, sessions_per_address=0)
    for client in (Client(FAR, "me"), Client(FAR, ""), Client(HOME, "")):
        _, why = Shares().choose_leaving(client, WaitingRoom(), limits)
        assert 0 < len(why.encode()) <= 120  # RFC 6455, 5.5: 123, and numbers may be longer


JOINS = st.lists(
    st.tuples(
        st.sampled_from([Client(a, p) for a in (HOME, FAR, "192.0.2.8") for p in ("", "p", "q")]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=60,
)


@given(JOINS)
def test_no_share_is_ever_exceeded_and_nothing_in_use_goes(joins):
    world = World()
    for client, stays, is_unseen in joins:
        world.join(client, stays=stays, is_unseen=is_unseen)
        clients = list(world.clients.values())
        assert world.running <= set(world.clients)
        assert len(clients) == len(world.shares) <= 10
        for visitor in "pq":
            assert sum(one.visitor == visitor for one in clients) <= 3
            assert sorted(world.shares.of_visitor(visitor)) == sorted(
                id_ for id_, one in world.clients.items() if one.visitor == visitor
            )
        for address in (FAR, "192.0.2.8"):
            assert sum(one.address == address for one in clients) <= 5
