"""What a notebook's cells call to show things: tables, tiles, conclusions, and pictures with words to them.

Each call displays HTML that looks right in JupyterLab and on a report's page, and puts the same numbers
beside it, for machines, in the same output: `collect` reads them back from an executed notebook.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import pandas as pd
from IPython import get_ipython
from IPython.display import display
from markupsafe import Markup, escape

from .. import outlook, style
from ..findings import Finding, rank
from ..language import _, listing
from ..missing import Missing
from ..outlook import Decision, Forecast
from . import proposals
from .cards import card, decision_card, forecast_row, shown_as, tile, verdict_word
from .tables import figures_of, is_long, long_table, metric_title, tidy_table

if TYPE_CHECKING:
    from ..data.quality import Gate
    from ..shop import Shop

FIGURES = "application/vnd.playbook.figures+json"
CONCLUSIONS = "application/vnd.playbook.conclusions+json"
GATE = "application/vnd.playbook.gate+json"
PLAN = "application/vnd.playbook.plan+json"

TEMPLATES = Path(__file__).parent / "templates"

Conclusion = Finding | Forecast | Decision | Missing

# What `setup` was told: the currency of frames and findings that do not name one, and whose data decisions rest on.
_shop: dict[str, Any] = {"currency": "CNY", "shop": None}


def setup(shop: Shop | None = None, *, currency: str | None = None) -> None:
    """Make this kernel show things as the book does: its look, sharp pictures with alternative text.

    May be called again; works in JupyterLab, under papermill, and does no harm outside IPython.

    Parameters
    ----------
    shop : Shop, optional
        Whose currency is that of frames and findings that name none, and whose data must pass their check before
        `conclude` lets anything be decided on them.
    currency : str, optional
        The currency, where there is no shop or nothing is to be decided on its data.
    """
    _shop["currency"] = currency or (shop.currency if shop is not None else _shop["currency"])
    _shop["shop"] = shop
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
    record: bool = True,
    plan: bool = False,
    calendar: str | Missing = "",
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
        Above and below the table, in English; the catalogue has them in other languages.
    rows : int, default 25
        Rows shown; the figures hold all of them.
    units : mapping of column → unit, optional
        For a tidy frame: the columns that are figures. ``x_low`` and ``x_high`` are the interval of ``x``.
    currency : str, optional
        Where the frame does not name it.
    record : bool
        Whether its numbers are figures of the report. What depends on earlier reports is none: the figures of two runs
        on the same data are the same.
    plan : bool
        Whether the table is also handed over as a plan (see `propose`).
    calendar : str or Missing
        Of such a plan: the same as an iCalendar file, which is handed over with it.
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
    said_instead = frame.empty and bool(frame.attrs.get("notes"))  # a sentence says it better than a table without rows
    left = table.total - len(table.rows)
    more = _("… and {n} more rows").format(n=style.value(left, "count")) if left else ""
    title, note = (_(words) if words else None for words in (title, note))
    under = [line for line in (more, table.hint, note, *_beside(frame)) if line]
    html = _html("table.html.j2", table=None if said_instead else table, title=title, under=under)
    text = "\n".join(t for t in (title, "" if said_instead else table.text(), *under) if t)
    figures = figures_of(frame, name, units) if record else ()
    handed = {PLAN: proposals.record(frame, name, "" if isinstance(calendar, Missing) else calendar)} if plan else {}
    _display(html, text, {FIGURES: [f.record() for f in figures], **handed})


def propose(frame: pd.DataFrame | Missing, *, name: str, **shown: Any) -> None:
    """Show a plan that the shop may make its own; the runner writes it to ``plan/proposed/<name>.csv`` (and ``.ics``).

    Interactive use, drafts and data that fail their check write nothing; what people have in ``plan/`` is left alone.

    Parameters
    ----------
    frame : pandas.DataFrame or Missing
        Any tidy frame; its file has all columns and rows, money as it stands, to the last digit.
    name : str
        Of the file, in lower case letters, digits and underscores; one of its own in the whole book.
    **shown
        As `show` takes them; `record` is False unless it is said.
    """
    gate: Gate | None = None if _shop["shop"] is None else _shop["shop"].gate
    show(frame, name=name, **{"record": False, **shown}, plan=gate is None or not gate.blocks)


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
    made = [tile(frame, row, code) for row in frame.to_dict("records")]
    text = "\n".join(
        "  ".join([t["title"], t["value"], *(f"{m['text']} {m['than']}" for m in t["moves"])]) for t in made
    )
    bundle = {FIGURES: [f.record() for f in figures_of(frame, name, {})]}
    _display(_html("tiles.html.j2", tiles=made, under=_beside(frame)), text, bundle, kind="tiles")


def conclude(*said: Conclusion | Iterable[Conclusion], currency: str | None = None) -> None:
    """Show what follows, ranked: act before watch before hold, the larger stake first; what is to be done; what comes.

    Where the data of the shop given to `setup` fail their check, nothing is decided: the findings are listed as
    observations, below the reasons, and forecasts and decisions are held back.

    Parameters
    ----------
    *said : Finding, Forecast, Decision, Missing, or lists of them
        A Missing shows its card below the findings.
    currency : str, optional
        Of the stakes; by default the one given to `setup`.

    Raises
    ------
    ValueError
        Two forecasts, or two decisions, are of the same thing.
    """
    flat = list(_flatten(said))
    findings = rank(s for s in flat if isinstance(s, Finding))
    forecasts = [s for s in flat if isinstance(s, Forecast)]
    decisions = sorted((s for s in flat if isinstance(s, Decision)), key=lambda d: -(d.stake or 0.0))
    outlook.check_unique(forecasts, decisions)
    gate: Gate | None = None if _shop["shop"] is None else _shop["shop"].gate
    bundle: dict[str, Any] = {}
    blocked: list[str] = []
    if gate is not None and gate.blocks:
        findings, forecasts, decisions = [replace(f, blocked=True) for f in findings], [], []
        blocked, bundle = [blocked_title(), *gate.reasons], {GATE: gate.record()}
    bundle[CONCLUSIONS] = {
        "findings": [f.record() for f in findings],
        "decisions": [d.record() for d in decisions],
        "forecasts": [f.record() for f in forecasts],
        "missing": [m._repr_html_() for m in flat if isinstance(m, Missing)],
        "blocked": blocked,
        "currency": currency or _shop["currency"],
    }
    lines = [f"{verdict_word(shown_as(f))}: {f.text}" for f in findings] or [_("Nothing here calls for action.")]
    lines += [f"{d.text} ({d.owner}, {d.due})" for d in decisions]
    _display(conclusions(bundle[CONCLUSIONS]), "\n".join([*blocked, *lines]), bundle, kind="findings")


def conclusions(said: Mapping[str, Any], findings: Iterable[Finding] | None = None) -> str:
    """What `conclude` displayed, as HTML; with `findings` in place of those that it was given, where they are known."""
    held = {f.text: f for f in findings or ()}
    given = [Finding.from_record(r) for r in said["findings"]]
    code = said["currency"]
    return _html(
        "findings.html.j2",
        findings=[card(f, currency=code) for f in rank(held.get(f.text, f) for f in given)],
        decisions=[decision_card(Decision.from_record(r), currency=code) for r in said["decisions"]],
        forecasts=[forecast_row(Forecast.from_record(r), currency=code) for r in said["forecasts"]],
        missing=said["missing"],
        banner=said["blocked"],
    )


def verdict(gate: Gate | Missing) -> None:
    """Show whether decisions may rest on the data: pass, review or fail, with the reasons.

    Parameters
    ----------
    gate : Gate or Missing
        From `playbook.data.quality.gate`.
    """
    if isinstance(gate, Missing):
        _show_missing(gate)
        return
    word, sentence = {
        "PASS": (_("Pass"), _("The data are good enough to decide on.")),
        "REVIEW": (_("Review"), _("The data are good enough to decide on, with these reservations.")),
        "FAIL": (_("Fail"), blocked_title()),
    }[gate.verdict]
    html = _html("gate.html.j2", gate=gate, word=word, sentence=sentence)
    _display(html, "\n".join([f"{word}: {sentence}", *gate.reasons]), {GATE: gate.record()}, kind="gate")


def blocked_title() -> str:
    """What a reader is told where the data fail their check."""
    return _("Blocked: the data fail their check, so nothing in this report may be decided on them.")


# -- how it is displayed


@cache
def environment() -> jinja2.Environment:
    """The templates, with everything escaped that is not markup of theirs."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    env.globals["_"] = lambda sentence: _(sentence)
    env.filters["coded"] = _coded
    return env


