"""What a notebook's cells call to show things: tables, tiles, conclusions, and pictures with words to them.

Each call displays HTML that looks right in JupyterLab and on a report's page, and puts the same numbers
beside it, for machines, in the same output: `collect` reads them back from an executed notebook.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import pandas as pd
from IPython import get_ipython
from IPython.display import display

from .. import style
from ..findings import Figure, Finding, rank
from ..language import _
from ..missing import Missing
from .tables import by_columns, figures_of, is_long, known, long_table, metric_title, plain, tidy_table, tone

if TYPE_CHECKING:
    from nbformat import NotebookNode

FIGURES = "application/vnd.playbook.figures+json"
FINDINGS = "application/vnd.playbook.findings+json"

TEMPLATES = Path(__file__).parent / "templates"

# The currency of frames and findings that do not name one: the shop's, given to `setup`.
_shop = {"currency": "CNY"}


def setup(*, currency: str | None = None) -> None:
    """Make this kernel show things as the book does: its look, sharp pictures with alternative text.

    May be called again; works in JupyterLab, under papermill, and does no harm outside IPython.

    Parameters
    ----------
    currency : str, optional
        The shop's currency, for frames without ``attrs["currency"]`` and for findings.
    """
    _shop["currency"] = currency or _shop["currency"]
    shell = get_ipython()
    if shell is not None and getattr(shell, "kernel", None) is not None:
        import matplotlib

        # pyplot imported before IPython leaves the inline hook out: every picture would go missing silently.
        if matplotlib.get_backend().lower() in ("agg", "inline") or "backend_inline" in matplotlib.get_backend():
            shell.enable_matplotlib("inline")
    style.apply()
    if shell is not None:
        from matplotlib.axes import Axes
        from matplotlib.figure import Figure as Picture
        from matplotlib.text import Text

        shell.display_formatter.formatters["image/png"].for_type(Picture, _png)
        # A cell that ends with a plot shows the plot, not “<Axes: title=…>” as well.
        for part in (Axes, Text):
            shell.display_formatter.ipython_display_formatter.for_type(part, lambda axes: None)


def show(
    frame: pd.DataFrame | Missing,
    *,
    name: str,
    title: str | None = None,
    note: str | None = None,
    rows: int = 25,
    units: Mapping[str, str] | None = None,
    currency: str | None = None,
) -> None:
    """Show a result as a table, and hand its figures to the report.

    Parameters
    ----------
    frame : pandas.DataFrame or Missing
        The book's long form ``[*by, metric, unit, value, low, high, n, previous, change, year_ago,
        change_year_ago]`` (all but metric, unit and value may be absent), with ``attrs``: ``by``,
        ``currency``, ``titles`` and ``definitions`` (metric → text), ``good`` (metric → "up" or "down").
        Or any tidy frame, with `units`.
        A Missing shows its card.
    name : str
        First part of the figures' names: ``headline`` gives ``headline.net_sales`` and its ``.previous``.
    title, note : str, optional
        Above and below the table.
    rows : int, default 25
        Rows shown; the figures hold all of them.
    units : mapping of column → unit, optional
        For a tidy frame: the columns that are figures. ``x_low`` and ``x_high`` are the interval of ``x``.
    currency : str, optional
        Where the frame does not name it.
    """
    if isinstance(frame, Missing):
        _show_missing(frame)
        return
    frame, units = _flat(frame), dict(units or {})
    code = frame.attrs.get("currency") or currency or _shop["currency"]
    if is_long(frame):
        table = long_table(frame, currency=code, rows=rows)
    else:
        table = tidy_table(frame, units, currency=code, rows=rows)
    left = table.total - len(table.rows)
    said = _("… and {n} more rows").format(n=style.value(left, "count")) if left else ""
    under = [line for line in (said, table.hint, note, *_beside(frame)) if line]
    html = _html("table.html.j2", table=table, title=title, under=under)
    text = "\n".join(t for t in (title, table.text(), *under) if t)
    _display(html, text, {FIGURES: [f.record() for f in figures_of(frame, name, units)]})


def tiles(frame: pd.DataFrame | Missing, *, name: str, currency: str | None = None) -> None:
    """Show the headline numbers as tiles: the value, and how it moved, in words, arrow and colour.

    Parameters
    ----------
    frame : pandas.DataFrame or Missing
        Long form, one row per tile. Beside what `show` reads: ``attrs["sparklines"]`` (metric → list of
        numbers) and ``attrs["compared"]`` ("previous", "year_ago" → words such as “on September”).
    name : str
        First part of the figures' names.
    """
    if isinstance(frame, Missing):
        _show_missing(frame)
        return
    frame = _flat(frame)
    code = frame.attrs.get("currency") or currency or _shop["currency"]
    made = [_tile(frame, row, code) for row in frame.to_dict("records")]
    text = "\n".join(
        "  ".join([t["title"], t["value"], *(f"{m['text']} {m['than']}" for m in t["moves"])]) for t in made
    )
    bundle = {FIGURES: [f.record() for f in figures_of(frame, name, {})]}
    _display(_html("tiles.html.j2", tiles=made, under=_beside(frame)), text, bundle, kind="tiles")


def conclude(*findings: Finding | Missing | Iterable[Finding | Missing], currency: str | None = None) -> None:
    """Show what follows, ranked: act before watch before hold, the larger stake first.

    Parameters
    ----------
    *findings : Finding, Missing, or lists of them
        A Missing shows its card below the findings.
    currency : str, optional
        Of the stakes; by default the one given to `setup`.
    """
    flat = list(_flatten(findings))
    ranked = rank(f for f in flat if isinstance(f, Finding))
    missing = [m._repr_html_() for m in flat if isinstance(m, Missing)]
    code = currency or _shop["currency"]
    html = _html("findings.html.j2", findings=[card(f, currency=code) for f in ranked], missing=missing)
    text = "\n".join([f"{verdict_word(f.verdict)}: {f.text}" for f in ranked] or [_("Nothing here calls for action.")])
    _display(html, text, {FINDINGS: [f.record() for f in ranked]}, kind="findings")


def collect(nb: NotebookNode, *, notebook: str = "") -> tuple[list[dict[str, Any]], list[Finding]]:
    """Which figures and findings does an executed notebook hold?

    Parameters
    ----------
    nb : NotebookNode
    notebook : str
        Its name, for the records.

    Returns
    -------
    figures : list of dict
        Rows of ``figures.json``, those of the findings included, in the order of the page.
    findings : list of Finding
        Ranked.

    Raises
    ------
    ValueError
        Two figures have one name and one cut, and different numbers.
    """
    figures: dict[tuple[str, str], dict[str, Any]] = {}
    findings: list[Finding] = []
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            data = output.get("data") or {}
            found = [Finding.from_record(r) for r in data.get(FINDINGS, [])]
            findings += found
            for record in [
                *data.get(FIGURES, []),
                *(f.record() for finding in found for f in finding.figures),
            ]:
                record = {**record, "notebook": notebook}
                key = record["name"], json.dumps(record["by"], sort_keys=True)
                if figures.setdefault(key, record) != record:
                    raise ValueError(
                        _("the figure {name} {by} is on the page twice, as {first} and as {second}").format(
                            name=key[0], by=key[1], first=figures[key]["value"], second=record["value"]
                        )
                    )
    return list(figures.values()), rank(findings)


# -- what templates are given


def verdict_word(verdict: str) -> str:
    """What does a reader call the verdict?"""
    return {"act": _("Act"), "watch": _("Watch"), "hold": _("Hold")}[verdict]


def card(finding: Finding, *, currency: str) -> dict[str, Any]:
    """A finding as a page shows it."""
    stake = "" if finding.stake is None else style.short(abs(finding.stake), "currency", currency=currency)
    return {
        "verdict": finding.verdict,
        "word": verdict_word(finding.verdict),
        "text": finding.text,
        "stake": _("At stake: {money} a period").format(money=stake) if stake else "",
        "figures": [_behind(figure, currency) for figure in finding.figures],
    }


def _behind(figure: Figure, currency: str) -> dict[str, str]:
    cut = ", ".join(str(v) for v in figure.by.values())
    unit = figure.unit if figure.unit in style.UNITS else "ratio"
    between = ""
    if known(figure.low) or known(figure.high):
        between = style.interval(figure.low, figure.high, unit, currency=currency)
    name = metric_title(pd.DataFrame(), figure.name.partition(".")[2] or figure.name)
    return {
        "name": f"{name} ({cut})" if cut else name,
        "value": style.value(figure.value, unit, currency=currency),
        "interval": between,
    }


def _tile(frame: pd.DataFrame, row: Mapping[Any, Any], currency: str) -> dict[str, Any]:
    metric, unit = row["metric"], row["unit"]
    good, lines, labels = (frame.attrs.get(key) or {} for key in ("good", "sparklines", "compared"))
    than = {
        "change": labels.get("previous") or _("on the previous period"),
        "change_year_ago": labels.get("year_ago") or _("on a year ago"),
    }
    moves = []
    for key, words in than.items():
        if not known(row.get(key)):
            continue
        text = style.change(row[key], unit, currency=currency)
        flat = text[0] not in "+−"
        news = "" if flat else tone(row[key], good.get(metric))
        moves.append(
            {
                "arrow": "→" if flat else "▲" if text[0] == "+" else "▼",
                "text": text,
                "than": words,
                "tone": news,
                "word": {"good": _("better"), "bad": _("worse"), "": ""}[news],
            }
        )
    between = ""
    if known(row.get("low")) or known(row.get("high")):
        between = style.interval(row.get("low"), row.get("high"), unit, currency=currency)
    return {
        "title": " · ".join([metric_title(frame, metric), *(plain(row[c]) for c in by_columns(frame))]),
        "definition": (frame.attrs.get("definitions") or {}).get(metric, ""),
        "value": style.short(row["value"], unit, currency=currency),
        "interval": between,
        "moves": moves,
        "sparkline": _sparkline(lines.get(metric) or []),
    }


def _sparkline(values: Iterable[Any]) -> dict[str, Any] | None:
    """The points of a small line, 120 × 28, gaps left out; None where there is nothing to draw."""
    numbers = [float(v) if known(v) else None for v in values]
    there = [(i, v) for i, v in enumerate(numbers) if v is not None]
    if len(there) < 2:
        return None
    low, high = min(v for _i, v in there), max(v for _i, v in there)
    width, height = 114 / (len(numbers) - 1), 22 / ((high - low) or 1)
    points = [(round(3 + i * width, 1), round(25 - (v - low) * height, 1)) for i, v in there]
    return {"points": " ".join(f"{x},{y}" for x, y in points), "last": points[-1]}


# -- how it is displayed


@cache
def environment() -> jinja2.Environment:
    """The templates, with everything escaped that is not markup of theirs."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    env.globals["_"] = lambda sentence: _(sentence)
    return env


