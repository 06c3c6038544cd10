"""Bring every sentence of the book into its catalogues, playbook/locale/*/LC_MESSAGES/*.po; translations are kept.

`make catalogue` writes them; a sentence that is new comes in without a translation, one that is gone goes out. Nothing
is guessed from a similar sentence.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from playbook.data import schema
from playbook.data.quality.rulebook import DIMENSIONS
from playbook.language import LOCALES, humanise
from playbook.market.benchmarks import library
from playbook.market.festivals import NAMES
from playbook.methods.seasonality import CALENDAR
from playbook.metrics import METRICS
from playbook.metrics.facts import BREAKDOWNS
from playbook.style import UNITS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "playbook"

HEADER = """\
# {language}: what `make catalogue` found in {of}. Write translations into msgstr, keep the names in braces.
# msgctxt is the column whose codes a word stands for; “header” is the header of a column.
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""

CODES = {
    "platform": "tmall, taobao, jd, douyin, kuaishou, pinduoduo, xiaohongshu, wechat, own_site, amazon, shopify",
    "channel": "search, recommendation, live, short_video, paid_search, direct, wecom, email, sms, push, xiaohongshu, "
    "social, affiliate, display, referral, content, natural_search, in_platform, shop_page, crm, bilibili",
    "device": "app, phone, desktop, tablet, mini_program",
    "customer_type": "new, returning, guest",
    "role": "star, traffic, profit",
    "kind": "assumption, rule, repeated rows, return, refund_only, exchange",
    "outcome": "accepted, blank, superseded, duplicate, quarantined, skipped",
    "driver": "customers, frequency, orders, aov, guests, returns, traffic, mix, conversion",
    "area": "personalisation, product, service, shopping_experience, overall",
    "breakdown": "platform, category, channel, region",
    "source": "direct, wecom, natural_search, search, xiaohongshu, crm, bilibili, display, recommendation, "
    "short_video, live, shop_page, in_platform, " + ", ".join(dict.fromkeys(library()["source"])),
    "step": "read, accepted, superseded, duplicate, skipped, quarantined",
    "dimension": ", ".join(DIMENSIONS),
    "unit": ", ".join(UNITS),
    "side": "online only, store only, both",
    "question": "csat_shopping_experience, csat_product, csat_service, csat_personalisation, nps, brand_aware, "
    "brand_understands, brand_associates, brand_loyal",
    "why": "shared by many, contradiction, contested, too little, chain",
    "evidence": "phone, email, login, device, address",
    "consent": "agreed, refused, not said",
    "class": "direct, quasi, sensitive",
    "trait": "platforms, platforms_used, orders, sales, gross_sales, returns, returned, net_sales, aov, "
    "first_order_at, last_order_at, seen_at, recency_days, tenure_days, main_platform, device, "
    "favourite_category, channel, gender, birth_year, age, country, region, city, city_tier, income, "
    "occupation, education, tier, consent_marketing, consent_at, tickets, ticket_rating, reviews, "
    "rating, messages, messages_opened, points",
    "reason": "damaged bytes, damaged number, number of columns, no rate of exchange for that day, not an amount, "
    "not a whole number, not a number, neither yes nor no, not a time, not a date, empty, not a time of our age",
    "status": "complete, missing, gaps, parameters, proposed, accepted, done, declined, unverified, published",
    "call": "growing, falling, steady, unclear",
    "result": "win, lose, even",
    "festival": ", ".join(NAMES.values()),
    "says": ", ".join(library()["says"]),
    "kept": "hash, as it is, not carried",
    "phase": "before, during, after",
    "name": ", ".join(f.name for f in CALENDAR),
    "method": "seasonal_naive, ets, structural, sarima, mean, naive, recent_mean, bg_nbd, model, baseline",
    "segment": "returning, public, champions, loyal, promising, new, need_attention, at_risk, hibernating, not_yet",
    "stage": "awakened, first_deal, retained, repeat, advocate, lapsed",
    "band": "healthy, watch, critical",
    "age": "<15, unknown, other, all",
    "gender": "female, male, other, unknown, all",
    "city_tier": "tier1, tier2, tier3, rural, unknown, other, all",
    "income": "low, middle, high, unknown, other, all",
    "price_band": "low, middle, high",
    "occupation": "office, student, technology, self_employed, finance, service, civil_service, homemaker, teacher, "
    "design, medicine, other, unknown, all",
    "education": "bachelor, college, master, school, other, unknown, all",
    "region": "unknown, other, all",
    "topic": "where_is_parcel, usage, allergy, price_protection, invoice, pre_sale, change_order, complaint, "
    "return_request",
    "cluster": "all",
    "tier": "gold, silver, member",
}
CODES["before"] = CODES["after"] = f"{CODES['segment']}, {CODES['stage']}"
CODES["behaviour"] = "favourite_category, main_platform, segment, price_band"
CODES["level"] = ", ".join(
    dict.fromkeys(
        code
        for column in (
            "age",
            "gender",
            "city_tier",
            "income",
            "occupation",
            "education",
            "platform",
            "channel",
            "device",
            "topic",
        )
        for code in CODES[column].split(", ")
    )
)
CODES["channel"] += ", unknown"
CODES["trait"] += ", category, topic"
CODES["kind"] += (
    ", absolute, efficacy, reference_price, price_mismatch, two_offers, prize, clause, own, same_time, same_product, "
    "after_campaign, sold_out, not_ready, law, competition, technology, supply, credit"
)
_RISK = {
    "signal": "negative_mentions, complaints, refunds, low_ratings",
    "level": "none, green, yellow, orange, red",
    "state": "on, off, not measured, unreadable, pass, fail, person",
    "verdict": "change, look",
    "stage": "planned, drafted, reviewed, published",
    "band": "high, medium, low",
    "type": "product, opinion, service, price_or_advertising, technology",
    "owner": "service_lead, purchasing, brand, director, operations, legal, media, technology",
    "scenario": "allergy_post, wrong_price, site_down",
    "metric": "negative_share, refund_rate, unsubscribe_rate, price_index, checkout_rate, events_per_hour, "
    "days_of_cover, late_days, compliance_flags, reference_price_flags",
}
for _column, _codes in _RISK.items():
    CODES[_column] = ", ".join(dict.fromkeys(f"{CODES.get(_column, _codes)}, {_codes}".split(", ")))
