"""What happens in a world: what people do, and what goes wrong."""

import asyncio

from databench.broker.supervision.launchers.local import Exit
from databench.protocol.lifecycle import State
from databench.protocol.placement import ANALYSIS, POOL, SESSION, Sharing

from .checks import TWICE
from .page import Tab

KEYS = ("p", "q", "r")
MOST_TABS = 5


def draw_limits(random):
    """Limits small enough to be reached."""
    choose = random.choice
    return {
        "credit_window_bytes": choose((1024, 3000, 20_000)),
        "ring_messages": choose((3, 10, 40, 1000)),
        "ring_bytes": choose((16_384, 4 << 20)),
        "open_actions": choose((2, 256)),
        "batch_plain_emits": choose((0, 500)),
        "restart_limit": choose((2, 5)),
        "result_bytes": choose((0, 2000, 256 << 20)),
        "cull_after_s": choose((0, 1.0, 600)),
        "memory_budget_bytes": choose((150_000, 1 << 30, 1 << 30)),
        "replay_window_bytes": choose((1, 1000, 1 << 20)),
    }


def draw_sharing(random):
    """Who shares a process: in half of the worlds all sessions of an analysis, as by default."""
    isolation = random.choice((ANALYSIS, ANALYSIS, POOL, SESSION))
    # Not fewer than there are pages: a session that no page leaves would queue forever.
    most = random.choice((MOST_TABS, 9))
    return Sharing(isolation, 2, random.choice((0, 1)), most)


async def play(world):
    """A while of life: acts and faults at moments of the seed."""
    random, loop = world.random, world.loop
    for _ in range(random.randint(1, 3)):
        arrive(world)
    span_s = random.choice((1.0, 4.0, 10.0))
    for at_s in sorted(random.uniform(0, span_s) for _ in range(random.randint(10, 30))):
        loop.call_at(100 + at_s, _happen, world, context=world.context)
    await asyncio.sleep(span_s + 100 - loop.time())


def _happen(world):
    act = world.random.choices(*_CHOICES)[0]
    act(world)


async def heal(world, limit_s):
    """Everything works again, until all that is open has ended."""
    world.bad_starts = 0
    world.delays_s = (0.0005, 0.01)
    for process in world.processes:
        process.up.held_until_s = process.down.held_until_s = 0.0
    for tab in world.tabs:
        if tab.socket is not None:
            tab.socket.room_bytes = 1 << 20
            tab.socket.unstick()
    until_s = world.loop.time() + limit_s
    while world.loop.time() < until_s:
        await asyncio.sleep(3)
        for record in world.front.tables.records:
            if record.kernel.life.state is State.FAILED:
                _ask_for_restart(world, record)
        if _is_quiet(world):
            break
    await asyncio.sleep(6)  # the longest grace: an abandoned session ends in the kernel too


def _ask_for_restart(world, record):
    tabs = [tab for tab in world.tabs if tab.is_joined and tab.session in record.sessions]
    if tabs:
        tabs[0].control("restart")


def _is_quiet(world):
    front = world.front
    if front.is_over or front.broker is None or front.tables.requests:
        return False
    records = front.tables.records
    if any(not (e.kernel.is_ready or e.kernel.life.state is State.CULLED) for e in records):
        return False
    if any(len(p.up) + len(p.down) for p in world.processes if not p.is_over):
        return False
    return all(tab.is_gone or (tab.is_joined and not tab.outbox) for tab in world.tabs)


# -- pages


def arrive(world):
    """A visitor opens the analysis, or the link of a session."""
    random = world.random
    if len(world.tabs) >= MOST_TABS:
        return
    with_session = [tab for tab in world.tabs if tab.session is not None]
    is_old = random.random() < 0.15
    if with_session and random.random() < 0.6:
        other = random.choice(with_session)
        tab = Tab(world, other.analysis, session=other.session, is_old=is_old)
    else:
        name = random.choice(("a", "a", "b"))
        tab = Tab(world, name, is_old=is_old)
    world.tabs.append(tab)
    world.trace(f"{tab} opens {tab.analysis!r}, session {tab.session}, 0.7: {is_old}")


def _tab(world):
    there = [tab for tab in world.tabs if not tab.is_gone]
    return world.random.choice(there) if there else None


