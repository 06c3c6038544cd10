"""The campaign to come: who does what by when, what runs when, what is in its way, and whether it may go."""

from . import calendar, money, past, pictures, proposal, readiness, signs, tasks
from .coming import Campaign, coming, festivals
from .export import ics

__all__ = [
    "Campaign",
    "calendar",
    "coming",
    "festivals",
    "ics",
    "money",
    "past",
    "pictures",
    "proposal",
    "readiness",
    "signs",
    "tasks",
]
