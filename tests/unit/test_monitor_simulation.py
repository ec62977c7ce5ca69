"""Weeks of a simulated stack: whatever happens, the monitor keeps its limits, and tells each fault once."""

from __future__ import annotations

import os
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor_world import CHEAP, DEEP, Simulation
from qfc.stack.monitor import Limits, Orders

#: A longer form: QFC_MONITOR_EXAMPLES=2000.
EXAMPLES = int(os.environ.get("QFC_MONITOR_EXAMPLES", "8"))
IDS = st.sampled_from((*CHEAP, *DEEP))
SECONDS = st.sampled_from((1, 5, 11, 30, 61, 200, 700, 4000))
EVENTS = st.one_of(
    st.tuples(st.just("break"), IDS, st.booleans()),
    st.tuples(st.just("break"), IDS, st.just(True)),
    st.tuples(st.just("mend"), IDS, st.none()),
    st.tuples(st.just("flap"), IDS, st.sampled_from((3, 15, 90))),
    st.tuples(st.just("operate"), SECONDS, st.booleans()),
    st.tuples(st.just("pause"), SECONDS, st.none()),
    st.tuples(st.just("blind"), SECONDS, st.none()),
    st.tuples(st.just("jump"), st.sampled_from((-90_000, -60, 60, 90_000)), st.none()),
    st.tuples(st.just("restart"), st.none(), st.none()),
    st.tuples(st.just("crash"), st.sampled_from((1, 3, 6)), st.none()),
)
STORIES = st.lists(st.tuples(EVENTS, SECONDS), max_size=12)


def happen(simulation: Simulation, event: tuple, wait_s: float) -> None:
    match event:
        case ("break", id, repairs):
            simulation.break_(id, repairs=repairs)
        case ("mend", id, _):
            simulation.mend(id)
        case ("flap", id, every_s):
            for _ in range(12):
                simulation.break_(id)
                simulation.run(every_s)
                simulation.mend(id)
                simulation.run(every_s)
        case ("operate", seconds, disturbs):
            simulation.operate(seconds, disturbs=disturbs)
        case ("pause", seconds, _):
            simulation.pause(seconds)
        case ("blind", seconds, _):
            simulation.blind_until_s = simulation.now_s + seconds
        case ("jump", seconds, _):
            simulation.jumped_s += seconds
        case ("restart", _, _):
            simulation.restart_monitor()
        case ("crash", times, _):
            simulation.restarts += times
        case _:
            raise AssertionError(event)
    simulation.run(wait_s)


def well_again(simulation: Simulation) -> None:
    """End everything, and let hours pass in peace."""
    simulation.pause(None)
    for id in list(simulation.faults):
        simulation.mend(id)
    simulation.busy_until_s = simulation.blind_until_s = simulation.now_s
    simulation.run(2 * 3600)


@settings(max_examples=EXAMPLES)
@given(STORIES)
def test_whatever_happens_the_limits_are_kept_and_every_fault_is_told_once(story: list) -> None:
    simulation = Simulation()
    for event, wait_s in story:
        happen(simulation, event, wait_s)
    well_again(simulation)
    keeps_limits(simulation)
    tells_truth(simulation)
    tells_ends(simulation)


def keeps_limits(simulation: Simulation) -> None:
    limits, repairs = Limits(), simulation.story.repairs
    for at, id in repairs:
        own = [one for one, other in repairs if other == id]
        assert sum(0 <= at - one < 900 for one in own) <= limits.per_quarter
        assert sum(0 <= at - one < 3600 for one in own) <= limits.per_hour
        assert sum(0 <= at - one < 600 for one, _ in repairs) <= limits.for_all


def tells_truth(simulation: Simulation) -> None:
    told = simulation.story
    assert all(later - earlier >= 60 for (earlier, _), (later, _) in pairwise(told.messages))
    for id in (*CHEAP, *DEEP):
        for at in (*told.told("NEW", id), *told.told("FLAPPING", id)):
            assert any(one == id and since <= at for one, since, _ in told.faults), f"{id} was never there"


def tells_ends(simulation: Simulation) -> None:
    told = simulation.story
    assert {*simulation.state.alerts} <= {"gave-up"}
    for id in (*CHEAP, *DEEP, "unseen", "crash-loop"):
        new, over = [*told.told("NEW", id), *told.told("FLAPPING", id)], told.told("RESOLVED", id)
        assert len(over) >= bool(new), f"{id} was told and never resolved"
        if not told.told("FLAPPING", id):
            # A fault that was over before its message is told as resolved only.
            assert len(new) <= len(over)
            assert len(over) <= sum(one == id for one, _, _ in told.faults) or id in ("unseen", "crash-loop")


@settings(max_examples=EXAMPLES)
@given(STORIES, IDS)
def test_a_fault_that_lasts_is_told_once(story: list, id: str) -> None:
    simulation = Simulation()
    for event, wait_s in story:
        happen(simulation, event, wait_s)
    well_again(simulation)
    simulation.orders = Orders(armed_at=simulation.at)
    simulation.break_(id, repairs=False)
    began = simulation.now_s
    simulation.run(1200)
    new = [at for at in simulation.story.told("NEW", id) if at >= began]
    assert len(new) == 1
    simulation.mend(id)
    simulation.run(1200)
    assert len([at for at in simulation.story.told("RESOLVED", id) if at >= began]) == 1


@settings(max_examples=EXAMPLES)
@given(STORIES)
def test_a_repair_that_helps_needs_no_person(story: list) -> None:
    simulation = Simulation()
    for event, wait_s in story:
        if event[0] in ("operate", "pause", "blind", "jump", "restart"):
            happen(simulation, event, wait_s)
    simulation.run(4100)
    before = len(simulation.story.repairs)
    simulation.break_("D11")
    began = simulation.now_s
    simulation.run(25)
    assert [id for _, id in simulation.story.repairs[before:]] == ["D11"]
    assert simulation.story.repairs[-1][0] - began <= 20


def test_an_hour_without_faults_is_silent() -> None:
    simulation = Simulation()
    for _ in range(6):
        simulation.run(600)
        simulation.operate(120)
    assert not simulation.story.repairs
    assert not simulation.story.messages
