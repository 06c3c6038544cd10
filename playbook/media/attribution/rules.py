"""Rules of attribution: how the credit for an order is shared among the channels that came before it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import ibis
import numpy as np
import pandas as pd

from ...data.engine import as_table
from ...language import N_, _
from ...missing import answers

RULES = (
    "first", "last", "last_non_direct", "linear", "position", "time_decay", "markov", "shapley",
)  # fmt: skip

TITLES = {
    "first": N_("First contact"),
    "last": N_("Last contact"),
    "last_non_direct": N_("Last contact but direct"),
    "linear": N_("Linear"),
    "position": N_("By position"),
    "time_decay": N_("Time decay"),
    "markov": N_("Markov removal"),
    "shapley": N_("Shapley value"),
}

MEANINGS = {
    "first": N_("All to the first contact."),
    "last": N_("All to the last contact."),
    "last_non_direct": N_("All to the last contact that was not a direct visit."),
    "linear": N_("The same to every contact."),
    "position": N_("Two fifths each to the first and the last contact, the rest to those between."),
    "time_decay": N_("Half as much to a contact for every half-life that it lies before the order."),
    "markov": N_("By how many orders would be lost if a channel led nowhere."),
    "shapley": N_("By what channels add to each other's coalitions: equal parts to all channels of a path."),
}
"""What each rule does, one sentence."""


@answers("Which channel earned the orders?")
def credits(
    met: ibis.Table | pd.DataFrame,
    *,
    rules: Sequence[str] = RULES,
    half_life: float = 7.0,
    direct: Sequence[str] = ("direct",),
) -> pd.DataFrame:
    """Which channel earned the orders, by each rule?

    Parameters
    ----------
    met : Table
        From `touches` or `touches_of_paths`.
    rules : sequence of str
        Out of `RULES`.
    half_life : float
        Of time decay: days before the order, or steps where no times are known.
    direct : sequence of str
        Channels that are no advertising but a habit, for "last_non_direct".

    Returns
    -------
    DataFrame
        rule, channel, conversions (orders credited), value (money credited), share (of the orders; NaN where there are
        none). Every rule's credits add up to all conversions and their value. ``attrs``: conversions, value, nulls,
        notes.

    Raises
    ------
    ValueError
        There is no such rule.

    References
    ----------
    Anderl, E. et al. (2016). Mapping the customer journey. Int. J. Research in Marketing 33, 457–474 (removal effects).
    Shapley, L. S. (1953). A value for n-person games. With v(S) the conversions of paths that use only channels of S,
    every path is a unanimity game of its channels, and the value shares it equally among them: Zhao, K., Mahboobi, S.,
    Bagheri, S. (2018). Shapley value methods for attribution modeling in online advertising. arXiv:1804.05327.
    """
    if unknown := [r for r in rules if r not in RULES]:
        raise ValueError(
            _("there is no rule {rule!r}; there is: {rules}").format(rule=unknown[0], rules=", ".join(RULES))
        )
    table = as_table(met).mutate(position=lambda t: t.position.cast("int64"))
    weighed = [r for r in rules if r != "markov"]
    sums = _weighed(table, weighed, half_life, direct) if weighed else pd.DataFrame()
    ends = table.filter(table.position == table.length)
    known = ends.value.cast("float64")
    total = ends.aggregate(
        conversions=ends.conversions.sum(), value=known.sum(where=~known.isnan()), nulls=ends.nulls.sum()
    )
    conversions, value, nulls = (float(x) if pd.notna(x) else 0.0 for x in total.to_pandas().iloc[0])
    frames = []
    chain = removal_effects(table) if "markov" in rules else None
    for rule in rules:
        if rule == "markov":
            assert chain is not None
            made = pd.DataFrame({
                "channel": chain["channel"], "conversions": _shared(chain["effect"], conversions),
                "value": _shared(chain["effect_on_value"], value),
            })  # fmt: skip
        else:
            made = sums[["channel"]].assign(conversions=sums[f"c_{rule}"], value=sums[f"v_{rule}"])
        frames.append(made.assign(rule=rule))
    frame = pd.concat(frames, ignore_index=True)[["rule", "channel", "conversions", "value"]]
    frame["share"] = frame["conversions"] / (conversions if conversions else math.nan)
    order = {r: i for i, r in enumerate(rules)}
    frame = frame.sort_values(["rule", "channel"], key=lambda c: c.map(order) if c.name == "rule" else c)
    frame = frame.reset_index(drop=True)
    notes = [] if conversions else [_("not enough data: needs paths that ended in an order")]
    frame.attrs = {"conversions": conversions, "value": value, "nulls": nulls, "notes": notes}
    return frame


def _shared(effect: pd.Series, total: float) -> pd.Series:
    whole = float(effect.sum())
    return effect / whole * total if whole > 0 else effect * math.nan if total else effect * 0.0


def _weighed(table: ibis.Table, rules: Sequence[str], half_life: float, direct: Sequence[str]) -> pd.DataFrame:
    """Sums of credits of the rules that weigh each contact by its place, one pass over the contacts."""
    path = ibis.window(group_by="path")
    meant = ~table.channel.isin(list(direct))
    table = table.mutate(
        last_meant=meant.ifelse(table.position, 0).max().over(path),
        nth_of_channel=ibis.row_number().over(ibis.window(group_by=["path", "channel"], order_by="position")),
    )
    inner = 0.2 / (table.length - 2).nullif(0)
    outer = (table.length == 2).ifelse(0.5, 0.4)
    at_end = (table.position == 1) | (table.position == table.length)
    weights = {
        "first": (table.position == 1).cast("float64"),
        "last": (table.position == table.length).cast("float64"),
        "last_non_direct": (
            table.position == (table.last_meant > 0).ifelse(table.last_meant, table.length)
        ).cast("float64"),
        "linear": ibis.literal(1.0),
        "position": at_end.ifelse(outer, inner),
        "time_decay": ibis.literal(2.0) ** (-table.days_before / half_life),
        "shapley": (table.nth_of_channel == 0).cast("float64"),
    }  # fmt: skip
    table = table.mutate(**{f"w_{r}": weights[r] for r in rules})
    table = table.mutate(**{f"w_{r}": table[f"w_{r}"] / table[f"w_{r}"].sum().over(path) for r in rules})
    money = table.value.cast("float64")
    money = (money.isnan() | money.isnull()).ifelse(0.0, money)
    sums = {}
    for r in rules:
        for name, of in (("c", table.conversions.cast("float64")), ("v", money)):
            # Sums of doubles differ from run to run, sums of decimals do not.
            sums[f"{name}_{r}"] = (table[f"w_{r}"] * of).cast("decimal(38, 12)").sum().cast("float64")
    return table.group_by("channel").aggregate(**sums).order_by("channel").to_pandas()


@answers("How many orders would be lost if a channel led nowhere?")
def removal_effects(met: ibis.Table | pd.DataFrame) -> pd.DataFrame:
    """How many orders would be lost if a channel led nowhere?

    Paths are taken for a chain in which the next step depends on the present one alone. Its absorption is solved, not
    simulated: an order passes through a channel with the chance to reach it once times the chance to end in an order
    from there, and both stand in the fundamental matrix. Steps from a channel to itself change neither.

    Parameters
    ----------
    met : Table
        From `touches` or `touches_of_paths`.

    Returns
    -------
    DataFrame
        channel, reached (chance that a path meets it), effect, effect_on_value (part of the orders, and of their value,
        that is lost without it; NaN where there are none).

    References
    ----------
    Kemeny, J. G., Snell, J. L. (1960). Finite Markov chains, chapter 3.
    """
    table = as_table(met)
    in_turn = ibis.window(group_by="path", order_by="position")
    table = table.mutate(
        before=table.channel.lag().over(in_turn).fill_null(""), n=(table.conversions + table.nulls).cast("float64")
    )
    steps = table.group_by("before", "channel").aggregate(n=table.n.sum()).to_pandas()
    ends = table.filter(table.position == table.length)
    money = ends.value.cast("decimal(38, 6)") if not ends.value.type().is_floating() else ends.value
    money = money.cast("float64")
    last = ends.group_by("channel").aggregate(
        orders=ends.conversions.sum().cast("float64"), value=money.sum(where=~money.isnan()).fill_null(0),
        nulls=ends.nulls.sum().cast("float64"),
    )  # fmt: skip
    last = last.to_pandas().set_index("channel")
    channels = sorted(steps["channel"].unique())
    place = {c: i for i, c in enumerate(["", *channels])}  # a path begins with no channel before
    counts = np.zeros((len(channels) + 1,) * 2)
    np.add.at(counts, (steps["before"].map(place).to_numpy(), steps["channel"].map(place).to_numpy()), steps["n"])
    np.fill_diagonal(counts, 0.0)
    orders, value, nulls = (
        np.concatenate([[0.0], last[c].reindex(channels).fillna(0.0).to_numpy(float)])
        for c in ("orders", "value", "nulls")
    )
    out = counts.sum(axis=1) + orders + nulls
    safe = np.where(out > 0, out, 1.0)
    visits = np.linalg.inv(np.eye(len(out)) - counts / safe[:, None])
    reached = visits[0] / np.diag(visits)
    frame = pd.DataFrame({"channel": channels, "reached": reached[1:]})
    for name, won in (("effect", orders), ("effect_on_value", value)):
        ahead = visits @ (won / safe)
        whole = ahead[0]
        frame[name] = np.clip(reached * ahead / whole, 0, None)[1:] if whole > 0 else math.nan
    return frame
