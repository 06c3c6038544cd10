"""The plan for people's calendars (iCalendar, RFC 5545)."""

from __future__ import annotations

import datetime as dt

import icalendar
import pandas as pd

from ...language import _, current, term
from ...missing import answers


@answers("What goes into the calendar?")
def ics(
    tasks: pd.DataFrame | None = None, flights: pd.DataFrame | None = None, *, title: str = "", today: dt.date
) -> str:
    """The open tasks and the campaigns as events of whole days.

    Parameters
    ----------
    tasks : DataFrame, optional
        As ``plan/tasks.csv`` has them: task_id, title, owner, starts_on, due_on, measure, resources, after, status.
        Those that are done, dropped or without days are left out.
    flights : DataFrame, optional
        flight_id, name, begins, ends, channel, owner (`playbook.planning.campaign.flights` or `parted`).
    title : str
        Of the calendar; by default “Media calendar”.
    today : date
        Stands as the time of writing, so that equal plans are equal files.

    Returns
    -------
    str
        An iCalendar file. A number keeps its event when the plan is read in again.

    References
    ----------
    Desruisseaux, B. (ed.) (2009). RFC 5545: Internet Calendaring and Scheduling Core Object Specification.
    """
    out = icalendar.Calendar()
    for key, word in (
        ("prodid", f"-//Playbook//Campaign plan//{current().upper()}"),
        ("version", "2.0"),
        ("x-wr-calname", title or _("Media calendar")),
    ):
        out.add(key, word)
    stamp = dt.datetime.combine(today, dt.time(), dt.UTC)
    for t in _open(tasks).to_dict("records"):
        said = [
            _("Owner: {owner}").format(owner=t["owner"]) if t["owner"] else "",
            _("Done when: {measure}").format(measure=t["measure"]) if t["measure"] else "",
            _("Takes: {resources}").format(resources=t["resources"]) if t["resources"] else "",
            _("After: {tasks}").format(tasks=t["after"]) if t["after"] else "",
        ]
        _event(out, t["task_id"], t["title"], t["starts_on"], t["due_on"], said, _("task"), stamp)
    for f in [] if flights is None else flights.to_dict("records"):
        said = [
            _("Owner: {owner}").format(owner=f["owner"]) if f["owner"] else "",
            _("Channel: {channel}").format(channel=term("channel", f["channel"])) if f["channel"] else "",
        ]
        _event(out, f["flight_id"], f["name"], f["begins"], f["ends"], said, _("campaign"), stamp)
    return out.to_ical().decode("utf-8")


def _open(tasks: pd.DataFrame | None) -> pd.DataFrame:
    if tasks is None:
        return pd.DataFrame()
    dated = tasks["starts_on"].notna() & tasks["due_on"].notna()
    return tasks[dated & ~tasks["status"].isin(["done", "dropped"])].fillna(
        {"measure": "", "resources": "", "after": "", "owner": ""}
    )


def _event(
    out: icalendar.Calendar, label: str, title: str, first: pd.Timestamp, last: pd.Timestamp, said: list[str],
    kind: str, stamp: dt.datetime,
) -> None:  # fmt: skip
    """An event of whole days; its end is the day after its last one."""
    event = icalendar.Event()
    event.add("uid", f"{label}@playbook")
    event.add("dtstamp", stamp)
    event.add("summary", title)
    event.add("dtstart", first.date())
    event.add("dtend", (last + pd.Timedelta(days=1)).date())
    event.add("description", "\n".join(s for s in said if s))
    event.add("categories", [kind])
    out.add_component(event)