CODES["why"] += (
    ", 最 makes a superlative, a first place, a highest grade, a leading place, no equal, the only one, "
    "the first or only one, a guarantee, a superlative, a medical effect, a medical word, "
    "an effect that no cosmetic has, an effect by a date without proof, a promised effect, "
    "a recommendation by doctors, a prize above fifty thousand yuan, does not say how to leave the list, "
    "a draw must say when it is drawn and how many prizes there are, limited to how many is not said"
)
CODES["channel"] += ", internal, chat, shop, authority, ads, douyin"
CODES["rule"] = CODES["reason"]  # cleaning counts the same refusals as steps
CODES["least_by"] = CODES["most_by"] = "first, last, last_non_direct, linear, position, time_decay, markov, shapley"
CODES["part"] = ", ".join(dict.fromkeys(f"{CODES['platform']}, {CODES['channel']}".split(", ")))
STEPS = "page_view, view_item, add_to_cart, begin_checkout, add_payment_info, purchase, visitors, carts, buyers"
WINDOWS = "active, short, mid, long, new, away"
CODES["step"] += f", {STEPS}"
CODES["part"] += f", {CODES['device']}, {STEPS}, charged, free"
CODES["reason"] += ", experience, price, shift, drift"
CODES["rule"] += ", experience, high value, price, long, none"
_FURTHER_CODES = {
    "from_step": STEPS,
    "to_step": STEPS,
    "shipping": "charged, free",
    "stage": "conversion, consideration, interest, awareness, item, store, platform, coupon, points",
    "cut": "all, furthest step, device, source, medium, region, shipping",
    "window": WINDOWS,
    "from_window": WINDOWS,
    "to_window": WINDOWS,
    "value": "high, middle, low",
    "audience": "viewed, carted, silent, lapsed",
    "scenario": "now, more stay",
    "after": "first order, any order",
    "basis": "observed, usage",
    "place": "inside, below, above, none, unknown",
    "party": "merchant, platform, creator",
    "level": "p10, p50, p90, year_ago, market, suggested",
}
for _column, _codes in _FURTHER_CODES.items():
    CODES[_column] = ", ".join(dict.fromkeys(f"{CODES.get(_column, _codes)}, {_codes}".split(", ")))
