"""The plan as it can be executed: the shop's own tasks with what is late made up for, or a campaign's usual steps."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import ibis
import pandas as pd

from ... import style
from ...data.engine import as_table
from ...language import N_, _, paragraph
from ...missing import Missing, answers
from .coming import Campaign
from .tasks import DAY, FIELDS, MANDATORY

LEAD = 62
"""Days before it sells on which a great campaign is begun."""
STEPS = (
    # key, title, owner, first and last day from the first that sells (0), steps before it, measure, resources
    ("goal", N_("Goals and budget"), N_("Head of e-commerce"), -62, -55, "", N_("signed by finance"),
     N_("finance, analyst")),
    ("goods", N_("Goods and prices"), N_("Merchandising"), -54, -48, "goal", N_("list of goods with prices agreed"),
     N_("two merchandisers")),
    ("brief", N_("Theme and creative brief"), N_("Brand"), -47, -42, "goods", N_("brief accepted"),
     N_("brand, designer")),
    ("order", N_("Stock ordered"), N_("Purchasing"), -47, -40, "goods", N_("all purchase orders placed"),
     N_("a buyer")),
    ("arrive", N_("Stock in and checked"), N_("Purchasing"), -39, -14, "order", N_("95 % of the order in stock"),
     N_("two for quality")),
    ("visual", N_("Pictures, product pages, landing page"), N_("Design"), -41, -12, "brief", N_("all pages accepted"),
     N_("three designers")),
    ("seeding", N_("Creators signed, samples sent"), N_("Content"), -41, -20, "brief", N_("posts as scheduled"),
     N_("budget for creators")),
    ("legal", N_("Copy checked for compliance"), N_("Legal"), -18, -12, "brief", N_("every text passed, kept on file"),
     N_("a lawyer")),
    ("desk", N_("Customer service staffed and briefed"), N_("Customer service"), -20, -15, "goods",
     N_("first reply within ten minutes at the peak"), N_("shifts for the busiest day")),
    ("price", N_("Prices set and checked"), N_("Shop operations"), -11, -8, "visual", N_("no wrong price in a sample"),
     N_("two of operations")),
    ("test", N_("Checkout and tracking tested"), N_("Analyst"), -7, -5, "price", N_("every test order tracked"),
     N_("analyst, developer")),
    ("warm", N_("Warm-up: carts and members"), N_("Media"), -4, -1, "test seeding legal", N_("carts as planned"),
     N_("warm-up budget")),
    ("day", N_("On duty all day"), N_("Head of e-commerce"), 0, 0, "warm arrive desk",
     N_("a log of every hour"), N_("everybody")),
    ("review", N_("What was learnt"), N_("Analyst"), 1, 7, "day", N_("review held, lessons in the library"),
     N_("analyst")),
)  # fmt: skip


def proposed(
    campaign: Campaign,
    planned: pd.DataFrame | Missing | None = None,
    *,
    today: dt.date,
    targets: ibis.Table | Missing | None = None,
    tie: pd.DataFrame | Missing | None = None,
    currency: str = "CNY",
) -> pd.DataFrame:
    """What is to be done by whom from when to when, so that the campaign sells on its day?

    Parameters
    ----------
    campaign : Campaign
        Of `playbook.planning.campaign.coming`.
    planned : DataFrame, optional
        Of `playbook.planning.campaign.tasks`. Its tasks that are not done keep their due days where they can: what
        waits for a late one is done in less time, at least half of its own, until the delay is made up. Without any the
        usual steps of a campaign are laid out, in less time where its day is near.
    today : date
    targets : Table, optional
        metric, period, target: that of net_sales for the campaign's month is the measure of the first step.
    tie : DataFrame, optional
        Of `playbook.planning.campaign.ties`: what its months have is the warm-up's resource.
    currency : str

    Returns
    -------
    DataFrame
        `playbook.planning.campaign.tasks.FIELDS`, as ``plan/tasks.csv`` has them, and amended (what differs from what
        was written down).
    """
    mine = (
        None
        if planned is None or isinstance(planned, Missing)
        else planned[planned["campaign_id"] == campaign.campaign_id]
    )
    if mine is not None and len(mine):
        return _made_up(mine, pd.Timestamp(today))
    goal = _goal(campaign, targets, currency)
    money = _money(campaign, tie, currency)
    start = pd.Timestamp(today)
    first = max(campaign.sells_from, start + DAY)
    scale = min(1.0, (first - start).days / LEAD)
    label = {key: f"T-{first:%y%m%d}-{i + 1:02d}" for i, (key, *_rest) in enumerate(STEPS)}
    rows, ends = [], dict[str, pd.Timestamp]()
    for key, title, owner, begins, due, after, measure, resources in STEPS:
        at = [first + math.floor(x * scale) * DAY if x < 0 else campaign.ends + x * DAY for x in (begins, due)]
        at[0] = max([first if key == "day" else at[0], *(ends[a] + DAY for a in after.split() if scale == 1.0)])
        ends[key] = max(at)
        rows.append(
            {
                "task_id": label[key],
                "title": _("{campaign}: {step}").format(campaign=campaign.name, step=_(title)),
                "owner": _(owner),
                "starts_on": at[0],
                "due_on": ends[key],
                "measure": goal if key == "goal" and goal else _(measure),
                "resources": money if key == "warm" and money else _(resources),
                "after": " ".join(label[a] for a in after.split()),
                "campaign_id": campaign.campaign_id,
                "status": "open",
                "done_on": pd.NaT,
                "amended": "",
            }
        )
    out = pd.DataFrame(rows)
    if scale < 1:
        out = _in_order(out, start)
        out.attrs["notes"] = [
            _("Time left: {days}. Each step has less of it than usual, and some run at once.").format(
                days=style.value((first - start).days, "days")
            )
        ]
    return out


@answers("What is to be done by when?")
def sheet(plan: pd.DataFrame) -> pd.DataFrame:
    """The tasks that are proposed, as ``plan/tasks.csv`` takes them: those to come, and what a reader needs of them.

    Parameters
    ----------
    plan : DataFrame
        Of `proposed`.

    Returns
    -------
    DataFrame
        task_id, title, owner, starts_on, due_on, measure, resources, after; of a plan that is written down
        already task_id, title, owner, starts_on, due_on, amended, what changes first.
    """
    rows = plan[~plan["status"].isin(["done", "dropped"])]
    if (plan["campaign_id"] == "").all():
        out = rows[["task_id", "title", "owner", "starts_on", "due_on", "measure", "resources", "after"]]
    else:
        rows = rows.assign(_stays=rows["amended"] == "").sort_values(["_stays", "starts_on"], kind="stable")
        out = rows[["task_id", "title", "owner", "starts_on", "due_on", "amended"]]
    out = out.reset_index(drop=True)
    out.attrs = dict(plan.attrs)
    return out


def _in_order(out: pd.DataFrame, start: pd.Timestamp) -> pd.DataFrame:
    """With little time left, a step waits for no other: who begins before another ends works beside it."""
    rows = out.set_index("task_id")
    starts, ends = rows["starts_on"].clip(lower=start), rows["due_on"].clip(lower=start)
    after = [
        " ".join(a for a in names.split() if ends[a] < starts[task])
        for task, names in zip(rows.index, rows["after"], strict=True)
    ]
    return out.assign(starts_on=starts.to_numpy(), due_on=ends.to_numpy(), after=after)


def _goal(campaign: Campaign, targets: ibis.Table | Missing | None, currency: str) -> str:
    """The month's target of net sales, as a measure."""
    if targets is None or isinstance(targets, Missing):
        return ""
    table = as_table(targets)
    month = f"{campaign.sells_from:%Y-%m}"
    whole = [table[c].isnull() for c in ("platform", "channel") if c in table.columns]
    told = table.filter(table["metric"] == "net_sales", table["period"] == month, *whole)
    rows = told.select("target", "recorded_at").to_pandas().sort_values("recorded_at")
    if rows.empty:
        return ""
    target = style.value(rows["target"].iloc[-1], "currency", currency=currency)
    return _("net sales of {target} in {month}").format(target=target, month=month)


