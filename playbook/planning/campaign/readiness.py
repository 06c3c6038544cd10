"""Go or no go: eight things that must be in order before a campaign, each with its evidence, and one verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from ... import period as periods
from ... import style
from ...data.plan_sheets import Column
from ...findings import Figure, Finding
from ...language import N_, _, listing, paragraph, term
from ...missing import answers
from .coming import Campaign

CHECKS = (
    N_("stock", "check"), N_("price", "check"), N_("page", "check"), N_("tracking", "check"), N_("service", "check"),
    N_("budget", "check"), N_("compliance", "check"), N_("plan", "check"),
)  # fmt: skip
STATES = ("PASS", "REVIEW", "FAIL")
VERDICTS = {"PASS": N_("go", "verdict"), "REVIEW": N_("go with conditions", "verdict"), "FAIL": N_("no go", "verdict")}
AREAS = {
    "stock": ("备货", "到仓", "库存", "采购", "stock", "inbound", "purchase"),
    "price": ("价格", "定价", "price", "pricing"),
    "page": ("详情页", "主图", "会场", "页面", "素材审核", "page", "visual", "landing"),
    "tracking": ("埋点", "链路", "tracking", "checkout test"),
    "service": ("客服", "service desk", "customer service", "staffing"),
    "budget": ("预算", "budget"),
    "compliance": ("合规", "法务", "广告法", "compliance", "legal"),
}
"""Words in a task's title by which it belongs to a check; the first that fits, in this order."""
FEW_SEEN, TOO_FEW_SEEN = 0.95, 0.80
"""Share of orders that tracking must see to pass, and below which it fails."""
BUSY, TOO_BUSY = 0.9, 1.2
"""Load of service up to which it passes, and from which it fails."""
OVER = 0.1
"""Part of a channel's budget by which campaigns may exceed it before the budget fails."""

Said = tuple[str, str]  # state, evidence


def columns() -> list[Column]:
    """What a shop's ``plan/readiness.csv`` must hold: what somebody looked at, and what she saw."""
    return [
        Column("check", required=True, one_of=CHECKS),
        Column("state", required=True, one_of=STATES),
        Column("evidence", required=True),
        Column("campaign_id"),
        Column("by", required=True),
        Column("on", required=True, is_day=True),
    ]