"""Codes that data carry, by column, and that have a word on the page."""

FURTHER = (
    "step_rate", "minutes", "since", "elsewhere", "rank", "cut", "mean_value", "repeats", "typical_days", "basis",
    "to_window", "held_back", "orders_sent", "orders_held", "cap", "from_days", "to_days", "half_life", "then",
)  # fmt: skip
"""Columns that are not found in the functions that make them."""

Found = tuple[str, str, str]  # file, context, text


def found() -> dict[str, list[Found]]:
    """Catalogue → what belongs into it, in the order of the files."""
    return {
        "playbook": [*_code(), *_metrics(), *_tables(), *_formats(), *_labels(), *_terms()],
        "notebooks": list(_notebooks()),
    }


def renewed(path: Path, language: str, texts: Iterable[Found]) -> Catalog:
    """The catalogue with exactly these texts, and the translations that it has of them."""
    old = read(path) if path.exists() else Catalog(locale=language)
    new = Catalog(locale=language, fuzzy=False)
    for file, context, text in texts:
        kept = old.get(text, context or None)
        new.add(text, kept.string if kept else "", locations=[(file, 0)], context=context or None)
    return new


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def save(path: Path, language: str, catalogue: Catalog) -> None:
    of = "notebooks/" if path.stem == "notebooks" else "playbook/"
    with path.open("wb") as file:
        file.write(HEADER.format(language=language, of=of).encode())
        write_po(file, catalogue, width=120, omit_header=True, include_lineno=False)


def main() -> None:
    for folder in sorted(LOCALES.glob("*/LC_MESSAGES")):
        for name, texts in found().items():
            path, language = folder / f"{name}.po", folder.parent.name
            catalogue = renewed(path, language, texts)
            save(path, language, catalogue)
            lacking = sum(1 for m in catalogue if m.id and not m.string)
            print(f"{path.relative_to(ROOT)}: {len(catalogue)} texts, {lacking} without a translation")


# -- where texts are