def _html(template: str, **context: Any) -> str:
    css = (TEMPLATES / "output.css").read_text(encoding="utf-8")
    return f"<style data-playbook>{css}</style>\n{environment().get_template(template).render(**context)}"


def _display(html: str, text: str, bundle: Mapping[str, Any], *, kind: str = "table") -> None:
    if get_ipython() is None:
        print(text)
        return
    display({"text/html": html, "text/plain": text, **bundle}, metadata={"playbook": {"kind": kind}}, raw=True)


def _beside(frame: pd.DataFrame) -> list[str]:
    """What must be said beside a measurement: what is partial in it, and what could not be measured at all."""
    by_need: dict[str, list[str]] = {}
    for metric, missing in (frame.attrs.get("missing") or {}).items():
        by_need.setdefault(missing.needs(), []).append(metric_title(frame, metric))
    gone = [
        _("Not measured: {metrics}. {needs}").format(metrics=", ".join(names), needs=needs)
        for needs, names in by_need.items()
    ]
    return [*(frame.attrs.get("notes") or ()), *gone]


def _show_missing(missing: Missing) -> None:
    if repr(missing):
        _display(_html("missing.html.j2", card=missing._repr_html_()), repr(missing), {}, kind="missing")


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its index as columns, where the index says something."""
    if any(name is not None for name in frame.index.names):
        attrs = frame.attrs
        frame = frame.reset_index()
        frame.attrs = attrs
    return frame


def _flatten(findings: Iterable[Any]) -> Iterable[Finding | Missing]:
    for item in findings:
        if isinstance(item, Finding | Missing):
            yield item
        elif isinstance(item, Iterable) and not isinstance(item, str):
            yield from _flatten(item)
        elif item is not None:
            raise TypeError(_("{item!r} is no finding").format(item=item))


def _png(picture: Any) -> tuple[str, dict[str, Any]] | None:
    """A picture at twice its resolution, at the width it was made for, with its alternative text."""
    from IPython.core.pylabtools import print_figure

    if not picture.axes and not picture.lines:
        return None
    picture.canvas.draw()
    outer, (width, height) = picture.get_tightbbox(), picture.get_size_inches()
    spills = outer.x0 < -0.01 or outer.y0 < -0.01 or outer.x1 > width + 0.01 or outer.y1 > height + 0.01
    if spills:
        width, height = outer.width + 0.2, outer.height + 0.2
    dpi = picture.dpi
    data = print_figure(picture, base64=True, dpi=2 * dpi, bbox_inches="tight" if spills else None)
    return data, {"alt": style.alt_of(picture), "width": round(width * dpi), "height": round(height * dpi)}