def _money(campaign: Campaign, tie: pd.DataFrame | Missing | None, currency: str) -> str:
    """The month's budget of advertising, as a resource."""
    if tie is None or isinstance(tie, Missing):
        return ""
    month = f"{campaign.sells_from:%Y-%m}"
    mine = tie[tie["month"] == month]
    if mine.empty:
        return ""
    money = style.value(mine["budget"].sum(), "currency", currency=currency)
    return _("advertising of {money} in {month}").format(money=money, month=month)


def _made_up(mine: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    """The tasks with days on which they can be done: what waited for a late one takes less time."""
    rows = mine.set_index("task_id").sort_values(["starts_on", "due_on"])
    ends = dict[str, pd.Timestamp]()
    out: list[dict[str, Any]] = []
    waiting = list(rows.index)
    while waiting:
        ready = [t for t in waiting if not any(a in waiting for a in rows.loc[t, "after"].split())]
        task = (ready or waiting)[0]
        waiting.remove(task)
        row = rows.loc[task].to_dict() | {"task_id": task, "amended": ""}
        begins, due = row["starts_on"], row["due_on"]
        if row["status"] in ("open", "doing") and pd.notna(begins) and pd.notna(due):
            after = [ends[a] + DAY for a in row["after"].split() if a in ends]
            first = begins if row["status"] == "doing" else max([begins, today, *after])
            least = math.ceil(((due - begins).days + 1) / 2)
            last = max(due, today, first + (least - 1) * DAY if row["status"] == "open" else due)
            row |= {"starts_on": first, "due_on": last, "amended": _change((begins, due), (first, last))}
        lacks = [c for c in MANDATORY if pd.isna(row[c]) or row[c] == ""]
        if lacks and row["status"] in ("open", "doing"):
            row["amended"] = paragraph(x for x in (row["amended"], _("To be filled in.")) if x)
        ends[task] = row["done_on"] if pd.notna(row["done_on"]) else row["due_on"]
        out.append(row)
    frame = pd.DataFrame(out, columns=[*FIELDS, "amended"])
    return frame.sort_values(["starts_on", "task_id"], ignore_index=True)


def _change(was: tuple[pd.Timestamp, pd.Timestamp], now: tuple[pd.Timestamp, pd.Timestamp]) -> str:
    if was == now:
        return ""
    return _("Was {begins} to {ends}.").format(begins=style.date(was[0]), ends=style.date(was[1]))