def _coded(sentence: str) -> Markup:
    """A sentence of ours as HTML: what stands in `backquotes` is code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(sentence))))


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
        _("Not measured: {metrics}. {needs}").format(metrics=listing(names), needs=needs)
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


def _flatten(said: Iterable[Any]) -> Iterable[Conclusion]:
    for item in said:
        if isinstance(item, Conclusion):
            yield item
        elif isinstance(item, Iterable) and not isinstance(item, str):
            yield from _flatten(item)
        elif item is not None:
            raise TypeError(_("{item!r} is no finding, forecast or decision").format(item=item))


def _png(picture: Any) -> tuple[str, dict[str, Any]] | None:
    """A picture at twice its resolution, at the width it was made for, with its alternative text."""
    from IPython.core.pylabtools import print_figure
    from matplotlib.text import Text

    if not picture.axes and not picture.lines:
        return None
    picture.canvas.draw()
    outer, (width, height) = picture.get_tightbbox(), picture.get_size_inches()
    spills = outer.x0 < -0.01 or outer.y0 < -0.01 or outer.x1 > width + 0.01 or outer.y1 > height + 0.01
    if spills:
        width, height = outer.width + 0.2, outer.height + 0.2
    dpi = picture.dpi
    boxes = not style.cjk_font() and any(style.is_cjk(t.get_text()) for t in picture.findobj(Text))
    data = print_figure(picture, base64=True, dpi=2 * dpi, bbox_inches="tight" if spills else None)
    said = {"alt": style.alt_of(picture), "width": round(width * dpi), "height": round(height * dpi)}
    return data, said | ({"boxes": True} if boxes else {})
