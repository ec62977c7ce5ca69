"""The simulation of the queue: against theory, against independent simulators, and against the server's rules."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfc.stack.capacity import (
    AT_ONCE,
    Growth,
    History,
    Load,
    PastJob,
    Pickup,
    Room,
    Target,
    TooLittleError,
    advice,
    backtest,
    erlang_c,
    figures,
    growth_in,
    growth_per_day,
    level,
    one_round,
    pickup,
    plan,
    quantile,
    resample,
    room,
    served,
    shares,
    slowed,
    takeover_s,
    waiting_quantile,
    waits,
    waits_by_reason,
)

MEAN_S = 30.0
SEEDS = range(20)
DAY_S = 86400.0
#: 2026-11-02, a Monday.
BEGIN_S = 1793577600.0


def poisson(load: float, jobs: int, seed: int, *, deterministic: bool = False) -> Load:
    """Return independent jobs of a load in Erlang, each of a project of its own."""
    random = Random(seed)
    at, arrivals = 0.0, list[float]()
    for _ in range(jobs):
        at += random.expovariate(load / MEAN_S)
        arrivals.append(at)
    services = [MEAN_S if deterministic else random.expovariate(1 / MEAN_S) for _ in range(jobs)]
    return Load(arrivals, services, list(range(jobs)), at)


def mean_wait(load: float, workers: int, *, deterministic: bool = False) -> float:
    runs = [waits(poisson(load, 20_000, seed, deterministic=deterministic), workers) for seed in SEEDS]
    return fmean(fmean(run) for run in runs)


def test_independent_jobs_wait_as_erlang_says() -> None:
    assert mean_wait(2.4, 4) == pytest.approx(erlang_c(2.4, 4) * MEAN_S / (4 - 2.4), rel=0.02)


def test_jobs_of_equal_length_wait_as_pollaczek_and_khinchine_say() -> None:
    assert mean_wait(0.6, 1, deterministic=True) == pytest.approx(0.6 * MEAN_S / (2 * (1 - 0.6)), rel=0.02)


def test_without_projects_it_is_equal_to_ciw() -> None:
    import ciw

    load = poisson(2.5, 400, 3)
    gaps = [load.arrivals[0], *(after - before for before, after in pairwise(load.arrivals))]
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential([*gaps, float("inf")])],
        service_distributions=[ciw.dists.Sequential(list(load.services))],
        number_of_servers=[3],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(load.arrivals[-1] + 1000)
    records = sorted(simulation.get_all_records(), key=lambda record: record.arrival_date)
    assert [record.waiting_time for record in records] == pytest.approx(waits(load, 3), abs=1e-6)


def by_hand(load: Load, workers: int) -> list[float]:
    """Serve jobs one by one, as slowly as the rule is written: the oldest waiting job whose project is free."""
    waiting = list[int]()
    running = list[tuple[float, int]]()
    result = [0.0] * len(load)
    times = sorted(set(load.arrivals))
    arrived = 0
    while times:
        now = times.pop(0)
        running = [(end, project) for end, project in running if end > now]
        while arrived < len(load) and load.arrivals[arrived] <= now:
            waiting.append(arrived)
            arrived += 1
        for job in list(waiting):
            if len(running) < workers and load.projects[job] not in [project for _, project in running]:
                waiting.remove(job)
                result[job] = now - load.arrivals[job]
                running.append((now + load.services[job], load.projects[job]))
                times = sorted({*times, now + load.services[job]})
    return result


def columns(jobs: Sequence[tuple[int, int, int]]) -> Load:
    ordered = sorted(jobs)
    return Load([at for at, _, _ in ordered], [one for _, one, _ in ordered], [one for _, _, one in ordered], 400.0)


jobs_of_few_projects = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60), st.integers(0, 4)), max_size=40)


@given(jobs_of_few_projects, st.integers(1, 5))
def test_the_rule_of_projects_is_the_servers(jobs: list[tuple[int, int, int]], workers: int) -> None:
    load = columns(jobs)
    assert waits(load, workers) == by_hand(load, workers)


@given(jobs_of_few_projects, st.integers(1, 5))
def test_workers_that_look_now_and_then_keep_the_rule(jobs: list[tuple[int, int, int]], workers: int) -> None:
    load = columns(jobs)
    polled = waits(load, workers, poll_s=5)
    spans = [
        (project, at + wait, at + wait + service)
        for project, at, wait, service in zip(load.projects, load.arrivals, polled, load.services, strict=True)
    ]
    assert all(wait >= 0 for wait in polled)
    assert all(sum(start <= moment < end for _, start, end in spans) <= workers for _, moment, _ in spans)
    for project in set(load.projects):
        mine = [(start, end) for number, start, end in spans if number == project]
        assert all(start >= end - 1e-9 for (_, end), (start, _) in pairwise(mine))


def test_an_idle_worker_takes_a_job_at_its_next_look() -> None:
    # It looks at 5 s, ends at 15 s, and looks at 20, 25, … 105 s.
    assert waits(Load([1.0, 101.0], [10.0, 10.0], [0, 1], 200.0), 1, poll_s=5) == [4.0, 4.0]


def test_a_load_of_more_than_the_workers_has_no_end() -> None:
    assert waiting_quantile(4.0, 4, MEAN_S, 0.95) is None
    assert erlang_c(5, 4) == 1.0
    assert erlang_c(0, 4) == 0.0


def worked(
    *, days: int = 14, projects: int = 8, per_day: int = 200, service_s: float = 60, workers: int = 2
) -> History:
    """Return days of work between 8 and 16 o'clock, as a server with so many workers would have served it."""
    random = Random(7)
    hours = sorted(day * 24 + random.uniform(8, 16) for day in range(days) for _ in range(per_day))
    arrivals = [BEGIN_S + hour * 3600 for hour in hours]
    services = [random.expovariate(1 / service_s) for _ in arrivals]
    numbers = [random.randrange(projects) for _ in arrivals]
    waited = waits(Load(arrivals, services, numbers, days * DAY_S), workers)
    jobs = [
        PastJob(f"p{project}", "package", f"u{project % 3}", at, at + wait, at + wait + service)
        for at, service, project, wait in zip(arrivals, services, numbers, waited, strict=True)
    ]
    return History(jobs, BEGIN_S, BEGIN_S + days * DAY_S)


