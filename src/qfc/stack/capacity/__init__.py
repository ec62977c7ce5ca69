"""How many workers a server needs: its recorded work, replayed and resampled through a simulation of the queue. Pure.

history.py      what was recorded
simulation.py   the queue with its rules
resampling.py   periods as they might have been
plan.py         numbers of workers, compared
advice.py       what to do
report.py       the past in figures
backtest.py     how far that can be trusted
trend.py        how fast the work grows
erlang.py       the formula to compare with
"""

from .advice import advice
from .backtest import Backtest, backtest
from .erlang import erlang_c, waiting_quantile
from .history import History, PastJob, quantile
from .plan import Plan, Round, Row, Target, one_round, plan
from .report import Figures, figures, waits_by_reason
from .resampling import Growth, TooLittleError, resample
from .simulation import Load, waits
from .trend import growth_in, growth_per_day

__all__ = [
    "Backtest",
    "Figures",
    "Growth",
    "History",
    "Load",
    "PastJob",
    "Plan",
    "Round",
    "Row",
    "Target",
    "TooLittleError",
    "advice",
    "backtest",
    "erlang_c",
    "figures",
    "growth_in",
    "growth_per_day",
    "one_round",
    "plan",
    "quantile",
    "resample",
    "waiting_quantile",
    "waits",
    "waits_by_reason",
]