def _code() -> Iterator[Found]:
    """What passes through `_`, `N_` and `answers`, in modules and templates."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("_", "N_", "answers")
            ):
                of = next(_texts(node.args[1:2]), "") if node.func.id == "N_" else ""
                yield from ((_name(path), of, text) for text in _texts(node.args[:1]))
    blanks = {"trim_blocks": "true", "lstrip_blocks": "true"}
    for path in sorted(PACKAGE.rglob("*.j2")):
        for _line, text, *_rest in extract_from_file("jinja2.ext:babel_extract", path, {"_": None}, options=blanks):
            yield _name(path), "", str(text)


def _metrics() -> Iterator[Found]:
    for m in METRICS.values():
        for text in (m.title, m.definition, m.formula, *m.partial.values()):
            if text:
                yield "playbook/metrics", "", text
        yield "playbook/metrics", "formula", m.formula


def _tables() -> Iterator[Found]:
    for t in schema.TABLES.values():
        yield "playbook/data/schema.py", "", t.meaning
        yield "playbook/data/schema.py", "header", humanise(t.name)


def _formats() -> Iterator[Found]:
    for path in sorted((PACKAGE / "data" / "formats").glob("*.toml")):
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        yield _name(path), "export", said["title"]
        texts = [*said.get("assume", ()), *(c["text"] for c in said.get("check", ())), said.get("duplicates", "")]
        yield from ((_name(path), "", text) for text in texts if text)
        yield from ((_name(path), "class", name) for name in said.get("classes", ()))
        yield from ((_name(path), "", reason) for reason in said.get("reject", ()))


def _terms() -> Iterator[Found]:
    for column, codes in CODES.items():
        yield from (("codes", column, code) for code in codes.split(", "))


def _labels() -> Iterator[Found]:
    """What is made from names: headers of breakdowns and of the columns of results, names of figures."""
    names = dict.fromkeys(BREAKDOWNS, "playbook/metrics")
    names |= dict.fromkeys((*DIMENSIONS, "overall"), "playbook/data/quality/scores.py")
    names |= dict.fromkeys(("segment", "stage", "band", "favourite"), "playbook/customers")
    names |= dict.fromkeys(("groups", "fit", "chosen", "price_band", "favourite_category"), "playbook/customers")
    names |= dict.fromkeys(FURTHER, "playbook")
    for path in sorted(PACKAGE.rglob("*.py")):
        names = dict.fromkeys(_named(ast.parse(path.read_text(encoding="utf-8"))), _name(path)) | names
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for node in _nodes(path):
            names |= dict.fromkeys(_chosen(node), _name(path))
        for call in _calls(path):
            for k in call.keywords:
                if k.arg == "units" and isinstance(k.value, ast.Dict):
                    names |= {n: _name(path) for n in _texts(k.value.keys)}
    yield from ((file, "header", humanise(name)) for name, file in sorted(names.items()))
    yield from (("playbook/metrics", "", humanise(name)) for name in METRICS)


def _named(module: ast.Module) -> Iterator[str]:
    """Names of figures, and of columns of the frames that answers are, or that have a unit."""
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and "_UNITS" in ast.dump(node.targets[0]):
            yield from _texts(node.value.keys)
    constants = {
        target.id: list(_texts(node.value.elts))
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple | ast.List)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Figure":
            yield from (name for name in _texts(node.args[:1]) if name not in METRICS)
        if isinstance(node, ast.FunctionDef) and any("answers" in ast.dump(d) for d in node.decorator_list):
            yield from _columns(node, constants)


def _columns(function: ast.FunctionDef, constants: dict[str, list[str]]) -> Iterator[str]:
    """Names that a function gives to columns: keys of rows, lists of columns, keywords of ibis and pandas."""
    about = {
        id(inner)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign | ast.AugAssign)
        and ".attrs" in ast.unparse(node.target if isinstance(node, ast.AugAssign) else node.targets[0])
        for inner in ast.walk(node.value)
    }
    makes_frame = "DataFrame(" in ast.unparse(function)
    for node in ast.walk(function):
        yield from _chosen(node)
        if isinstance(node, ast.Dict) and makes_frame and id(node) not in about:
            yield from _texts(node.keys)
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("aggregate", "assign", "mutate"):
            yield from (k.arg for k in node.keywords if k.arg)
        for k in node.keywords:
            if k.arg == "columns" and isinstance(k.value, ast.List):
                yield from _texts(k.value.elts)
                starred = (e.value for e in k.value.elts if isinstance(e, ast.Starred))
                yield from (c for s in starred if isinstance(s, ast.Name) for c in constants.get(s.id, ()))


def _chosen(node: ast.AST) -> Iterator[str]:
    """The columns of frame[["one", "two"]]."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.List):
        yield from _texts(node.slice.elts)


def _notebooks() -> Iterator[Found]:
    """Markdown cells whole; of code cells the titles and notes that they give a table."""
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                yield _name(path), "", cell.source.strip()
        for call in _calls(path):
            yield from (
                (_name(path), "", t) for t in _texts(k.value for k in call.keywords if k.arg in ("title", "note"))
            )


def _calls(notebook: Path) -> Iterator[ast.Call]:
    return (n for n in _nodes(notebook) if isinstance(n, ast.Call))


def _nodes(notebook: Path) -> Iterator[ast.AST]:
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code" and not cell.source.lstrip().startswith(("%", "!")):
            yield from ast.walk(ast.parse(cell.source))


def _texts(nodes: Iterable[ast.AST | None]) -> Iterator[str]:
    return (n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


if __name__ == "__main__":
    main()