def test_a_resampled_period_has_the_shape_of_a_day_and_the_growth() -> None:
    history = worked()
    same, names = resample(history, Random(1))
    double, _ = resample(history, Random(1), Growth(2.0))
    more, grown = resample(history, Random(1), Growth(projects=4))
    assert len(same) == len(history.jobs)
    assert all(7.7 <= at % DAY_S / 3600 <= 16.3 for at in double.arrivals)
    assert len(double) == pytest.approx(2 * len(same), rel=0.01)
    assert len(grown) == len(names) + 4
    assert len(more) == pytest.approx(1.5 * len(same), rel=0.1)


def test_a_monday_is_drawn_from_the_mondays() -> None:
    history = worked()
    again = [job for job in history.jobs if int((job.created_s - BEGIN_S) // DAY_S) % 7 == 0 for _ in range(3)]
    uneven = History(sorted([*history.jobs, *again], key=lambda job: job.created_s), history.begin_s, history.end_s)
    drawn, _ = resample(uneven, Random(2))
    by_day = [sum(int(at // DAY_S) == day for at in drawn.arrivals) for day in range(14)]
    assert [count > 600 for count in by_day] == [day % 7 == 0 for day in range(14)]


def test_too_little_is_refused() -> None:
    with pytest.raises(TooLittleError, match="29 jobs"):
        resample(worked(days=1, per_day=29), Random(1))


def planned(history: History) -> tuple[str, int | None]:
    target = Target()
    rounds = [one_round(history, range(1, 7), target, Growth(), AT_ONCE, seed) for seed in range(10)]
    found = plan(rounds, target)
    return advice(found, target, 2, found.floor_projects), found.workers_for_target


def test_the_smallest_number_that_meets_the_target_is_advised() -> None:
    text, number = planned(worked(service_s=120, projects=60))  # 0.8 Erlang while people work
    assert number is not None
    assert 2 <= number <= 4
    assert f"{number} workers are enough for p95 < 60 s" in text


def test_more_workers_do_not_help_a_project_that_waits_for_itself() -> None:
    text, number = planned(worked(service_s=120, projects=1))
    assert number is None
    assert "More workers will not help" in text
    assert "because of p0" in text


def test_the_last_day_shows_whether_to_trust_it() -> None:
    assert backtest(worked(workers=2, per_day=300, projects=40, service_s=120), 2).trusted is True
    wrong = backtest(worked(workers=1, per_day=200, projects=40, service_s=120), 6)
    assert wrong.trusted is False
    assert "longer than they should have" in wrong.why
    assert backtest(worked(days=2, per_day=20), 2).trusted is None


def test_quantiles_are_values_that_were_seen() -> None:
    assert [quantile([1, 2, 3, 4], share) for share in (0.25, 0.5, 0.95, 1)] == [1, 2, 4, 4]
    assert quantile([], 0.5) == 0


def test_waiting_is_told_apart_by_what_was_waited_for() -> None:
    first = PastJob("p", "package", "u", 0, 10, 100)
    behind = PastJob("p", "package", "u", 40, 110, 120)
    assert waits_by_reason([first, behind]) == (60, 20)


def test_figures_of_a_period() -> None:
    history = worked(days=7, service_s=60, projects=3)
    shown = figures(history, {"p0": "alice/survey"})
    assert sum(shown.by_hour[8:16]) == sum(shown.by_weekday) == sum(one.jobs for one in shown.types) == 1400
    assert shown.load == pytest.approx(1400 * 60 / (7 * DAY_S), rel=0.1)
    assert "alice/survey" in [one.name for one in shown.projects]
    assert shown.by_weekday == (200,) * 7
    assert shown.peak is not None
    assert shown.peak.jobs >= 25


def test_the_week_begins_on_monday() -> None:
    tuesday = BEGIN_S + DAY_S + 60
    shown = figures(History([PastJob("p", "package", "u", tuesday, tuesday, tuesday)], BEGIN_S, BEGIN_S + 7 * DAY_S))
    assert shown.by_weekday == (0, 1, 0, 0, 0, 0, 0)
    assert shown.by_hour[0] == 1


def test_an_empty_history_has_figures() -> None:
    shown = figures(History([], BEGIN_S, BEGIN_S))
    assert (shown.load, shown.peak, shown.types, shown.projects) == (0.0, None, (), ())


def grown(*, factor: float) -> History:
    """Return four weeks of work; the later ones have `factor` times as many jobs as the earlier ones."""
    first = worked(per_day=100)
    later = worked(per_day=int(100 * factor))
    shifted = [
        PastJob(j.project, j.type, j.author, j.created_s + 14 * DAY_S, j.started_s + 14 * DAY_S, j.ended_s + 14 * DAY_S)
        for j in later.jobs
    ]
    return History([*first.jobs, *shifted], BEGIN_S, BEGIN_S + 28 * DAY_S)


def test_growth_is_what_both_halves_show_if_it_is_not_chance() -> None:
    doubled = growth_per_day(grown(factor=2))
    assert doubled is not None
    assert growth_in(doubled, 14) == pytest.approx(2)
    assert growth_per_day(grown(factor=1.03)) == 1.0
    assert growth_per_day(worked(days=7)) is None
    assert growth_in(doubled, 3650) == 10


def test_advice_knows_the_memory() -> None:
    rounds = [one_round(worked(service_s=120, projects=60), range(1, 7), Target(), Growth(), AT_ONCE, 1)]
    found = plan(rounds, Target())
    assert found.workers_for_target is not None
    assert "the memory holds 1: get more memory" in advice(found, Target(), 1, (), room(1, 16))
    assert "the cores hold 0: get more cores" in advice(found, Target(), 1, (), Room(0, "cores"))
    assert f"Type: qfc workers scale {found.workers_for_target}" in advice(found, Target(), 1, (), room(8, None))


def test_two_cores_hold_five_workers_and_the_tighter_limit_counts() -> None:
    assert room(None, None) is None
    assert room(None, 2) == Room(5, "cores")
    assert room(3, 2) == Room(3, "memory")
    assert room(9, 4) == Room(9, "memory")
    assert room(11, 4) == Room(10, "cores")


def test_people_that_workers_serve_are_those_of_the_server() -> None:
    history = worked(days=3, per_day=300, service_s=60, projects=60)
    found = served(history, Target(), AT_ONCE)
    assert [(one.workers, one.rule_from, one.rule_to) for one in found] == [
        (2, 8, 10),
        (4, 15, 20),
        (6, 25, 30),
        (8, 30, None),
    ]
    assert history.authors == 3
    numbers = [one.people for one in found]
    assert all(number is not None for number in numbers)
    assert 3 <= (numbers[0] or 0) < (numbers[1] or 0) <= (numbers[3] or 0)


def test_the_time_to_take_a_job_over_is_part_of_every_wait_and_keeps_the_worker() -> None:
    load = Load([0.0, 0.0, 50.0], [10.0, 10.0, 10.0], [0, 1, 2], 100.0)
    assert waits(load, 1, takeover_s=2) == [2, 14, 2]


def test_the_time_to_take_a_job_over_is_seen_in_jobs_that_wait_for_nobody() -> None:
    alone = [PastJob(f"p{at}", "package", "u", at, at + 0.5, at + 10) for at in range(0, 500, 100)]
    assert takeover_s(History(alone, 0, 500)) == 0.5
    assert takeover_s(History(alone[:4], 0, 500)) == 0.0
    # With polling workers, only what follows a job of the same project at once tells it.
    assert takeover_s(History(alone, 0, 500), poll_s=5) == 0.0
    behind = [
        PastJob(job.project, "package", "u", job.created_s + 1, job.ended_s + 0.2, job.ended_s + 5) for job in alone
    ]
    both = sorted([*alone, *behind], key=lambda job: job.created_s)
    assert takeover_s(History(both, 0, 500), poll_s=5) == pytest.approx(0.2)


def test_a_job_that_other_jobs_wait_with_tells_nothing_of_the_worker() -> None:
    jobs = [PastJob("p", "package", "u", 0.0, 0.0, 10.0)]
    jobs += [PastJob("p", "package", "u", number + 1.0, number * 10 + 17.0, number * 10 + 20.0) for number in range(20)]
    assert takeover_s(History(jobs, 0, 300), poll_s=5) == 0.0


def test_a_load_test_is_explained_by_its_jobs() -> None:
    """What workers with a take-over of half a second did, is what the simulation says of their jobs."""
    history = worked(days=1, per_day=1500, projects=12, service_s=30, workers=2)
    load = Load(
        [job.created_s for job in history.jobs],
        [job.service_s for job in history.jobs],
        [int(job.project[1:]) for job in history.jobs],
        DAY_S,
    )
    waited = waits(load, 2, takeover_s=3)
    jobs = [
        PastJob(job.project, job.type, job.author, job.created_s, job.created_s + wait, job.created_s + wait + work)
        for job, wait, work in zip(history.jobs, waited, load.services, strict=True)
    ]
    seen = level(jobs, 2)
    assert seen.jobs == 1500
    assert seen.takeover_s == pytest.approx(3, abs=0.1)
    assert seen.error is not None
    assert seen.error < 0.02
    assert pickup(History(jobs, BEGIN_S, BEGIN_S + DAY_S), 0.0) == Pickup(0.0, seen.takeover_s)


def test_a_load_test_without_jobs_is_refused() -> None:
    with pytest.raises(ValueError, match="without jobs"):
        level([], 1)


def test_jobs_that_slow_one_another_down_are_noticed() -> None:
    quick = [PastJob("p", "package", "u", at, at, at + 10) for at in range(0, 300, 20)]
    slow = [PastJob("p", "package", "u", at, at, at + 14) for at in range(0, 300, 20)]
    assert slowed([level(quick, 1), level(quick, 2)]) is None
    late = slowed([level(slow, 4), level(quick, 1), level(quick, 2)])
    assert late is not None
    assert late.n == 4


@given(st.integers(1, 500), st.integers(1, 50))
def test_most_people_work_on_the_first_project(people: int, projects: int) -> None:
    given_out = shares(people, projects)
    assert sum(given_out) == people
    assert len(given_out) == min(people, projects)
    assert min(given_out) >= 1
    assert list(given_out) == sorted(given_out, reverse=True)
