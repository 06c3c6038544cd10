"""Tasks: who does what by when, with what and to which measure; what hangs on what, and what is late."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ibis
import numpy as np
import pandas as pd

from ... import style
from ...data.engine import as_table
from ...data.plan_sheets import Column
from ...findings import Figure, Finding
from ...language import N_, _, listing, paragraph, term
from ...missing import Missing, answers
from ...outlook import Decision
from .coming import Campaign

FIELDS = (
    "task_id", "title", "owner", "starts_on", "due_on", "measure", "resources", "after", "campaign_id", "status",
    "done_on",
)  # fmt: skip
MANDATORY = ("owner", "starts_on", "due_on", "resources", "measure")
"""The four fields that make a task of an intention: who, from when to when, with what, and how one sees it done."""
STATUSES = ("open", "doing", "done", "dropped")
STATES = (N_("overdue", "state"), N_("held up", "state"), N_("late to start", "state"), N_("under way", "state"),
          N_("to come", "state"), N_("done", "state"), N_("dropped", "state"))  # fmt: skip
DAY = pd.Timedelta(days=1)


def columns() -> list[Column]:
    """What a shop's ``plan/tasks.csv`` must hold; empty fields of a task are told on the page, not refused."""
    return [
        Column("task_id", required=True),
        Column("title", required=True),
        Column("owner"),
        Column("starts_on", is_day=True),
        Column("due_on", is_day=True),
        Column("measure"),
        Column("resources"),
        Column("after"),
        Column("campaign_id"),
        Column("status", one_of=STATUSES),
        Column("done_on", is_day=True),
    ]


def tasks(tasks: ibis.Table | Missing | None, sheet: pd.DataFrame | Missing | None, *, today: dt.date) -> Any:
    """Who does what by when, and how does each task stand?

    Parameters
    ----------
    tasks : Table, optional
        As they were recorded: task_id, title, owner, starts_on, due_on; the other `FIELDS` may be lacking.
    sheet : DataFrame, optional
        ``plan/tasks.csv``, read by `playbook.data.plan_sheets.read` with `columns`; what it says of a task_id takes the
        place of what was recorded, other rows are added.
    today : date
        The day after the last one known.

    Returns
    -------
    DataFrame
        `FIELDS`; days (from the first to the last, both within); lacks (mandatory fields that are empty, separated by
        commas); wrong (what cannot be: a task after one that does not exist, after itself, or that begins before the
        one before it ends); slack_days (by how many days it may slip before the end of its campaign slips; NaN where
        its days are not known); critical (slack 0); state (overdue, held up: one before it is late, late to start,
        under way, to come, done, dropped); ends_on (expected, if nobody makes up for what is late); slips_days (of
        `ends_on` behind `due_on`). By campaign and first day. A Missing where there are neither.

    References
    ----------
    Kelley, J. E., Walker, M. R. (1959). Critical-path planning and scheduling. Proc. Eastern Joint Computer Conference.
    """
    parts = [] if sheet is None or isinstance(sheet, Missing) else [sheet]
    if tasks is not None and not isinstance(tasks, Missing):
        table = as_table(tasks)
        parts.append(table.select([c for c in FIELDS if c in table.columns]).to_pandas())
    if not parts:
        remedy = _("Write `plan/tasks.csv` by hand, or take plan/proposed/tasks.csv; its first row holds: {columns}.")
        said = Missing("plan/tasks.csv", remedy=remedy.format(columns=", ".join(FIELDS)))
        return said.asked(_("Who does what by when?"))
    every = pd.concat([p.reindex(columns=list(FIELDS)).astype(object) for p in parts], ignore_index=True)
    every = every.groupby("task_id", sort=False).first().reset_index()  # of each field the first that is filled in
    for day in ("starts_on", "due_on", "done_on"):
        every[day] = pd.to_datetime(every[day]).astype("datetime64[s]")
    for word in (c for c in FIELDS if every[c].dtype == object):
        every[word] = every[word].map(lambda x: "" if pd.isna(x) else str(x).strip())
    every.loc[every["status"] == "", "status"] = np.where(
        every.loc[every["status"] == "", "done_on"].notna(), "done", "open"
    )
    return _scheduled(every, pd.Timestamp(today))


