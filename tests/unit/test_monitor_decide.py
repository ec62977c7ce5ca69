"""Single decisions of the monitor, each with its sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor_world import BEGIN, Simulation
from qfc.checks import EVERYTHING, Auto
from qfc.stack.beats import judged
from qfc.stack.findings import Severity, clear, unknown
from qfc.stack.monitor import NOBODY, Limits, Look, Orders, Silence, decide
from qfc.stack.monitor.alone import ALONE, NOT_ALONE
from qfc.stack.monitor.causes import CAUSES
from qfc.stack.monitor.model import Acknowledgement
from qfc.stack.monitor.own import CRASH_LOOP, INTERRUPTED, UNSEEN
from qfc.stack.ports.monitoring import Beat


def notes(simulation: Simulation) -> list[str]:
    return [note for one in simulation.story.decisions for note in one.notes]


def test_every_safe_repair_is_done_alone_or_has_a_reason_why_not() -> None:
    safe = {one.id for one in EVERYTHING if one.auto is Auto.SAFE}
    assert not ALONE.keys() & NOT_ALONE.keys()
    assert ALONE.keys() | NOT_ALONE.keys() == safe


def test_causes_are_checks_and_never_explain_themselves() -> None:
    ids = {one.id for one in EVERYTHING} | {UNSEEN, CRASH_LOOP, INTERRUPTED}
    assert {*CAUSES, *(one for many in CAUSES.values() for one in many)} <= ids
    for id in CAUSES:
        reached, left = set[str](), [*CAUSES[id]]
        while left:
            one = left.pop()
            reached.add(one)
            left += [other for other in CAUSES.get(one, ()) if other not in reached]
        assert id not in reached


def test_one_look_is_no_reason_to_act() -> None:
    simulation = Simulation()
    simulation.run(95)
    simulation.break_("D11")
    simulation.run(6)
    simulation.mend("D11")
    simulation.run(600)
    assert simulation.story.repairs == []
    assert "Did nothing, because D11 is not confirmed yet." in notes(simulation)


def test_what_a_look_could_not_examine_is_not_repaired_and_no_try_is_counted() -> None:
    simulation = Simulation()
    simulation.break_("D11")
    simulation.run(1)  # One look has seen it, the second one confirms it.
    state, now = simulation.state, simulation.at
    seen = Look(now, 2.0, (simulation._finding("D11"),))
    blind = Look(now, 2.0, (unknown("D11", "The API does not answer."), clear("A11")))
    assert decide("sim", state, seen, NOBODY, Limits()).action is not None
    confirmed = decide("sim", state, seen, NOBODY, Limits()).state
    decision = decide("sim", confirmed, blind, NOBODY, Limits())
    assert decision.action is None and decision.state.tries == ()
    assert decision.notes == ("Did nothing, because D11 could not be examined again.",)


def test_what_comes_and_goes_is_confirmed_too() -> None:
    simulation = Simulation(Limits(hurry_s=10))
    for _ in range(4):
        simulation.break_("A15")
        simulation.run(9)
        simulation.mend("A15")
        simulation.run(10)
    simulation.run(200)
    assert "A15" in {one.id for decision in simulation.story.decisions for one in decision.opened}


def test_a_database_that_is_down_explains_the_rest() -> None:
    simulation = Simulation()
    for id in ("D12-away", "A17", "D11"):
        simulation.break_(id, repairs=False)
    simulation.run(600)
    assert simulation.story.repairs == []
    assert "Did nothing about D11, because D12-away explains it." in notes(simulation)
    assert len(simulation.story.told("NEW")) == 1
    assert simulation.story.told("NEW", "D12-away")


def test_repairs_are_tried_less_and_less_often_then_given_up_until_somebody_says() -> None:
    simulation = Simulation()
    simulation.break_("D11", repairs=False)
    simulation.run(3600)
    times = [at for at, _ in simulation.story.repairs]
    assert len(times) == 3
    assert times[1] - times[0] >= 10 and times[2] - times[1] >= 20
    assert simulation.story.told("NEW", "gave-up")
    simulation.orders = Orders(armed_at=simulation.at)
    simulation.run(60)
    assert len(simulation.story.repairs) > 3


def test_what_a_problem_depends_on_has_recovered_so_its_repair_need_not_wait() -> None:
    simulation = Simulation()
    simulation.break_("D11", repairs=False)
    simulation.run(20)
    before = len(simulation.story.repairs)
    simulation.break_("D12-away")
    simulation.run(5)
    simulation.mend("D12-away")
    simulation.run(7)
    assert len(simulation.story.repairs) == before + 1  # without it, the next try would be two seconds later


@pytest.mark.parametrize("way", ["operate", "pause", "blind"])
def test_nothing_is_done_while_somebody_is_at_work_or_nothing_is_seen(way: str) -> None:
    simulation = Simulation()
    simulation.run(50)
    simulation.break_("D11")
    if way == "operate":
        simulation.operate(300)
    elif way == "pause":
        simulation.pause(300)
    else:
        simulation.blind_until_s = simulation.now_s + 300
    simulation.run(299)
    assert simulation.story.repairs == []
    assert simulation.story.told("NEW", "D11") == []
    simulation.run(60)
    assert [id for _, id in simulation.story.repairs] == ["D11"]


def test_a_backup_hides_no_problem_but_stops_repairs() -> None:
    simulation = Simulation()
    simulation.operate(600, disturbs=False)
    simulation.break_("D11")
    simulation.run(500)
    assert simulation.story.repairs == []
    assert len(simulation.story.told("NEW", "D11")) == 1


def test_everything_unreachable_is_one_fault() -> None:
    simulation = Simulation()
    simulation.blind_until_s = 900
    simulation.run(900)
    assert simulation.story.told("NEW") == simulation.story.told("NEW", "unseen")
    assert len(simulation.story.told("NEW")) == 1


def test_a_crash_loop_is_told_and_not_fed() -> None:
    simulation = Simulation()
    simulation.run(20)
    simulation.restarts += 6
    simulation.run(5)
    simulation.break_("D11", repairs=False)
    simulation.run(300)
    assert simulation.story.repairs == []
    assert len(simulation.story.told("NEW", CRASH_LOOP)) == 1


def test_an_open_alert_is_repeated_after_four_hours_unless_somebody_took_care() -> None:
    simulation = Simulation()
    simulation.break_("A15")
    simulation.run(9 * 3600)
    assert len(simulation.story.told("STILL", "A15")) == 2
    simulation.orders = Orders(acknowledged=(Acknowledgement("A15", "anna", "on it", simulation.at),))
    simulation.run(9 * 3600)
    assert len(simulation.story.told("STILL", "A15")) == 2


def test_a_silenced_alert_is_not_told_but_repaired() -> None:
    simulation = Simulation()
    until = BEGIN + timedelta(hours=1)
    simulation.orders = Orders(silences=(Silence("*", "anna", "known", BEGIN, until),))
    simulation.break_("D11")
    simulation.break_("A15")
    simulation.run(3000)
    assert [id for _, id in simulation.story.repairs] == ["D11"]
    assert simulation.story.messages == []
    simulation.run(1200)
    assert len(simulation.story.told("NEW", "A15")) == 1


def test_flapping_is_told_once() -> None:
    simulation = Simulation()
    for _ in range(12):
        simulation.break_("A15")
        simulation.run(60)
        simulation.mend("A15")
        simulation.run(100)
    assert len(simulation.story.told("FLAPPING", "A15")) == 1
    told = len(simulation.story.messages)
    assert told <= 7
    simulation.run(3 * 3600)
    assert len(simulation.story.messages) == told + 1
    assert simulation.story.told("RESOLVED", "A15")[-1] > simulation.story.told("FLAPPING", "A15")[0]


def test_a_message_says_what_since_when_what_was_tried_and_what_to_type() -> None:
    simulation = Simulation()
    simulation.break_("D11", repairs=False)
    simulation.run(200)
    ((_, message), *_) = simulation.story.messages
    assert message.title == "sim: NEW Title of D11"
    assert message.severity is Severity.CRITICAL
    assert "Since 2026-03-01 00:00:00 UTC. D11 is there." in message.body
    assert "Tried: 00:00:" in message.body
    assert message.body.endswith("To do: Repair it.")


def test_warnings_are_left_out_where_only_critical_ones_are_wanted() -> None:
    simulation = Simulation(Limits(severity=Severity.CRITICAL))
    simulation.break_("I05-old")
    simulation.break_("A15")
    simulation.run(900)
    assert len(simulation.story.told("NEW")) == 1


def test_without_healing_it_only_tells() -> None:
    simulation = Simulation(Limits(heals=False))
    simulation.break_("D11")
    simulation.run(600)
    assert simulation.story.repairs == []
    assert len(simulation.story.told("NEW", "D11")) == 1


def test_a_monitor_that_went_silent_is_a_finding_one_that_was_ended_is_not() -> None:
    beat = Beat("anna@desk", 1, BEGIN, BEGIN, 10.0)
    assert judged(beat, BEGIN + timedelta(minutes=4)).is_well
    late = judged(beat, BEGIN + timedelta(minutes=6))
    assert not late.is_well and "stopped" in late.evidence
    assert not judged(beat, BEGIN, lives=False).is_well
    assert judged(replace(beat, ended=True), BEGIN + timedelta(days=1)).is_well
    assert judged(None, BEGIN).is_well
