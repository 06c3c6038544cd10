"""Associations: which traits of customers go with what they do, beyond chance and by how much."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from .. import style
from ..data.engine import as_table
from ..findings import Figure, Finding
from ..language import _, humanise
from ..methods import multiplicity
from ..missing import Missing, answers, quietly
from .demographics import TRAITS, UNKNOWN
from .words import word

BEHAVIOURS = ("favourite_category", "main_platform", "segment", "price_band")


@answers("Do traits go with behaviour?")
def associations(
    who: ibis.Table | pd.DataFrame,
    *,
    traits: tuple[str, ...] = TRAITS,
    behaviours: tuple[str, ...] = BEHAVIOURS,
    least: float = 5.0,
) -> pd.DataFrame:
    """Which traits go with which behaviour, beyond chance and by how much?

    Parameters
    ----------
    who : Table
        From `people`.
    traits, behaviours : tuple of str
        Columns of `who`; those that it lacks are passed over. Persons of whom either is unknown are left out.
    least : float
        Smallest expected count of a cell: smaller classes are put together.

    Returns
    -------
    DataFrame
        One row a pair: trait, behaviour, n (persons), v (Cramér's V, corrected for bias, 0 to 1), chi2, p, q (false
        discovery rate over all pairs). The strongest first.

    References
    ----------
    Cramér, H. (1946). Mathematical Methods of Statistics, 282. Bergsma, W. (2013). A bias-correction for Cramér's V and
    Tschuprow's T. Journal of the Korean Statistical Society 42, 323–328. `multiplicity.benjamini_hochberg`.
    """
    t = as_table(who)
    rows = []
    for trait in (c for c in traits if c in t.columns):
        for behaviour in (c for c in behaviours if c in t.columns and c != trait):
            said = t.filter(t[trait].notnull() & (t[trait] != UNKNOWN) & t[behaviour].notnull())
            counted = said.group_by(_a=said[trait], _b=said[behaviour]).aggregate(n=said.count()).to_pandas()
            if len(counted):
                table = counted.pivot_table(index="_a", columns="_b", values="n", fill_value=0, aggfunc="sum")
                rows.append({"trait": trait, "behaviour": behaviour, **associated(table, least=least)})
    if not rows:
        return Missing(
            "customers", _("Do traits go with behaviour?"), _("Nothing is known of the customers but what they bought.")
        )
    frame = pd.DataFrame(rows)
    frame["q"] = multiplicity.benjamini_hochberg(frame.p)
    return frame.sort_values(["v", "n"], ascending=False, ignore_index=True)


def associated(table: pd.DataFrame, *, least: float = 5.0) -> dict[str, float]:
    """How strongly do the rows of a table of counts go with its columns?

    Returns
    -------
    dict
        n, v (Cramér's V, corrected for bias), chi2, p; NaN where there are not two rows and two columns to compare.

    Examples
    --------
    >>> {k: round(x, 3) for k, x in associated(pd.DataFrame([[30, 10], [10, 30]])).items()}
    {'n': 80, 'v': 0.491, 'chi2': 20.0, 'p': 0.0}
    """
    table = _dense(_dense(table, least).T, least).T
    n = int(table.to_numpy().sum())
    r, k = table.shape
    if min(r, k) < 2:
        return {"n": n, "v": np.nan, "chi2": np.nan, "p": np.nan}
    chi2, p, *_rest = stats.chi2_contingency(table.to_numpy(), correction=False)
    phi = max(0.0, chi2 / n - (k - 1) * (r - 1) / (n - 1))
    rows, columns = r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)
    return {"n": n, "v": float(np.sqrt(phi / (min(rows, columns) - 1))), "chi2": float(chi2), "p": float(p)}


def _dense(table: pd.DataFrame, least: float) -> pd.DataFrame:
    """The table, its rows whose smallest expected count falls short put together."""
    n, columns, rows = table.to_numpy().sum(), table.sum(axis=0), table.sum(axis=1)
    if not n or not (columns > 0).any():
        return table
    sparse = rows * columns[columns > 0].min() / n < least
    if sparse.sum() == 0:
        return table
    put = table[sparse].sum(axis=0)
    kept = table[~sparse]
    if put.sum() * columns[columns > 0].min() / n >= least:
        kept = pd.concat([kept, put.to_frame("other").T])
    return kept


@quietly
def plot_associations(found: pd.DataFrame) -> Axes:
    """How strongly each trait goes with each behaviour; a ring where chance explains it."""
    traits, behaviours = list(dict.fromkeys(found.trait)), list(dict.fromkeys(found.behaviour))
    ax = style.axes(height=1.4 + 0.42 * len(traits))
    for row in found.dropna(subset="v").itertuples():
        x, y = behaviours.index(row.behaviour), len(traits) - 1 - traits.index(row.trait)
        sure = row.q <= multiplicity.RATE
        ax.scatter(
            x, y, s=40 + 1500 * row.v, color=style.OWN if sure else "none", edgecolor=style.OWN, alpha=0.85, linewidth=1
        )
        ax.annotate(
            style.value(row.v, "ratio"), (x, y), xytext=(20, 0), textcoords="offset points", va="center", fontsize=9
        )
    ax.set_xticks(range(len(behaviours)), [humanise(b) for b in behaviours])
    ax.set_yticks(range(len(traits)), [humanise(c) for c in traits[::-1]])
    ax.set_xlim(-0.5, len(behaviours) - 0.3)
    ax.set_ylim(-0.6, len(traits) - 0.4)
    ax.grid(visible=False)
    ax.set_title(_("Which traits go with what people do (Cramér's V; empty: may be chance)"))
    return ax


@answers("What about the customers deserves attention?")
def findings(found: pd.DataFrame, profiles: Mapping[str, pd.DataFrame], *, strong: float = 0.1) -> list[Finding]:
    """What about the customers deserves attention?

    Parameters
    ----------
    found : DataFrame
        From `associations`.
    profiles : mapping of trait → DataFrame
        From `profile`; a Missing among them is passed over.
    strong : float
        V from which on a pair is worth a sentence.

    Returns
    -------
    list of Finding
        One for each tested trait: the behaviour that it goes with most. And the class of each profile that buys most
        per person.
    """
    out = []
    for trait, of in found.dropna(subset="p").groupby("trait", sort=False):
        row = of.iloc[0]
        names = {"trait": humanise(trait), "behaviour": humanise(row.behaviour, inside=True)}
        v = style.value(row.v, "ratio")
        text = _("{trait} tells little of {behaviour} (Cramér's V {v}): do not aim by it.")
        if row.v >= strong:
            text = _("{trait} goes with {behaviour} (Cramér's V {v}): aim offers by it.")
        figure = Figure("association.v", row.v, "ratio", by={"trait": str(trait), "behaviour": row.behaviour})
        out.append(Finding("hold", text.format(**names, v=v), None, (figure,), p=row.p))
    for trait, frame in profiles.items():
        if isinstance(frame, Missing):
            continue
        rows = frame[~frame[trait].isin(["all", UNKNOWN, "other"]) & (frame.buyers >= 30)].dropna(subset="index")
        if len(rows) < 2:
            continue
        best = rows.loc[rows["index"].idxmax()]
        text = _("By {trait}, {name} buys most per person: {index} where all are at 100, with {share} of the sales.")
        text = text.format(
            trait=humanise(trait, inside=True),
            name=word(trait, str(best[trait])),
            index=style.value(round(float(best["index"])), "count"),
            share=style.value(best.share_of_sales, "share"),
        )
        figure = Figure("profile.index", best["index"], "ratio", by={trait: str(best[trait])})
        out.append(Finding("hold", text, float(best.sales), (figure,)))
    return out
