"""When does the year sell: festivals by the calendar, seasons by decomposition, and what each festival adds."""

from .calendar import CALENDAR, NAMES, PHASES, Festival, festivals
from .effects import festival_effects, festival_uplift
from .parts import decompose

__all__ = ["CALENDAR", "NAMES", "PHASES", "Festival", "decompose", "festival_effects", "festival_uplift", "festivals"]
