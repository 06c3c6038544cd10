"""The register: five classes of risk, probability times impact, and who does what about each."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...data.engine import as_table
from ...data.plan_sheets import Column
from ...findings import Figure, Finding
from ...language import _, listing, term
from ...missing import Missing, answers, quietly
from .triggers import parse

KINDS = ("law", "competition", "technology", "supply", "credit")
BANDS = ((15, "high"), (8, "medium"), (0, "low"))
"""From which probability × impact on a risk is high, medium or low."""
FIELDS = ("risk_id", "title", "kind", "probability", "impact", "mitigation", "owner", "trigger")


def columns() -> list[Column]:
    """What a shop's ``plan/risks.csv`` must hold."""
    return [
        Column("risk_id", required=True),
        Column("title", required=True),
        Column("kind", required=True, one_of=KINDS),
        Column("probability", required=True, between=(1, 5)),
        Column("impact", required=True, between=(1, 5)),
        Column("mitigation"),
        Column("owner"),
        Column("trigger", check=lambda text: "" if parse(text) else _("must read like: refund_rate > 0.12 in 14d")),
    ]


def register(risks: ibis.Table | Missing | None = None, sheet: pd.DataFrame | Missing | None = None) -> pd.DataFrame:
    """What could hurt the shop, the worst first?

    Parameters
    ----------
    risks : Table, optional
        The register as it was recorded.
    sheet : DataFrame, optional
        ``plan/risks.csv``, read by `playbook.data.plan_sheets.read` with `columns`; its rows take the place of those
        with the same risk_id, the others are added.

    Returns
    -------
    DataFrame
        risk_id, title, kind, probability, impact (1 to 5), score (their product), band (high, medium, low), mitigation,
        owner, trigger, lacks (mandatory fields that are empty, separated by spaces). A Missing where there is neither.
    """
    parts = []
    if sheet is not None and not isinstance(sheet, Missing):
        parts.append(sheet)
    if risks is not None and not isinstance(risks, Missing):
        table = as_table(risks)
        parts.append(table.select([c for c in FIELDS if c in table.columns]).to_pandas())
    if not parts:
        remedy = _("Write `plan/risks.csv` by hand; its first row holds: {columns}.")
        said = Missing("risks", remedy=remedy.format(columns=", ".join(FIELDS)))
        return said.asked(_("What could hurt the shop?"))
    out = pd.concat([p.reindex(columns=list(FIELDS)) for p in parts], ignore_index=True)
    out = out.drop_duplicates("risk_id", keep="first")
    out = out.assign(**{c: pd.to_numeric(out[c], errors="coerce") for c in ("probability", "impact")})
    score = out["probability"] * out["impact"]
    band = [next(name for least, name in BANDS if s >= least) if s == s else "" for s in score]
    lacks = [
        " ".join(
            c for c in ("probability", "impact", "mitigation", "owner", "trigger") if pd.isna(row[c]) or row[c] == ""
        )
        for row in out.to_dict("records")
    ]
    out = out.assign(score=score, band=band, lacks=lacks)
    order = [*FIELDS[:5], "score", "band", *FIELDS[5:], "lacks"]
    return out.sort_values(["score", "risk_id"], ascending=[False, True], ignore_index=True)[order]


@answers("How likely is what, and how bad?")
def matrix(risks: pd.DataFrame) -> pd.DataFrame:
    """Which risks stand in which field of probability and impact?

    Returns
    -------
    DataFrame
        probability, impact, score, n, risk_ids (separated by spaces); only fields that hold a risk.
    """
    known = risks.dropna(subset="score")
    out = known.groupby(["probability", "impact"])["risk_id"].agg(n="size", risk_ids=" ".join).reset_index()
    out.insert(2, "score", out["probability"] * out["impact"])
    return out.sort_values(["score", "impact"], ascending=False, ignore_index=True)


@quietly
def plot_matrix(fields: pd.DataFrame) -> Axes:
    """Probability across, impact upwards; each risk by its number, the fields coloured by their product."""
    ax = style.axes(height=5)
    product = np.outer(np.arange(1, 6), np.arange(1, 6))
    ax.imshow(
        product, origin="lower", cmap="YlOrRd", alpha=0.55, vmin=0, vmax=30, extent=(0.5, 5.5, 0.5, 5.5), aspect="auto"
    )
    for row in fields.to_dict("records"):
        text = "\n".join(" ".join(row["risk_ids"].split()[i : i + 3]) for i in range(0, row["n"], 3))
        ax.text(row["probability"], row["impact"], text, ha="center", va="center", fontsize=11, color=style.INK)
    ax.set_xticks(range(1, 6))
    ax.set_yticks(range(1, 6))
    ax.grid(visible=False)
    ax.set_xlabel(_("Probability (1 to 5)"))
    ax.set_ylabel(_("Impact (1 to 5)"))
    ax.set_title(_("Risks by probability and impact"))
    return ax


@answers("Which risks need somebody now?")
def findings(risks: pd.DataFrame, states: pd.DataFrame, checks: pd.DataFrame | None = None) -> list[Finding]:
    """Which risks are happening, which have nobody, and where is the law not kept?

    Parameters
    ----------
    risks, states : DataFrame
        Of `register`, `playbook.operations.risks.states`.
    checks : DataFrame, optional
        Of `checklist`.
    """
    said = []
    by_id = risks.set_index("risk_id")
    figure = Figure("risks.triggered", int((states["state"] == "on").sum()), "count")
    for row in states[states["state"] == "on"].to_dict("records"):
        risk = by_id.loc[row["risk_id"]]
        text = _(
            "The trigger of risk {id} “{title}” has gone off: {metric} {value}, limit {limit}. {owner}: {mitigation}."
        )
        words = {
            "id": row["risk_id"],
            "title": risk["title"],
            "metric": term("metric", row["metric"]).replace("_", " "),
            "value": style.value(row["value"], row["unit"]),
            "limit": style.value(row["limit"], row["unit"]),
            "owner": style.UNKNOWN if pd.isna(risk["owner"]) else risk["owner"],
            "mitigation": style.UNKNOWN if pd.isna(risk["mitigation"]) else risk["mitigation"],
        }
        said.append(Finding("act", text.format(**words), None, (figure,)))
    bare = risks[risks["lacks"] != ""]
    if len(bare):
        text = _("{n} risks lack an owner, a mitigation or a trigger: {ids}.")
        said.append(Finding("watch", text.format(n=len(bare), ids=listing(bare["risk_id"].head(6)))))
    if gone := [k for k in KINDS if k not in set(risks["kind"])]:
        text = _("Nobody has written down a risk of the kind {kinds}.")
        said.append(Finding("watch", text.format(kinds=listing(term("kind", k).replace("_", " ") for k in gone))))
    blind = states[states["state"].isin(["not measured", "unreadable"])]
    if len(blind):
        text = _("{n} of {all} triggers cannot be watched here ({ids}): somebody has to look by hand.")
        said.append(Finding("watch", text.format(n=len(blind), all=len(states), ids=listing(blind["risk_id"].head(6)))))
    failed = pd.DataFrame() if checks is None or isinstance(checks, Missing) else checks[checks["state"] == "fail"]
    for row in failed.to_dict("records"):
        text = _("{law}, Art. {article}: {duty}; found: {evidence}.")
        said.append(Finding("act", text.format(**{k: row[k] for k in ("law", "article", "duty", "evidence")})))
    return said
