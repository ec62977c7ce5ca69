"""Moving a server: what was moved, how often to copy ahead, what to compare, what stays to be done by hand. Pure.

moved.py      the record of a server that was moved away, kept with its data until it takes over again
rounds.py     whether another copy ahead shortens the cut
contents.py   what two servers have, and how they differ
by_hand.py    what nobody but the operator can do, with the lines to type
report.py     the report of a move, in Markdown
"""
