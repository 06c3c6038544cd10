"""Positioning: what customers compare us by, where we win and lose, and what sets us apart."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.linalg import orthogonal_procrustes

from .. import style
from ..findings import Figure, Finding, Verdict
from ..language import _, listing
from ..methods.scoring import scores
from ..missing import Missing, answers, quietly
from . import scored

CLEAR = 1.0
"""Points out of ten from which on a difference of scores counts."""


@answers("Who is better at what?")
def matrix(assessments: ibis.Table, *, topic: str = "competitors", seed: int = 7, draws: int = 10_000) -> pd.DataFrame:
    """Who is better at what, and who is best in all?

    Parameters
    ----------
    assessments : Table
        Canonical `assessments`: subject (we and the competitors), criterion, score (0 to 10), weight, evidence.
    topic : str
        Which table of scores.
    seed, draws : int
        Of the weights that are drawn around those given.

    Returns
    -------
    DataFrame
        One row a subject, the best first: subject, rank, score (0 to 1), the criteria (0 to 10), first (share of drawn
        weights under which it comes first). ``attrs``: `criteria` (criterion → weight), `evidence`.
    """
    table = scored.matrix(assessments, topic)
    if isinstance(table, Missing):
        return table
    weights = {c: w for c, w in table.attrs["weights"].items() if w > 0}
    found = scores(table, weights, rng=scored.generator(seed), draws=draws)
    frame = found[["rank", "score"]].join(table[list(weights)]).join(found[["first"]])
    frame["rank"] = frame["rank"].astype("Int64")
    frame = frame.rename_axis("subject").reset_index()
    total = sum(weights.values())
    evidence = table.attrs["evidence"]
    frame.attrs = {"criteria": {c: w / total for c, w in weights.items()}, "evidence": evidence}
    return frame


@answers("Where do we win, and where do we lose?")
def win_lose(table: pd.DataFrame, brands: list[str], *, clear: float = CLEAR) -> pd.DataFrame:
    """Where do we win against the best competitor, and where do we lose?

    Parameters
    ----------
    table : DataFrame
        Of `matrix`.
    brands : list of str
        Which subjects are we.
    clear : float
        Points from which on a difference counts.

    Returns
    -------
    DataFrame
        One row a criterion, by what it moves: criterion, weight, ours, best (of the competitors), who (that is), lead
        (ours − best), moves (weight × lead), result (win, lose, even), evidence.
    """
    criteria = table.attrs["criteria"]
    scored_by = table.set_index("subject")[list(criteria)]
    own = [b for b in brands if b in scored_by.index]
    if not own or len(own) == len(scored_by):
        return Missing(_("scores of ours beside those of a competitor"), remedy=_("Score our own brand as well."))
    ours, theirs = scored_by.loc[own].max(), scored_by.drop(index=own)
    out = pd.DataFrame({"criterion": list(criteria), "weight": list(criteria.values())})
    out["ours"], out["best"] = ours.to_numpy(), theirs.max().to_numpy()
    out["who"] = [listing(theirs.index[theirs[c] == theirs[c].max()]) for c in criteria]
    out["lead"] = out["ours"] - out["best"]
    out["moves"] = out["weight"] * out["lead"]
    out["result"] = np.select([out["lead"] >= clear, out["lead"] <= -clear], ["win", "lose"], "even")
    out["evidence"] = out["criterion"].map(table.attrs["evidence"])
    return out.sort_values("moves", ascending=False, ignore_index=True)


@answers("Where do customers place us beside the others?")
def positions(assessments: ibis.Table, *, topic: str = "competitors", seed: int = 7, draws: int = 1000) -> pd.DataFrame:
    """Where do we and the competitors stand on a map, and would other rounds of scores have placed us elsewhere?

    The map is the plane of the first two principal components of the mean scores. Rounds of scores are drawn again with
    replacement, the map is made anew and turned onto the first one; the spread of each place is its radius.

    Parameters
    ----------
    assessments : Table
        Canonical `assessments`, several rounds of one topic.
    topic : str
        Which table of scores.
    seed, draws : int
        Of the rounds that are drawn.

    Returns
    -------
    DataFrame
        subject, x, y (points out of ten), radius (90 % of the drawn maps place it within), nearest (subject), stable
        (share of drawn maps with the same nearest). radius and stable are NaN with fewer than three rounds.
        ``attrs``: `axes` (criterion → x, y direction), `explained` (share of the variance in the plane), `rounds`.

    References
    ----------
    Gabriel, K. R. (1971). The biplot graphic display of matrices. Biometrika 58, 453–467. Gower, J. C., Dijksterhuis,
    G. B. (2004). Procrustes Problems. Markus, M. T. (1994). Bootstrap Confidence Regions in Nonlinear Multivariate
    Analysis.
    """
    rows = scored.rounds(assessments, topic)
    cube = rows.pivot_table(index=["day", "subject"], columns="criterion", values="score", aggfunc="last").dropna()
    whole = cube.groupby("day").size()
    cube = cube[cube.index.get_level_values("day").isin(whole[whole == whole.max()].index)] if len(whole) else cube
    if not len(cube) or whole.max() < 3 or cube.shape[1] < 2:
        what = _("scores of three subjects by two criteria")
        return Missing(what, remedy=_("Score us and two competitors in the table of assessments."))
    subjects = list(cube.index.get_level_values("subject").unique())
    each = np.stack([of.droplevel("day").reindex(subjects).to_numpy(float) for _day, of in cube.groupby("day")])
    place, axes, explained = _map(each.mean(axis=0))
    out = pd.DataFrame({"subject": subjects, "x": place[:, 0], "y": place[:, 1]})
    near = _nearest(place)
    out["nearest"] = [subjects[i] for i in near]
    out["radius"] = out["stable"] = np.nan
    if len(each) >= 3:
        rng = scored.generator(seed)
        away, same = np.empty((draws, len(subjects))), np.empty((draws, len(subjects)))
        for d in range(draws):
            drawn, _axes, _part = _map(each[rng.integers(0, len(each), len(each))].mean(axis=0))
            drawn = drawn @ orthogonal_procrustes(drawn, place)[0]
            away[d], same[d] = np.linalg.norm(drawn - place, axis=1), _nearest(drawn) == near
        out["radius"], out["stable"] = np.quantile(away, 0.9, axis=0), same.mean(axis=0)
    out.attrs = {
        "axes": dict(zip(cube.columns, axes.tolist(), strict=True)),
        "explained": explained,
        "rounds": len(each),
    }
    return out[["subject", "x", "y", "radius", "nearest", "stable"]]


def _map(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Places of rows, directions of columns, and the share of the variance in the plane."""
    u, s, v = np.linalg.svd(table - table.mean(axis=0), full_matrices=False)
    sign = np.sign(v[:2][range(2), np.abs(v[:2]).argmax(axis=1)])
    total = float((s**2).sum())
    return u[:, :2] * s[:2] * sign, v[:2].T * sign, float((s[:2] ** 2).sum()) / total if total else 1.0


