"""The loop and its timers: one owner, nothing lost, one bad step ends nobody's call."""

import logging
import threading

from appliance.exchange.loop import TICK_MS, Inbox, Loop, Timers


def test_timers_fire_in_order_and_once():
    timers = Timers()
    timers.start(("call", "b"), 2.0)
    timers.start(("call", "a"), 1.0)
    assert timers.due(0.5) == []
    assert timers.due(2.0) == [("call", "a"), ("call", "b")]
    assert timers.due(9.0) == []


def test_a_timer_started_anew_forgets_the_old_moment():
    timers = Timers()
    timers.start(("call", "a"), 1.0)
    timers.start(("call", "a"), 5.0)
    assert timers.due(2.0) == []
    assert timers.due(5.0) == [("call", "a")]


def test_a_stopped_timer_never_fires():
    timers = Timers()
    timers.start(("one", "a"), 1.0)
    timers.start(("two", "a"), 1.0)
    timers.stop(("one", "a"))
    timers.stop_all("two")
    assert timers.due(9.0) == []


def test_stopped_timers_do_not_pile_up():
    timers = Timers()
    timers.start(("kept", "longest"), 5.0)
    for number in range(5000):
        timers.start((f"call{number}", "longest"), 4 * 3600.0)
        timers.stop((f"call{number}", "longest"))
    assert len(timers._heap) < 200
    assert timers.due(6.0) == [("kept", "longest")]


def test_events_of_other_threads_arrive_whole_and_in_order():
    inbox: Inbox[tuple[int, int]] = Inbox()
    threads = [threading.Thread(target=lambda n=n: [inbox.put((n, i)) for i in range(500)]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    got = []
    while (event := inbox.get()) is not None:
        got.append(event)
    assert len(got) == 2000
    assert all([i for n, i in got if n == one] == list(range(500)) for one in range(4))


def test_the_pump_does_not_wait_while_work_waits():
    waits = []
    waiting = [3, 0]
    loop = Loop(lambda: waiting.pop(0), lambda: 0.0)
    loop.turn(waits.append)
    loop.turn(waits.append)
    assert waits == [0, TICK_MS]


def test_a_step_that_fails_is_logged_and_the_others_go_on(caplog):
    loop = Loop(lambda: 0, lambda: 1.0)
    done = []

    def broken(at):
        raise RuntimeError("bad call")

    loop.add(broken)
    loop.add(done.append)
    with caplog.at_level(logging.ERROR):
        loop.turn(lambda ms: None)
    assert done == [1.0]
    assert "a step of the loop failed" in caplog.text