@answers("Are we ready?")
def checks(
    campaign: Campaign,
    *,
    tasks: pd.DataFrame | None = None,
    stock: pd.DataFrame | None = None,
    clashes: pd.DataFrame | None = None,
    raised: pd.DataFrame | None = None,
    page: pd.DataFrame | None = None,
    tracked: pd.DataFrame | None = None,
    service: pd.DataFrame | None = None,
    ties: pd.DataFrame | None = None,
    flagged: pd.DataFrame | None = None,
    said: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Is everything in order for the campaign?

    A check is as good as the worse of what the data and its tasks say. What nobody has measured is not passed: it waits
    for somebody's word in ``plan/readiness.csv``. Her word stands for what the data do not know, and her FAIL always;
    what the data or an overdue task fail, no word passes.

    Parameters
    ----------
    campaign : Campaign
        Of `playbook.planning.campaign.coming`.
    tasks : DataFrame, optional
        Of `playbook.planning.campaign.tasks`.
    stock : DataFrame, optional
        One row a product: product_id, verdict, runs_out_on, short (`playbook.operations.supply.by_product`).
    clashes, ties : DataFrame, optional
        Of `playbook.planning.campaign.clashes`, `ties`.
    raised, page, tracked, service : DataFrame, optional
        Of `playbook.planning.campaign.signs`.
    flagged : DataFrame, optional
        content_id, publish_at, verdict (change, look), found (`playbook.content.compliance.verdicts`).
    said : DataFrame, optional
        ``plan/readiness.csv``, read with `columns`.

    Returns
    -------
    DataFrame
        check (`CHECKS`), state (PASS, REVIEW, FAIL), evidence (a sentence), owner. ``attrs["verdict"]`` is the worst,
        ``attrs["blocking"]`` the checks that fail, ``attrs["open"]`` those to be looked at.
    """
    mine = (
        None
        if tasks is None
        else tasks[(tasks["campaign_id"] == campaign.campaign_id) & (tasks["status"] != "dropped")]
    )
    measured: dict[str, Said | None] = {
        "stock": _given(stock, _stock),
        "price": _given(clashes, lambda c: _price(c, raised, campaign)),
        "page": _given(page, _page),
        "tracking": _given(tracked, _tracking),
        "service": _given(service, _service),
        "budget": _given(ties, lambda t: _budget(t, campaign)),
        "compliance": _given(flagged, lambda f: _compliance(f, campaign)),
        "plan": _given(mine, _plan),
    }
    rows = []
    for check in CHECKS:
        of = None if mine is None or check == "plan" else mine[[area(t) == check for t in mine["title"]]]
        by_data = measured[check]
        by_tasks = None if of is None or of.empty else _tasks(of)
        if by_data and by_tasks and by_tasks[0] == "PASS":
            by_tasks = None  # tasks that are done or in time say nothing beside what was measured
        parts = [p for p in (by_data, by_tasks) if p is not None]
        state = max((p[0] for p in parts), key=STATES.index, default="REVIEW")
        evidence = [p[1] for p in sorted(parts, key=lambda p: -STATES.index(p[0]))]
        word = _word(said, check, campaign)
        if word is not None:
            told = _("{by} on {day}: {evidence}.").format(
                by=word["by"], day=style.date(word["on"]), evidence=str(word["evidence"]).rstrip(".。")
            )
            state = word["state"] if state == "REVIEW" or word["state"] == "FAIL" else state
            evidence = [told, *evidence]
        if not evidence:
            evidence = [_("Nobody has looked at it: say what you saw in plan/readiness.csv.")]
        rows.append((check, state, paragraph(evidence), _owner(of)))
    out = pd.DataFrame(rows, columns=["check", "state", "evidence", "owner"])
    out.attrs = {
        "verdict": max(out["state"], key=STATES.index),
        "blocking": out.loc[out["state"] == "FAIL", "check"].tolist(),
        "open": out.loc[out["state"] == "REVIEW", "check"].tolist(),
    }
    return out


def area(title: str) -> str:
    """The check that a task belongs to, by the words of its title; empty: none."""
    words = title.casefold()
    return next((check for check, marks in AREAS.items() if any(m in words for m in marks)), "")


def _given(frame: pd.DataFrame | None, say: Callable[[pd.DataFrame], Said | None]) -> Said | None:
    return None if frame is None else say(frame)


def _word(said: pd.DataFrame | None, check: str, campaign: Campaign) -> dict[str, Any] | None:
    """The last word that somebody wrote on a check of this campaign."""
    if said is None or said.empty:
        return None
    mine = said[(said["check"] == check) & said["campaign_id"].fillna(campaign.campaign_id).eq(campaign.campaign_id)]
    return None if mine.empty else mine.sort_values("on").iloc[-1].to_dict()


def _owner(of: pd.DataFrame | None) -> str:
    """Who answers for a check: the owner of its first task that is not done."""
    if of is None or of.empty:
        return ""
    undone = of[~of["state"].isin(["done"])]
    return str((undone if len(undone) else of).sort_values("due_on").iloc[0]["owner"])


def _tasks(of: pd.DataFrame) -> Said:
    """What the tasks of a check say."""
    late = of[of["state"] == "overdue"].sort_values("slack_days")
    if len(late):
        t = late.iloc[0]
        text = _("“{task}” was due on {day} and is not done; it may slip by {slack}.")
        if t["slack_days"] <= 0:
            text = _("“{task}” was due on {day} and is not done; the last day hangs on it.")
        text = text.format(task=t["title"], day=style.date(t["due_on"]), slack=style.value(t["slack_days"], "days"))
        return ("FAIL" if (late["slack_days"] <= 0).any() else "REVIEW"), text
    held = of[of["state"].isin(["held up", "late to start"])].sort_values("due_on")
    if len(held):
        t = held.iloc[0]
        text = _("“{task}” cannot end before {ends}; it is due on {day}.")
        text = text.format(task=t["title"], day=style.date(t["due_on"]), ends=style.date(t["ends_on"]))
        return "REVIEW", text if t["slips_days"] > 0 else _("“{task}” should have begun.").format(task=t["title"])
    undone = of[of["state"] != "done"]
    if undone.empty:
        return "PASS", _("Its tasks are done.")
    last = undone.sort_values("due_on").iloc[-1]
    text = _("“{task}” is due on {day}.").format(task=last["title"], day=style.date(last["due_on"]))
    return "PASS", text


def _stock(stock: pd.DataFrame) -> Said:
    short, close = (stock[stock["verdict"] == v] for v in ("FAIL", "REVIEW"))
    if len(short):
        first = short.sort_values("runs_out_on").iloc[0]
        text = _("{n} of {all} products run out before the end: {ids}; the first, {product}, on {day}, {units} short.")
        if len(short) == 1:
            text = _("One of {all} products runs out before the end: {product}, on {day}, {units} short.")
        text = text.format(
            n=style.value(len(short), "count"), all=style.value(len(stock), "count"),
            ids=listing(short["product_id"].head(5)), product=first["product_id"],
            day=style.date(first["runs_out_on"]), units=style.value(first["short"], "count", digits=0),
        )  # fmt: skip
        return "FAIL", text
    if len(close):
        text = _("{n} of {all} products run out if more is asked for than expected: {ids}.")
        text = text.format(n=style.value(len(close), "count"), all=style.value(len(stock), "count"),
                           ids=listing(close["product_id"].head(5)))  # fmt: skip
        return "REVIEW", text
    return "PASS", _("All {all} products last until the end.").format(all=style.value(len(stock), "count"))


def _price(clashes: pd.DataFrame, raised: pd.DataFrame | None, campaign: Campaign) -> Said:
    twice = clashes[
        (clashes["kind"] == "price") & (clashes["begins"] <= campaign.ends) & (clashes["ends"] >= campaign.sells_from)
    ]
    if len(twice):
        text = _("{ids} stand at two prices while it sells.")
        return "FAIL", text.format(ids=listing(twice["about"].unique()))
    if raised is not None and len(raised):
        text = _(
            "The prices of {n} products were raised in the month before it, by up to {change} ({ids}): a price that is "
            "raised to be lowered deceives."
        )
        ids, most = raised["product_id"].unique(), style.value(raised["change"].max(), "share")
        text = text.format(n=style.value(len(ids), "count"), change=most, ids=listing(ids[:4]))
        return "REVIEW", text
    return "PASS", _("No product stands at two prices while it sells.")


def _page(page: pd.DataFrame) -> Said:
    p = page.iloc[0]
    text = _("{last} of the product pages' visits of the last week put something into the cart, {before} before.")
    text = text.format(last=style.value(p["last"], "share"), before=style.value(p["before"], "share"))
    if p["change_high"] >= 0:
        return "PASS", text
    return ("FAIL" if p["change_high"] < -0.2 * p["before"] else "REVIEW"), text


def _tracking(tracked: pd.DataFrame) -> Said | None:
    known = tracked.dropna(subset="share")
    if known.empty:
        return None
    worst = known.sort_values("share").iloc[0]
    text = _("Tracking saw {share} of the last week's {n} paid orders on {platform}.")
    text = text.format(
        share=style.value(worst["share"], "share"), n=style.value(worst["orders"], "count"),
        platform=term("platform", str(worst["platform"])) or _("the own site"),
    )  # fmt: skip
    if worst["share"] >= FEW_SEEN or worst["share_high"] >= FEW_SEEN:
        return "PASS", text
    return ("FAIL" if worst["share_high"] < TOO_FEW_SEEN else "REVIEW"), text


def _service(service: pd.DataFrame) -> Said | None:
    s = service.iloc[0]
    if pd.isna(s["load"]):
        return None
    text = _("The busiest day may bring {expected} contacts; service has coped with {capacity} a day.")
    text = text.format(
        expected=style.value(s["expected"], "count", digits=0), capacity=style.value(s["capacity"], "count")
    )
    return ("PASS" if s["load"] <= BUSY else "FAIL" if s["load"] >= TOO_BUSY else "REVIEW"), text


def _budget(ties: pd.DataFrame, campaign: Campaign) -> Said | None:
    months = {f"{d:%Y-%m}" for d in pd.date_range(campaign.begins, campaign.ends)}
    mine = ties[ties["month"].isin(months)]
    if mine.empty:
        return None
    over = mine[mine["left"].astype(float) < 0].sort_values("used", ascending=False)
    if over.empty:
        text = _("Campaigns take {used} of the budget of its months, and no channel more than it has.")
        whole = float(mine["budget"].sum())
        return "PASS", text.format(used=style.value(float(mine["campaigns"].sum()) / whole if whole else None, "share"))
    first = over.iloc[0]
    text = _("In {month} the campaigns of {channel} take {used} of its budget.")
    text = text.format(
        month=style.period(periods.parse(first["month"])),
        channel=term("channel", str(first["channel"])),
        used=style.value(first["used"], "share"),
    )
    return ("FAIL" if not first["used"] <= 1 + OVER else "REVIEW"), text


def _compliance(flagged: pd.DataFrame, campaign: Campaign) -> Said:
    due = flagged[(flagged["publish_at"] <= campaign.ends + pd.Timedelta(days=1)) & (flagged["stage"] != "published")]
    change, look = (due[due["verdict"] == v] for v in ("change", "look"))
    if len(change):
        text = _("{n} pieces that go out before its end must be changed: {ids}.")
        text = text.format(n=style.value(len(change), "count"), ids=listing(change["content_id"].head(4)))
        return "FAIL", text
    if len(look):
        text = _("{n} pieces that go out before its end are to be looked at: {ids}.")
        text = text.format(n=style.value(len(look), "count"), ids=listing(look["content_id"].head(4)))
        return "REVIEW", text
    return "PASS", _("The scan found nothing in the pieces that go out before its end.")


def _plan(mine: pd.DataFrame) -> Said | None:
    """What the plan itself lacks; tasks that belong to another check are judged there."""
    if mine.empty:
        return None
    undone = mine[mine["state"] != "done"]
    bare = undone[(undone["lacks"] != "") | (undone["wrong"] != "")]
    late = undone[(undone["state"] == "overdue") & undone["title"].map(area).eq("")]
    slips, parts = undone["slips_days"].where(undone["critical"]).max(), []
    if slips > 0:
        text = _("The last day slips by {days} unless somebody makes up for it.")
        parts.append(text.format(days=style.value(slips, "days")))
    if len(late):
        text = _("Overdue: {tasks}.")
        parts.append(text.format(tasks=listing(late["task_id"].head(4))))
    if len(bare):
        text = _("Lacking a mandatory field, or not possible as written: {tasks}.")
        parts.append(text.format(tasks=listing(bare["task_id"].head(4))))
    if parts:
        return ("FAIL" if late["critical"].any() else "REVIEW"), paragraph(parts)
    return "PASS", _("All {n} open tasks have owner, days, resources and measure, and none is late.").format(
        n=style.value(len(undone), "count")
    )


@answers("Do we go?")
def findings(checked: pd.DataFrame, campaign: Campaign, expected: pd.DataFrame | None = None) -> list[Finding]:
    """Do we go, and what stands in the way?

    Parameters
    ----------
    checked : DataFrame
        Of `checks`.
    campaign : Campaign
    expected : DataFrame, optional
        Of `playbook.planning.campaign.past.ahead`: the sales to come are what is at stake.

    Returns
    -------
    list of Finding
        The verdict, which names what blocks; then one for each check that fails, with its evidence.
    """
    stake = None if expected is None else expected.iloc[0]["net_sales"]
    words = {"campaign": campaign.name, "day": style.date(campaign.sells_from)}
    names = {k: listing(term("check", c) for c in checked.attrs[k]) for k in ("blocking", "open")}
    figures = tuple(
        Figure("readiness.checks", float((checked["state"] == s).sum()), "count", by={"state": s}) for s in STATES
    )
    if checked.attrs["blocking"]:
        text = _("No go for “{campaign}” (sells from {day}). What blocks it: {blocking}.")
        out = [Finding("act", text.format(**words, blocking=names["blocking"]), stake, figures)]
    elif checked.attrs["open"]:
        text = _("“{campaign}” (sells from {day}) may go once somebody has looked at: {open}.")
        out = [Finding("watch", text.format(**words, open=names["open"]), stake, figures)]
    else:
        text = _("“{campaign}” (sells from {day}) may go: all checks pass.")
        return [Finding("hold", text.format(**words), stake, figures)]
    for row in checked[checked["state"] == "FAIL"].to_dict("records"):
        text = _("{check}: {evidence} Who sees to it: {owner}.")
        said = {"check": _sentence_start(term("check", row["check"])), "evidence": row["evidence"]}
        out.append(Finding("act", text.format(**said, owner=row["owner"] or style.UNKNOWN)))
    return out


def _sentence_start(word: str) -> str:
    return word[:1].upper() + word[1:]


@answers("Do we go?")
def verdict(checked: pd.DataFrame, campaign: Campaign) -> pd.DataFrame:
    """The verdict in a row: campaign, sells_from, ends, verdict, blocking, to_look_at (checks)."""
    row = {
        "campaign": campaign.name, "sells_from": campaign.sells_from, "ends": campaign.ends,
        "verdict": VERDICTS[checked.attrs["verdict"]], "blocking": ", ".join(checked.attrs["blocking"]),
        "to_look_at": ", ".join(checked.attrs["open"]),
    }  # fmt: skip
    return pd.DataFrame([row])