def _nearest(place: np.ndarray) -> np.ndarray:
    away = np.linalg.norm(place[:, None] - place[None], axis=2)
    np.fill_diagonal(away, np.inf)
    return away.argmin(axis=1)


@answers("What sets us apart?")
def differentiation(assessments: ibis.Table, *, topic: str = "value_proposition", seed: int = 7) -> pd.DataFrame:
    """Which candidate for the value proposition should be ours, and does that depend on the weights?

    Parameters
    ----------
    assessments : Table
        Canonical `assessments`: subject (a candidate), criterion (importance, relative advantage …), score, weight.
    topic : str
        Which table of scores.
    seed : int
        Of the weights that are drawn.

    Returns
    -------
    DataFrame
        As `matrix`, one row a candidate.
    """
    return matrix(assessments, topic=topic, seed=seed)


@answers("What follows from the comparison?")
def findings(compared: pd.DataFrame | None, candidates: pd.DataFrame | None, *, firm: float = 0.8) -> list[Finding]:
    """Where do we lose, where do we win, and what should we stand for?

    Parameters
    ----------
    compared, candidates : DataFrame
        Of `win_lose` and `differentiation`.
    firm : float
        Share of drawn weights from which on a first place counts as firm.
    """
    found: list[Finding] = []
    if compared is not None:
        said: tuple[tuple[str, Verdict, str], ...] = (
            ("lose", "watch", _("We lose on {criteria}: the best competitor is clearly ahead.")),
            ("win", "hold", _("We win on {criteria}: ahead of every competitor.")),
        )
        for result, verdict, text in said:
            mine = compared[compared["result"] == result]
            if len(mine):
                figures = tuple(
                    Figure("lead", r["lead"], "points", by={"criterion": r["criterion"]})
                    for r in mine.to_dict("records")
                )
                found.append(Finding(verdict, text.format(criteria=listing(mine["criterion"])), None, figures))
    if candidates is not None and len(candidates) > 1:
        best, second = candidates.iloc[0], candidates.iloc[1]
        standing: Verdict = "hold" if best["first"] >= firm else "watch"
        text = _(
            "Of the candidates for our value proposition “{best}” comes first in {first} of all weightings; "
            "next is “{second}”."
        )
        text = text.format(
            best=best["subject"], second=second["subject"], first=style.value(best["first"], "share", digits=0)
        )
        figure = Figure("first", best["first"], "share", by={"subject": best["subject"]})
        found.append(Finding(standing, text, None, (figure,)))
    return found


