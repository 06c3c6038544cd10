"""Word lists, and what they find in a text: absolute claims, effects that no cosmetic has, prizes, missing clauses.

The lists are data, beside this file: ``claims.csv`` (patterns), ``exceptions.csv`` (what only sounds like one), and
``laws.csv`` (where each rule stands, in force since when, last compared with the text of the law on which day).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from ...data.plan_sheets import Column
from ...language import _, current
from ...missing import Missing
from .prices import PRIZE_LIMIT, amounts

KINDS = ("absolute", "efficacy", "reference_price", "price_mismatch", "two_offers", "prize", "clause", "own")
HERE = Path(__file__).parent
AROUND = 12  # characters of context on each side of what was found

DRAW = re.compile(
    r"抽奖|抽红包|大奖|头奖|[一二三]等奖|特等奖|中奖|奖品|转盘"
    r"|\b(?:lucky draw|prize draw|enter the draw|grand prize|sweepstake|giveaway|win a)\b",
    re.IGNORECASE,
)
TOGETHER = re.compile(r"合计|总共|总额|奖金池|奖池|总价值|\bin total\b|\bpool\b", re.IGNORECASE)
DRAW_SAYS = {
    "when": re.compile(r"\d+月\d+日|[今明]晚|截止|开奖|\b(?:ends|closes|until|drawn on)\b", re.IGNORECASE),
    "how many": re.compile(r"[共抽各][^，。]{0,6}[名位份个]|概率|[\d一二两三四五六七八九十]+[名位份]"
                           r"|\bodds\b|\bwinners\b", re.IGNORECASE),
}  # fmt: skip
WRITTEN_TO = ("email", "sms")
LEAVE = re.compile(r"退订|拒收|回[复T]?\s?(?:TD|T|N)|unsubscribe|opt[- ]?out|reply stop", re.IGNORECASE)
LIMITED = re.compile(r"数量有限|限量(?!\D{0,3}\d)|售完即止|领完即止|while stocks last", re.IGNORECASE)
HAS_NUMBER = re.compile(
    r"\d+\s*[份件套支瓶个盒]|[一二两三四五六七八九十百千]+[份件套支瓶个盒]|\d+ (?:pieces|sets|bottles)"
)


@dataclass(frozen=True)
class Words:
    """The lists in use: the book's, and what the shop added or allows."""

    claims: tuple[tuple[str, re.Pattern[str], str, str], ...]
    exceptions: tuple[tuple[str, re.Pattern[str], str], ...]
    allowed: tuple[tuple[str, str, str], ...] = ()


@cache
def _book() -> Words:
    claims = pd.read_csv(HERE / "claims.csv", dtype=str)
    exceptions = pd.read_csv(HERE / "exceptions.csv", dtype=str)
    return Words(
        tuple((r.kind, re.compile(r.pattern, re.IGNORECASE), r.law, r.why) for r in claims.itertuples()),
        tuple((r.kind, re.compile(r.pattern, re.IGNORECASE), r.why) for r in exceptions.itertuples()),
    )


@cache
def laws() -> pd.DataFrame:
    """Where each rule stands: law, name_zh, name_en, article, in_force, checked_on."""
    return pd.read_csv(HERE / "laws.csv", dtype=str, keep_default_na=False).set_index("law")


def own_columns() -> list[Column]:
    """What a shop's ``plan/compliance_words.csv`` must hold."""
    return [
        Column("action", required=True, one_of=("flag", "allow")),
        Column("words", required=True),
        Column("kind", one_of=KINDS),
        Column("reason", required=True),
        Column("until", is_day=True),
    ]


def words(own: pd.DataFrame | Missing | None = None, *, today: Any = None) -> Words:
    """Which words are looked for, with those of the shop?

    Parameters
    ----------
    own : DataFrame, optional
        The shop's sheet: action ("flag" or "allow"), words (as they stand in the text), kind, reason, until (a day
        after which an "allow" no longer holds).
    today : day, optional
        For `until`.
    """
    book = _book()
    if own is None or isinstance(own, Missing):
        return book
    flagged, allowed = list(book.claims), list[tuple[str, str, str]]()
    for row in own.to_dict("records"):
        if row["action"] == "flag":
            kind = row.get("kind")
            flagged.append(
                (
                    "own" if pd.isna(kind) else kind,
                    re.compile(re.escape(row["words"]), re.IGNORECASE),
                    "",
                    row["reason"],
                )
            )
        elif today is None or pd.isna(until := row.get("until")) or pd.Timestamp(today) <= until:
            allowed.append((row["words"].casefold(), "" if pd.isna(row.get("kind")) else row["kind"], row["reason"]))
    return Words(tuple(flagged), book.exceptions, tuple(allowed))


