"""What processes tell the broker: records follow them, and a death counts for the one that died."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from databench.broker import AnalysisSpec
from databench.broker.kernels import Kernels
from databench.broker.records import KernelPool, KernelRecord
from databench.broker.stores.class_data import ClassData
from databench.broker.tables import Tables
from databench.protocol.lifecycle import State
from databench.protocol.poison import Poison
from databench.settings import Settings


class World:
    """Kernels between parts that note what they are told."""

    def __init__(self):
        self.told = []
        self.tables = Tables(Settings(), debug=True)
        self.tables.outbox.flush = lambda: self.told.append("flush")
        self.tables.announcer.show = lambda shown: self.told.append(("show", len(list(shown))))
        self.kernels = Kernels(
            "mark",
            self.tables,
            self._part(welcome="welcome", lose="lose"),
            self._part(add="guard", discard="unguard"),
            self._part(forget="forget", is_read="is read"),
            SimpleNamespace(endpoint="ipc://here", renew=lambda: self.told.append("renew")),
            cli_args=("--x",),
            log_level="INFO",
            kernelspecs={"py": SimpleNamespace(language="none", problem="")},
        )
        self.kernels.on_ready = lambda _record: self.told.append("ready")
        self.kernels.on_culled = lambda _record: self.told.append("culled")
        spec = AnalysisSpec("a", Path("/"), "none", Path("/"))
        self.pool = KernelPool(spec, ClassData(1000), Poison(self.tables.settings))

    def _part(self, **methods):
        def note(word):
            return lambda *_given: self.told.append(word)

        return SimpleNamespace(**{name: note(word) for name, word in methods.items()})

    def add(self):
        """A record whose supervisor has no process."""
        supervisor = self.kernels.make(self.pool, False)
        record = self.tables.by_kernel[supervisor] = KernelRecord(supervisor, self.pool)
        return record


@pytest.fixture
async def world():
    return World()


async def test_each_kernel_has_a_name_of_its_own_and_the_settings_of_the_server(world):
    first, second = world.kernels.make(world.pool, False), world.kernels.make(world.pool, True)
    assert (first.id_, second.id_) == ("k1.1", "k2.0")  # a queued one has had no process
    assert second.life.state is State.QUEUED
    assert first.spec is world.pool.spec


async def test_a_process_that_begins_is_guarded_before_its_messages_are_taken(world):
    record = world.add()
    record.kernel.routing_id = b"k1.1.secret"
    world.kernels.kernel_spawned(record.kernel, 77)
    assert world.told == ["guard"]
    assert world.tables.by_routing[b"k1.1.secret"] is record


async def test_a_kernel_that_is_ready_is_welcomed_before_sessions_may_wait_for_another(world):
    world.kernels.kernel_ready(world.add().kernel)
    assert world.told == ["welcome", "ready"]


@pytest.mark.parametrize(("state", "more"), [(State.BACKOFF, []), (State.CULLED, ["culled"])])
async def test_a_death_is_remembered_with_the_generation_that_died(world, state, more):
    record = world.add()
    record.kernel.life.state, record.kernel.reason = state, "because"
    world.kernels.kernel_lost(record.kernel, 7)
    assert world.told == ["forget", "lose", *more, "flush"]
    (loss,) = record.losses
    assert (loss.generation, loss.reason, loss.stderr) == (7, "because", ())


async def test_a_changed_state_is_shown_at_once(world):
    world.kernels.kernel_changed(world.add().kernel)
    assert world.told == [("show", 0), "flush"]


async def test_what_a_supervisor_asks_goes_to_the_socket_and_its_folder(world):
    assert world.kernels.endpoint == "ipc://here"
    world.kernels.renew_endpoint()
    world.kernels.is_read(world.add().kernel)
    world.kernels.kernel_reaped(77)
    assert world.told == ["renew", "is read", "unguard"]
