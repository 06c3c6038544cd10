"""Early warning: which days of a series are out of the usual, judged as each day ends, and what episodes they make.

`judge` holds each day against the weeks before it: their level, trend and weekdays, fitted so that single odd days do
not count for much. The last week is in no day's own baseline, nor is a day that was flagged, so what begins slowly or
lasts does not become usual by itself; after four weeks it does, as a new level. A single day is tested, and the sum of
seven, so that a sharp spike and a small lasting shift are both seen. `episodes` joins flagged days.
"""

from .baseline import DRIFT, ENOUGH, HISTORY, Kind
from .days import ADOPTED, LEVELS, QUIET, SPANS, STATES, Direction, episodes, judge

__all__ = [
    "ADOPTED", "DRIFT", "ENOUGH", "HISTORY", "LEVELS", "QUIET", "SPANS", "STATES",
    "Direction", "Kind", "episodes", "judge",
]  # fmt: skip