@quietly
def plot_matrix(table: pd.DataFrame) -> Axes:
    """The scores as a heat map: darker is better."""
    criteria = list(table.attrs["criteria"])
    values = table[criteria].to_numpy(float)
    ax = style.axes(height=1.3 + 0.55 * len(table))
    ax.imshow(values, cmap="Blues", vmin=0, vmax=10, aspect="auto")
    for (y, x), value in np.ndenumerate(values):
        text = style.UNKNOWN if np.isnan(value) else style.value(value, "points")
        ax.text(x, y, text, ha="center", va="center", color="white" if value > 6.5 else style.INK, fontsize=10.5)
    ax.set_xticks(range(len(criteria)), criteria)
    ax.set_yticks(range(len(table)), table["subject"])
    ax.grid(visible=False)
    ax.set_title(_("Scores by criterion, out of ten"))
    return ax


@quietly
def plot_win_lose(compared: pd.DataFrame) -> Axes:
    """Our lead over the best competitor by criterion."""
    rows = compared[::-1].reset_index(drop=True)
    ax = style.axes(height=1.2 + 0.42 * len(rows))
    colours = rows["result"].map({"win": style.GOOD, "lose": style.BAD, "even": style.COMPARISON})
    ax.barh(rows.index, rows["lead"], color=colours, height=0.6)
    for y, row in rows.iterrows():
        right = row["lead"] >= 0
        ax.annotate(row["who"], (row["lead"], y), xytext=(6 if right else -6, 0), textcoords="offset points",
                    ha="left" if right else "right", va="center", fontsize=9)  # fmt: skip
    ax.set_yticks(rows.index, rows["criterion"])
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.3)
    ax.set_xlabel(_("points ahead of the best competitor, who stands beside the bar"))
    ax.set_title(_("Where we win, and where we lose"))
    return ax


@quietly
def plot_positions(placed: pd.DataFrame, *, brands: list[str]) -> Axes:
    """The map: who stands near whom, how firmly (the circle), and which criterion pulls where."""
    brands = [] if isinstance(brands, Missing) else brands
    ax = style.axes(height=5.4)
    reach = float(np.abs(placed[["x", "y"]].to_numpy()).max()) or 1.0
    for name, (x, y) in placed.attrs["axes"].items():
        ax.plot([0, x * reach], [0, y * reach], color=style.COMPARISON, linewidth=1.0)
        ax.annotate(name, (x * reach, y * reach), color=style.SOFT_INK, fontsize=9, ha="center", va="bottom")
    for row in placed.to_dict("records"):
        colour = style.OWN if row["subject"] in brands else style.CATEGORIES[1]
        if not np.isnan(row["radius"]):
            import matplotlib.pyplot as plt

            ax.add_patch(plt.Circle((row["x"], row["y"]), row["radius"], color=colour, alpha=0.15, linewidth=0))
        ax.scatter(row["x"], row["y"], color=colour, s=50, zorder=3)
        style.direct_label(ax, row["x"], row["y"], row["subject"], colour)
    ax.set_aspect("equal", adjustable="datalim")
    ax.grid(visible=False)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.margins(0.2)
    text = _("Who stands near whom: {part} of the differences lie in this plane")
    ax.set_title(text.format(part=style.value(placed.attrs["explained"], "share", digits=0)))
    return ax
