"""What follows from the accounts of ingest: what is to be mended first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import style
from ...findings import Figure, Finding, Verdict
from ...language import _
from ...missing import answers
from .files import sources


@answers("Can these data be trusted?")
def findings(accounting: Mapping[str, Any], *, act_above: float = 0.01) -> list[Finding]:
    """Can these data be trusted, and what is to be mended first?

    Parameters
    ----------
    accounting : mapping
        `Shop.accounting`.
    act_above : float
        Share of the rows read that may be in quarantine before that calls for action.

    Returns
    -------
    list of Finding
        On quarantine, on each broken rule, on files that the book cannot read.
    """
    files = sources(accounting)
    read, bad = int(files["read"].sum()), int(files.quarantined.sum())
    figures = (Figure("rows_read", read, "count"), Figure("rows_quarantined", bad, "count"))
    words = {"rows": style.value(read, "count"), "bad": style.value(bad, "count"), "files": len(files)}
    text = _("All {rows} rows of {files} files are accounted for; none is in quarantine.")
    verdict: Verdict = "hold"
    if bad:
        text = _("Of {rows} rows in {files} files {bad} could not be read; tables/…/quarantine.csv says where and why.")
        verdict = "act" if bad > act_above * read else "watch"
    found = [Finding(verdict, text.format(**words), None, figures)]
    for c in accounting["checks"]:
        if c["broken"]:
            text = _("{broken} of {rows} rows break a rule of their export: {rule}")
            text = text.format(
                broken=style.value(c["broken"], "count"), rows=style.value(c["rows"], "count"), rule=_(c["text"])
            )
            found.append(
                Finding("act", text, None, (Figure("rule_broken", c["broken"], "count", by={"rule": c["text"]}),))
            )
    for name in accounting["passed_over"]:
        text = _("{file} was passed over: the book reads CSV, TSV, XLSX, XLS and Parquet.").format(file=name)
        found.append(Finding("watch", text))
    return found
