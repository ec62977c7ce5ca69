"""What the monitor of a stack decides: what was seen, what is known, within which limits, becomes what to do. Pure.

    model.py       looks, limits, what is known from one look to the next, decisions
    alone.py       which repairs need nobody's consent, and why the others do
    causes.py      which problem explains which others
    tracks.py      from single looks to confirmed problems
    own.py         problems that only who looks again and again can see
    restraint.py   why a repair is not done: back-off, loop breaker, pause, lock
    alerts.py      raised, cleared, grouped, repeated, flapping
    messages.py    the text of a message
    decide.py      one look → one decision
    replay.py      what would have been decided with other limits

All times are seconds of the stack's own timeline (`State.now_s`), which never jumps; moments are only shown.
"""

from .decide import acted, decide
from .model import (
    NOBODY,
    Action,
    Alert,
    Decision,
    Limits,
    Look,
    Message,
    Operation,
    Orders,
    Pause,
    Silence,
    State,
    Track,
    Try,
)

__all__ = [
    "NOBODY",
    "Action",
    "Alert",
    "Decision",
    "Limits",
    "Look",
    "Message",
    "Operation",
    "Orders",
    "Pause",
    "Silence",
    "State",
    "Track",
    "Try",
    "acted",
    "decide",
]
