"""Functions as the methods of a class: whose session they speak to, and with what they run."""

import asyncio
import threading

import pytest

import databench
from databench.analysis import find_handlers
from databench.kernel.loading.functions import _in_steps, make_class


def begun(made):
    """A session of the analysis, and what it has emitted."""
    emitted = []
    analysis = make_class(made)().init_databench()
    analysis.set_emit_fn(lambda signal, message: emitted.append((signal, message)))
    return analysis, emitted


def call(analysis, action, *args, **kwargs):
    names = find_handlers(type(analysis))[action]
    return [getattr(analysis, name)(*args, **kwargs) for name in names]


def test_each_session_hears_its_own_functions_only():
    made = databench.Analysis("two", __name__)

    @made.signals.on("say")
    def say(word):
        made.signals.emit("said", word)

    (one, by_one), (other, by_other) = begun(made), begun(made)
    call(one, "say", "a")
    call(other, "say", "b")
    call(one, "say", "c")
    assert by_one == [("said", "a"), ("said", "c")]
    assert by_other == [("said", "b")]


def test_functions_of_one_signal_run_in_the_order_in_which_they_were_marked():
    made, order = databench.Analysis("order", __name__), []
    for number in range(12):
        made.signals.on("go")(lambda number=number: order.append(number))
    call(begun(made)[0], "go")
    assert order == list(range(12))


def test_functions_that_wait_keep_their_session_while_others_run():
    made = databench.Analysis("waiting", __name__)

    @made.signals.on("go")
    async def go(word):
        for _ in range(3):
            await asyncio.sleep(0)
            made.signals.emit("said", word)

    (one, by_one), (other, by_other) = begun(made), begun(made)

    async def run():
        await asyncio.gather(*call(one, "go", "a"), *call(other, "go", "b"))

    asyncio.run(run())
    assert by_one == [("said", "a")] * 3
    assert by_other == [("said", "b")] * 3


def test_generators_keep_their_session_and_see_what_is_sent_and_thrown():
    made = databench.Analysis("steps", __name__)

    def steps(word):
        got = yield 1
        made.signals.emit("said", (word, got))
        try:
            yield 2
        except KeyError:
            made.signals.emit("said", (word, "mended"))
        return "end"

    (one, by_one), (other, by_other) = begun(made), begun(made)
    a, b = _in_steps(one, steps("a")), _in_steps(other, steps("b"))
    assert [next(a), next(b)] == [1, 1]
    assert [a.send(5), b.send(6)] == [2, 2]
    with pytest.raises(RuntimeError, match="no session is known"):
        made.signals.emit("said", "between")
    with pytest.raises(StopIteration, match="end"):
        a.throw(KeyError())
    with pytest.raises(ZeroDivisionError):
        b.throw(ZeroDivisionError())
    assert by_one == [("said", ("a", 5)), ("said", ("a", "mended"))]
    assert by_other == [("said", ("b", 6))]


@pytest.mark.parametrize(
    ("args", "kwargs", "heard"),
    [
        ((), {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        ((1, 2), {}, [1, 2]),
        ((3,), {}, 3),
        ((), {}, []),
    ],
)
def test_a_function_with_one_parameter_gets_the_message_whole(args, kwargs, heard):
    made, got = databench.Analysis("whole", __name__), []
    made.signals.on("go")(lambda message: got.append(message))
    call(begun(made)[0], "go", *args, **kwargs)
    assert got == [heard]


def test_names_that_fit_are_given_by_name_and_what_fits_nothing_is_told():
    made, got = databench.Analysis("fit", __name__), []

    @made.signals.on("go")
    def go(a, b=5):
        got.append((a, b))

    @made.signals.on("bare")
    def bare():
        got.append("bare")

    analysis, _ = begun(made)
    call(analysis, "go", a=1)
    call(analysis, "bare")
    assert got == [(1, 5), "bare"]
    with pytest.raises(TypeError, match="bare"):
        call(analysis, "bare", 7)


def test_signals_may_be_made_before_the_analysis():
    signals = databench.Signals("sums")

    @signals.on("add")
    def add(a, b):
        signals.emit("sum", a + b)

    made = databench.Analysis("sums", __name__, signals)
    assert made.signals is signals
    analysis, emitted = begun(made)
    call(analysis, "add", 1, 2)
    assert emitted == [("sum", 3)]


def test_a_function_that_another_marks_hears_its_own_session_only():
    made, heard = databench.Analysis("inner", __name__), []

    @made.signals.on("connect")
    def connect(word):
        @made.signals.on("say")
        def say(message):
            made.signals.emit("said", [word, message])

        @made.signals.on("disconnect")
        def end():
            heard.append(word)

    (one, by_one), (other, by_other) = begun(made), begun(made)
    call(one, "say", "before it is marked")
    call(one, "connect", "a")
    call(other, "connect", "b")
    call(one, "say", 1)
    call(other, "say", {"x": 2})
    assert by_one == [("said", ["a", 1])]
    assert by_other == [("said", ["b", {"x": 2}])]
    call(one, "connect", "again")  # as after a crash: it takes the place of the one before
    call(one, "say", 3)
    assert by_one[1:] == [("said", ["again", 3])]
    call(other, "disconnected")
    assert heard == ["b"]


def test_disconnect_is_the_end_of_the_session():
    made, heard = databench.Analysis("end", __name__), []
    made.signals.on("disconnect")(lambda: heard.append("end"))
    call(begun(made)[0], "disconnected")
    assert heard == ["end"]


def test_a_function_inside_another_that_waits_is_refused_in_words():
    made = databench.Analysis("waits", __name__)

    @made.signals.on("connect")
    def connect():
        @made.signals.on("say")
        async def say():
            pass

    with pytest.raises(TypeError, match="say is marked inside another function and is"):
        call(begun(made)[0], "connect")


def test_the_description_is_the_classs_own():
    made = databench.Analysis("slowpi", __name__, "Slowly.")
    assert make_class(made).__doc__ == "Slowly."


def test_a_thread_of_ones_own_knows_no_session():
    made, errors = databench.Analysis("thread", __name__), []

    @made.signals.on("go")
    def go():
        def work():
            try:
                made.signals.emit("said", 1)
            except RuntimeError as error:
                errors.append(str(error))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    call(begun(made)[0], "go")
    assert "where no session is known" in errors[0]
