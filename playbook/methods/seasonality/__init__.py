"""When does the year sell: festivals by the calendar, seasons by decomposition, and what each festival adds."""

from .calendar import CALENDAR, PHASES, Festival, festivals
from .effects import festival_effects, festival_uplift
from .parts import decompose

__all__ = ["CALENDAR", "PHASES", "Festival", "decompose", "festival_effects", "festival_uplift", "festivals"]
