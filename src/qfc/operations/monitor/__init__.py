"""What a monitor does with a stack, and what people tell it.

observe.py  one look at a stack
heal.py     one repair that nobody has to consent to
orders.py   pause and resume it; acknowledge and silence alerts
review.py   its state, its incidents, its log; a history decided again
trial.py    a message to try every route
install.py  its systemd unit
"""