def cited(law: str) -> str:
    """A law as a reader looks it up."""
    if not law:
        return _("the shop's own list")
    row = laws().loc[law]
    name = row["name_zh"] if current() == "zh" else row["name_en"]
    if not row["article"]:
        return str(name)
    return _("{law}, Art. {article}").format(law=name, article=row["article"])


def flags(text: str, lists: Words | None = None, *, channel: str = "") -> list[dict[str, str]]:
    """What in this text may not be said, or is lacking?

    Parameters
    ----------
    text : str
        Chinese, English, or both.
    lists : Words, optional
        By default the book's.
    channel : str
        E-mails and SMS must say how to leave the list.

    Returns
    -------
    list of dict
        kind (of `KINDS`), found, context (the words around), law (as in ``laws.csv``), why, allowed (the shop's reason
        to allow it; empty: it stands).

    Examples
    --------
    >>> [f["found"] for f in flags("最近在用的精华，是最好的")]
    ['最好']
    """
    lists = lists or _book()
    out, seen = list[dict[str, str]](), list[tuple[str, int, int]]()
    for kind, pattern, law, why in lists.claims:
        for hit in pattern.finditer(text):
            begins, ends = hit.span()
            if any(k == kind and b < ends and begins < e for k, b, e in seen) or _excepted(text, kind, hit, lists):
                continue
            seen.append((kind, begins, ends))
            out.append(_flag(kind, text, begins, ends, law, why, lists))
    return out + [_flag(*found, lists) for found in (*_prizes(text), *_clauses(text, channel))]


def _excepted(text: str, kind: str, hit: re.Match[str], lists: Words) -> bool:
    """Whether what was found is part of something that only sounds like it."""
    spans = (e.span() for k, pattern, _why in lists.exceptions if k == kind for e in pattern.finditer(text))
    return any(b <= hit.start() < e for b, e in spans)


def _flag(kind: str, text: str, begins: int, ends: int, law: str, why: str, lists: Words) -> dict[str, str]:
    before, after = text[max(0, begins - AROUND) : begins], text[ends : ends + AROUND]
    opens, closes = "…" if begins > AROUND else "", "…" if ends + AROUND < len(text) else ""
    context = f"{opens}{before}【{text[begins:ends]}】{after}{closes}"
    reason = next(
        (
            r
            for said, of, r in lists.allowed
            if of in ("", kind)
            and any(
                (m.start() <= begins and ends <= m.end()) or begins <= m.start() < ends
                for m in re.finditer(re.escape(said), text.casefold())
            )
        ),
        "",
    )
    return {"kind": kind, "found": text[begins:ends], "context": context, "law": law, "why": why, "allowed": reason}


def _prizes(text: str) -> Iterator[tuple[str, str, int, int, str, str]]:
    """Prizes above what a draw may give."""
    if not DRAW.search(text):
        return
    for value, begins, ends in amounts(text):
        clause = re.split(r"[，。！？；,;!?]", text[:begins])[-1]
        if value > PRIZE_LIMIT and not TOGETHER.search(clause):
            yield "prize", text, begins, ends, "promotion_17", "a prize above fifty thousand yuan"


def _clauses(text: str, channel: str) -> Iterator[tuple[str, str, int, int, str, str]]:
    """What must be said and is not."""
    if channel in WRITTEN_TO and not LEAVE.search(text):
        yield "clause", text, 0, min(len(text), 6), "consumer_29", "does not say how to leave the list"
    draw = DRAW.search(text)
    if draw and not all(said.search(text) for said in DRAW_SAYS.values()):
        why = "a draw must say when it is drawn and how many prizes there are"
        yield "clause", text, *draw.span(), "promotion_13", why
    limited = LIMITED.search(text)
    if limited and not HAS_NUMBER.search(text):
        yield "clause", text, *limited.span(), "promotion_13", "limited to how many is not said"
