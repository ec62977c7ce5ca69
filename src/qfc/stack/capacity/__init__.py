"""How many workers a server needs: its recorded work, replayed and resampled through a simulation of the queue. Pure.

history.py      what was recorded
simulation.py   the queue with its rules
resampling.py   periods as they might have been
plan.py         numbers of workers, compared
advice.py       what to do
report.py       the past in figures
series.py       the past as series
scenario.py     the four scenarios that operators decide by
backtest.py     how far that can be trusted
takeover.py     how long a free worker needs to start a job
trend.py        how fast the work grows
week.py         what the last week tells without being asked
profiles.py     how often people synchronise
people.py       how many people workers serve
load_test.py    what a load test showed
erlang.py       the formula to compare with
"""

from .advice import Room, advice, room
from .backtest import Backtest, backtest
from .erlang import erlang_c, waiting_quantile
from .history import History, PastJob, quantile
from .load_test import Level, level, slowed
from .people import Served, served
from .plan import Plan, Round, Row, Target, one_round, plan
from .profiles import HEAVY, PROFILES, Profile, shares
from .report import Figures, figures, waits_by_reason
from .resampling import Growth, TooLittleError, resample
from .scenario import SCENARIOS, Scenario, scenario
from .series import Class, Hour, Looks, histogram, last_hours, looks, queue_at_looks
from .simulation import Load, waits
from .takeover import AT_ONCE, Pickup, pickup, poll_s, takeover_s
from .trend import growth_in, growth_per_day
from .week import ROOM, WEEK_DAYS, Missed, enough, missed

__all__ = [
    "AT_ONCE",
    "HEAVY",
    "PROFILES",
    "ROOM",
    "SCENARIOS",
    "WEEK_DAYS",
    "Backtest",
    "Class",
    "Figures",
    "Growth",
    "History",
    "Hour",
    "Level",
    "Load",
    "Looks",
    "Missed",
    "PastJob",
    "Pickup",
    "Plan",
    "Profile",
    "Room",
    "Round",
    "Row",
    "Scenario",
    "Served",
    "Target",
    "TooLittleError",
    "advice",
    "backtest",
    "enough",
    "erlang_c",
    "figures",
    "growth_in",
    "growth_per_day",
    "histogram",
    "last_hours",
    "level",
    "looks",
    "missed",
    "one_round",
    "pickup",
    "plan",
    "poll_s",
    "quantile",
    "queue_at_looks",
    "resample",
    "room",
    "scenario",
    "served",
    "shares",
    "slowed",
    "takeover_s",
    "waiting_quantile",
    "waits",
    "waits_by_reason",
]
