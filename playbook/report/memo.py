"""The decision memo as readers get it: on the front page, as a page of its own, and as text to send on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import style
from ..decisions.memo import Item, Memo
from ..language import _
from .cards import card, decision_card


def memo_context(memo: Memo, titles: Mapping[str, str], *, currency: str) -> dict[str, Any]:
    """The memo as the templates take it: items, attention, blocked, and what was left out.

    Parameters
    ----------
    memo : Memo
    titles : mapping of notebook → title
    currency : str
    """
    left = _("Decisions with less at stake are on the pages: {n}.").format(n=memo.others) if memo.others else ""
    return {
        "items": [_item(item, titles, currency) for item in memo.items],
        "attention": [
            card(finding, currency=currency) | {"href": f"{slug}.html", "title": titles.get(slug, slug)}
            for slug, finding in memo.attention
        ],
        "blocked": list(memo.blocked),
        "left": left,
    }


def memo_text(context: Mapping[str, Any], *, title: str) -> str:
    """The memo as Markdown."""
    lines = [f"# {_plain(title)}", ""]
    if context["blocked"]:
        lines += [f"**{_('Blocked')}** {_plain(context['blocked'][0])}", ""]
        lines += [f"- {_plain(reason)}" for reason in context["blocked"][1:]]
    elif not context["items"]:
        lines += [_("Nothing is to be decided now.")]
    for place, item in enumerate(context["items"], start=1):
        facts = [
            _("{owner}, until {date}").format(owner=_plain(item["owner"]), date=item["due"]),
            item["effect"],
            item["confidence"],
            _link(item),
        ]
        if item["also"]:
            facts.append(f"{_('On the same matter, one will do:')} {'; '.join(map(_link, item['also']))}")
        lines += [f"{place}. **{_plain(item['text'])}**", "  \n".join(f"   {fact}" for fact in facts)]
    if context["attention"]:
        lines += ["", f"## {_('Calls for action, effect not known')}", ""]
        lines += [f"- {_plain(a['text'])} ([{_plain(a['title'])}]({a['href']}))" for a in context["attention"]]
    if context["left"]:
        lines += ["", context["left"]]
    return "\n".join(lines) + "\n"


def _item(item: Item, titles: Mapping[str, str], currency: str) -> dict[str, Any]:
    word = {"high": _("high confidence"), "fair": _("fair confidence"), "low": _("low confidence")}[item.confidence]
    said = _("{word}: the effect has this sign with {chance}")
    stake = item.decision.stake
    return decision_card(item.decision, currency=currency) | {
        **_evidence(item.id, item.notebook, titles),
        "also": [_evidence(*other, titles) for other in item.also],
        "confidence": said.format(word=word, chance=style.chance(item.chance)),
        "level": item.confidence,
        "stake": "" if stake is None else style.short(stake, "currency", currency=currency),
    }


def _evidence(id: str, notebook: str, titles: Mapping[str, str]) -> dict[str, str]:
    """Where a decision stands with its reasons."""
    return {"id": id, "href": f"{notebook}.html", "title": titles.get(notebook, notebook)}


def _link(evidence: Mapping[str, Any]) -> str:
    return f"[{_plain(evidence['title'])}]({evidence['href']}) · {evidence['id']}"


def _plain(text: str) -> str:
    """Text from data that Markdown does not take for its own signs."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|" else c for c in " ".join(text.split()))