def _scheduled(every: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    before, wrong = _before(every)
    rows = every.set_index("task_id")
    out = every.assign(
        days=(every["due_on"] - every["starts_on"]).dt.days + 1.0,
        lacks=[_lacks(row) for row in every.to_dict("records")],
        wrong=[wrong.get(t, "") for t in every["task_id"]],
    )
    slack = _slack(rows, before)
    ends = _expected(rows, before, today)
    out["slack_days"] = [slack.get(t, np.nan) for t in out["task_id"]]
    out["critical"] = (out["slack_days"] <= 0) & (out["status"] != "dropped")
    out["ends_on"] = pd.to_datetime(pd.Series([ends.get(t) for t in out["task_id"]])).astype("datetime64[s]")
    out["slips_days"] = (out["ends_on"] - out["due_on"]).dt.days.astype(float)
    late = set(out.loc[out["status"].isin(["open", "doing"]) & (out["due_on"] < today), "task_id"])
    held = {t for t in rows.index if t not in late and _waits_for(t, before, late)}
    out["state"] = [_state(row, today, late, held) for row in out.to_dict("records")]
    return out.sort_values(["campaign_id", "starts_on", "task_id"], ignore_index=True)


def _lacks(row: dict[str, Any]) -> str:
    return ", ".join(c for c in MANDATORY if pd.isna(row[c]) or row[c] == "")


def _before(every: pd.DataFrame) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Of each task those that must be done before it, without circles; and what is wrong with what was written."""
    rows = every.set_index("task_id")
    before, wrong = dict[str, list[str]](), dict[str, str]()
    for task, said in rows["after"].items():
        names = said.replace(",", " ").replace("，", " ").split()
        before[task] = [n for n in names if n in rows.index and n != task]
        strange = [n for n in names if n not in rows.index or n == task]
        early = [n for n in before[task] if not rows.loc[task, "starts_on"] > rows.loc[n, "due_on"]]
        early = [n for n in early if rows.loc[[task, n], ["starts_on", "due_on"]].notna().all(axis=None)]
        if strange:
            wrong[task] = _("comes after {task}, which is not there").format(task=", ".join(strange))
        elif early:
            wrong[task] = _("begins before {task} ends").format(task=", ".join(early))
        if not rows.loc[task, "due_on"] >= rows.loc[task, "starts_on"] and pd.notna(rows.loc[task, "due_on"]):
            wrong[task] = _("ends before it begins") if pd.notna(rows.loc[task, "starts_on"]) else wrong.get(task, "")
    for task in rows.index:
        if task in _all_before(task, before):
            wrong[task] = _("comes after itself, by way of others")
    circle = {t for t in rows.index if t in _all_before(t, before)}
    return {t: [b for b in bs if not (t in circle and b in circle)] for t, bs in before.items()}, wrong


def _all_before(task: str, before: dict[str, list[str]]) -> set[str]:
    seen, ahead = set[str](), list(before[task])
    while ahead:
        one = ahead.pop()
        if one not in seen:
            seen.add(one)
            ahead += before[one]
    return seen


def _waits_for(task: str, before: dict[str, list[str]], late: set[str]) -> bool:
    return bool(_all_before(task, before) & late)


def _slack(rows: pd.DataFrame, before: dict[str, list[str]]) -> dict[str, float]:
    """By how many days a task may slip: to the first day of those after it, or to the end of its campaign."""
    known = rows.dropna(subset=["starts_on", "due_on"])
    after: dict[str, list[str]] = {t: [] for t in known.index}
    for task, names in before.items():
        for name in names:
            if name in after and task in after:
                after[name].append(task)
    end = known.groupby("campaign_id")["due_on"].transform("max")
    slack: dict[str, float] = {}
    for task in known.sort_values(["due_on", "starts_on"], ascending=False).index:
        gaps = [
            (known.loc[a, "starts_on"] - known.loc[task, "due_on"]).days - 1 + slack.get(a, 0.0) for a in after[task]
        ]
        slack[task] = float(max(min(gaps, default=(end[task] - known.loc[task, "due_on"]).days), 0))
    return slack


def _expected(rows: pd.DataFrame, before: dict[str, list[str]], today: pd.Timestamp) -> dict[str, pd.Timestamp]:
    """When each task will end if it takes as long as was planned and begins when those before it are done."""
    known = rows.dropna(subset=["starts_on", "due_on"])
    ends: dict[str, pd.Timestamp] = {}

    def end(task: str) -> pd.Timestamp:
        if task not in ends:
            row = known.loc[task]
            if row["status"] in ("done", "dropped"):
                ends[task] = row["done_on"] if pd.notna(row["done_on"]) else row["due_on"]
            else:
                # What is under way has begun, whenever those before it were done.
                over = ("dropped", "done") if row["status"] == "doing" else ("dropped",)
                ready = [end(b) + DAY for b in before[task] if b in known.index and known.loc[b, "status"] not in over]
                begins = max([row["starts_on"], *ready, *([today] if row["status"] == "open" else [])])
                ends[task] = max(begins + (row["due_on"] - row["starts_on"]), today)
        return ends[task]

    for task in known.index:
        end(task)
    return ends


def _state(row: dict[str, Any], today: pd.Timestamp, late: set[str], held: set[str]) -> str:
    if row["status"] in ("done", "dropped"):
        return row["status"]
    if row["task_id"] in late:
        return "overdue"
    if row["task_id"] in held and row["status"] == "open":
        return "held up"
    if row["status"] == "doing":
        return "under way"
    return "late to start" if row["starts_on"] < today else "to come"


@answers("Which tasks hold the campaign up?")
def attention(planned: pd.DataFrame, campaign_id: str | None = None) -> pd.DataFrame:
    """Which tasks are late, held up, lack a mandatory field or cannot be as they are written?

    Parameters
    ----------
    planned : DataFrame
        Of `tasks`.
    campaign_id : str, optional
        Only its tasks.

    Returns
    -------
    DataFrame
        task_id, title, owner, due_on, state, slack_days, ends_on, mend (what it lacks, or cannot be); the overdue ones
        first.
    """
    mine = planned if not campaign_id else planned[planned["campaign_id"] == campaign_id]
    rows = mine[
        mine["state"].isin(["overdue", "held up", "late to start"])
        | (((mine["lacks"] != "") | (mine["wrong"] != "")) & ~mine["state"].isin(["done", "dropped"]))
    ]
    place = rows["state"].map({s: i for i, s in enumerate(STATES)})
    rows = rows.assign(_place=place).sort_values(["_place", "critical", "due_on"], ascending=[True, False, True])
    lacks = [_("lacks: {lacks}").format(lacks=term("lacks", x)) if x else "" for x in rows["lacks"]]
    rows["mend"] = [listing(m for m in both if m) for both in zip(lacks, rows["wrong"], strict=True)]
    out = rows[["task_id", "title", "owner", "due_on", "state", "slack_days", "ends_on", "mend"]]
    out = out.reset_index(drop=True)
    out.attrs["notes"] = [] if len(out) else [_("No task is late, held up or incomplete.")]
    return out


@answers("On which tasks does the last day hang?")
def critical_path(planned: pd.DataFrame, campaign_id: str) -> list[str]:
    """On which tasks, in their order, does the last day of a campaign hang?"""
    mine = planned[(planned["campaign_id"] == campaign_id) & planned["critical"]]
    return mine.sort_values(["starts_on", "due_on"])["task_id"].tolist()


@answers("Is the plan in time?")
def findings(planned: pd.DataFrame, campaign: Campaign) -> list[Finding]:
    """Which tasks of the campaign are late, what do they hold up, and which are no tasks yet?

    Parameters
    ----------
    planned : DataFrame
        Of `tasks`.
    campaign : Campaign
        Of `playbook.planning.campaign.coming`; what other campaigns have overdue is told too.
    """
    undone = planned[planned["status"].isin(["open", "doing"])]
    out = []
    for t in undone[undone["state"] == "overdue"].sort_values("slack_days").to_dict("records"):
        text = _("“{task}” ({id}) was due on {day} and is not done; it is {owner}’s.")
        words = {"task": t["title"], "id": t["task_id"], "owner": t["owner"] or style.UNKNOWN}
        said = [text.format(**words, day=style.date(t["due_on"]))]
        if t["critical"]:
            text = _("The last day of its campaign hangs on it: each further day of delay moves that one.")
            said.append(text)
        else:
            text = _("It may slip by {slack} in all before the campaign slips.")
            said.append(text.format(slack=style.value(t["slack_days"], "days")))
        late = Figure("task.slack", t["slack_days"], "days", by={"task": t["task_id"]})
        out.append(Finding("act", paragraph(said), None, (late,)))
    mine = undone[(undone["campaign_id"] == campaign.campaign_id) & undone["critical"]]
    slipping = mine[(mine["slips_days"] > 0) & (mine["due_on"] <= campaign.ends)]
    if len(slipping):
        last = slipping.sort_values("due_on").iloc[-1]
        text = _("As things stand “{task}” ends on {day}, not on {due}: the critical path has {days} to make up.")
        words = {"task": last["title"], "day": style.date(last["ends_on"]), "due": style.date(last["due_on"])}
        slip = Figure("plan.slip", last["slips_days"], "days")
        sentence = text.format(**words, days=style.value(last["slips_days"], "days"))
        out.append(Finding("act", sentence, None, (slip,)))
    bare = undone[undone["lacks"] != ""]
    if len(bare):
        text = _("Not yet tasks, for want of a mandatory field: {tasks}.")
        named = [
            _("{task} ({lacks})").format(task=t["task_id"], lacks=term("lacks", t["lacks"]))
            for t in bare.head(4).to_dict("records")
        ]
        figure = Figure("plan.incomplete", len(bare), "count")
        out.append(Finding("watch", text.format(tasks=listing(named)), None, (figure,)))
    for t in undone[undone["wrong"] != ""].head(4).to_dict("records"):
        text = _("“{task}” ({id}) cannot be as it is written: {wrong}.")
        out.append(Finding("watch", text.format(task=t["title"], id=t["task_id"], wrong=t["wrong"])))
    if not out:
        text = _("{n} tasks are open; none is late, and each has its owner, days, resources and measure.")
        n = style.value(len(undone), "count")
        out.append(Finding("hold", text.format(n=n), None, (Figure("plan.open", len(undone), "count"),)))
    return out


@answers("Which task must be finished now?")
def decisions(planned: pd.DataFrame, campaign: Campaign, expected: pd.DataFrame, *, today: dt.date) -> list[Decision]:
    """Which task must be finished now so that the campaign's days do not slip?

    A day by which it slips sells as the weeks before it did, not as a day of earlier campaigns of the kind: that is the
    effect, for the days that the critical path has to make up.

    Parameters
    ----------
    planned : DataFrame
        Of `tasks`.
    campaign : Campaign
    expected : DataFrame
        Of `playbook.planning.campaign.past.ahead`.
    today : date

    Returns
    -------
    list of Decision
        One, on the first task that the last day hangs on; none where nothing slips or the sales of a day are not known.
    """
    undone = planned[planned["status"].isin(["open", "doing"]) & (planned["campaign_id"] == campaign.campaign_id)]
    path = undone[undone["critical"] & (undone["slips_days"] > 0) & (undone["due_on"] <= campaign.ends)]
    e = expected.iloc[0]
    worth = e["net_sales"] / e["orders"] if e["orders"] else np.nan
    if path.empty or e["days"] < 1 or not np.isfinite(worth):
        return []
    first, slip = path.sort_values(["due_on", "task_id"]).iloc[0], min(float(path["slips_days"].max()), e["days"])
    value, low, high = (
        slip * (e[c] - e["before_a_day"]) * worth for c in ("orders_a_day", "orders_a_day_low", "orders_a_day_high")
    )
    text = _(
        "Finish “{task}” and make up {days} on the critical path: a day by which “{campaign}” slips sells as the weeks"
        " before it."
    ).format(task=first["title"], days=style.value(slip, "days"), campaign=campaign.name)
    due, owner = today + dt.timedelta(days=1), first["owner"] or _("head of e-commerce")
    return [Decision("make_up", text, owner, due, "net_sales", campaign.days_left(today), value, low, high, "currency")]