def _socket(world):
    tab = _tab(world)
    return tab.socket if tab is not None else None


def _draw_steps(random, *, is_plain, repeats):
    words = ["emit", "emit", "emit", "state", "state", "class", "log", "progress", "fail"]
    if not is_plain:
        words += ["throw", "sleep", "sleep", "count", "emit"]
    steps = []
    for word in random.choices(words, k=random.randint(0, 8)):
        if word in ("emit", "throw", "log"):
            repeat = random.choice(repeats) if word == "emit" else 1
            steps += [(word, random.choice((0, 10, 700)))] * repeat
        elif word in ("state", "class"):
            steps.append((word, random.choice(KEYS), random.randint(0, 99)))
        elif word == "sleep":
            steps.append((word, random.choice((0, 0.01, 0.5))))
        elif word == "progress":
            steps.append((word, random.randint(0, 9)))
        elif word == "count" or random.random() < 0.2:
            steps.append((word,))
    return steps


def act(world):
    """A page calls an action; now and then its request comes twice."""
    random, tab = world.random, _tab(world)
    if tab is None:
        return
    is_plain = random.random() < 0.3
    times = 2 if random.random() < 0.1 else 1
    steps = _draw_steps(random, is_plain=is_plain, repeats=world.repeats)
    action = ("plain" if is_plain else "run") + random.choice(("", TWICE))
    world.trace(f"{tab} calls {action} with {steps}, {times} times")
    has_id = times == 2 or random.random() < 0.9
    tab.request(action, steps, times=times, has_id=has_id)


def act_often(world):
    """A visitor drags a slider."""
    for _ in range(world.random.randint(2, 6)):
        act(world)


def cancel(world):
    tab = _tab(world)
    if tab is not None and tab.open:
        number, force = world.random.choice(list(tab.open)), world.random.random() < 0.2
        world.trace(f"{tab} cancels {number}, force: {force}")
        tab.cancel(number, force)


def control(world):
    tab = _tab(world)
    if tab is not None:
        word = world.random.choice(("restart", "interrupt"))
        world.trace(f"{tab} asks for {word}")
        tab.control(word)


def reload(world):
    tab = _tab(world)
    if tab is not None:
        world.trace(f"{tab} is reloaded")
        tab.reload()


def leave(world, tab):
    """A tab is closed for good."""
    if not tab.is_gone:
        world.trace(f"{tab} is closed")
        tab.leave()


def leave_some(world):
    if (tab := _tab(world)) is not None:
        leave(world, tab)


# -- connections


def cut(world):
    socket = _socket(world)
    if socket is not None:
        world.trace(f"the connection of {socket.tab} is cut")
        socket.tab.lose(socket)


def cut_from_the_front(world):
    socket = _socket(world)
    if socket is not None and not socket.front.is_over:
        world.trace(f"the front loses the connection of {socket.tab}")
        socket.up.cut(0)
        world.loop.call_soon(socket.leave, context=socket.front.context)
        socket.tab.lose_later(socket)


def stick(world):
    """A page reads nothing any more."""
    socket = _socket(world)
    if socket is not None:
        world.trace(f"{socket.tab} reads nothing")
        socket.is_stuck = True


def unstick(world):
    socket = _socket(world)
    if socket is not None:
        world.trace(f"{socket.tab} reads again")
        socket.unstick()


# -- processes


def _process(world):
    alive = [process for process in world.processes if not process.is_over]
    return world.random.choice(alive) if alive else None


def die(world):
    process = _process(world)
    if process is not None:
        process.die(Exit(signal=9))


def freeze(world):
    """A kernel is stopped, or computes: it neither reads nor sends anything for a while."""
    process = _process(world)
    if process is not None:
        until_s = world.loop.time() + world.random.choice((0.5, 12.0))
        world.trace(f"kernel {process} is frozen")
        process.up.held_until_s = process.down.held_until_s = until_s


def kill_front(world):
    if not world.front.is_over:
        world.kill_front()


_CHOICES = (
    [act, act_often, cancel, control, arrive, reload, leave_some, cut, cut_from_the_front]
    + [stick, unstick, die, freeze, kill_front],
    [30, 6, 6, 2, 4, 3, 2, 8, 4, 6, 4, 4, 2, 1],
)
