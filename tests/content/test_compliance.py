"""The compliance scan: sentences that were written for it, prices by hand, and nothing that is allowed in silence."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from playbook import period
from playbook.content import compliance
from playbook.content.compliance import claims

HERE = Path(__file__).parent
PRICES = pd.DataFrame(
    {
        "product_id": "p1",
        "platform": "tmall",
        "changed_at": pd.to_datetime(["2026-01-01", "2026-08-01", "2026-09-20"]),
        "price": [149.0, 169.0, 159.0],
        "list_price": 199.0,
    }
)


def verdict_of(text):
    """The kinds that are found in a sentence, but for clauses that a sentence alone cannot have."""
    kinds = {f["kind"] for f in compliance.flags(text)} - {"clause"}
    piece = pd.DataFrame(
        {"content_id": ["c"], "product_id": ["p1"], "publish_at": [pd.Timestamp("2026-10-15")], "text": [text]}
    )
    return kinds | set(compliance.price_flags(piece, PRICES)["kind"])


def graded(file):
    rows = pd.read_csv(HERE / file, sep="\t", dtype=str, keep_default_na=False)
    rows["found"] = [verdict_of(t) for t in rows["text"]]
    rows["right"] = [k in f if k else not f for k, f in zip(rows["kind"], rows["found"], strict=True)]
    flagged, wrong = rows["found"].map(bool), rows["kind"] != ""
    return rows, (flagged & wrong).sum() / flagged.sum(), rows.loc[wrong, "right"].mean()


def test_on_the_sentences_that_lists_were_made_with():
    rows, precision, recall = graded("sentences.tsv")
    assert len(rows) == 103
    assert (rows["kind"] == "").sum() >= len(rows) / 2
    assert precision >= 0.95
    assert recall >= 0.95


def test_on_the_part_that_was_set_aside_before_any_list_was_made():
    rows, precision, recall = graded("sentences_held_out.tsv")
    assert len(rows) == 54
    assert (rows["kind"] == "").sum() >= len(rows) / 2
    # The first look at it gave precision 1.00 and recall 0.92; what was mended since is in amounts of money.
    assert precision >= 0.9
    assert recall >= 0.9


def test_patterns_and_exceptions_are_all_used_and_every_law_is_known():
    texts = "\n".join(
        t
        for f in ("sentences.tsv", "sentences_held_out.tsv")
        for t in pd.read_csv(HERE / f, sep="\t", dtype=str)["text"]
    )
    lists = compliance.words()
    assert all(law in claims.laws().index for _kind, _p, law, _why in lists.claims)
    used = [bool(p.search(line)) for _k, p, *_rest in lists.claims for line in [texts]]
    assert np.mean(used) > 0.9
    assert pd.to_datetime(claims.laws()["in_force"]).notna().all()


def test_context_is_shown_around_what_was_found():
    (flag,) = compliance.flags("这一段很长很长很长很长很长的前文之后才说它是最好的，然后又是一段很长很长很长的后文")
    assert "【最好】" in flag["context"]
    assert flag["context"].startswith("…")
    assert flag["context"].endswith("…")
    assert len(flag["context"]) < 40


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("特等奖十万元", [100_000]),
        ("价值6.8万元的大奖", [68_000]),
        ("价值60000元的钻戒", [60_000]),
        ("win ¥120,000 in cash", [120_000]),
        ("三千五百元和两百元", [3_500, 200]),
        ("共3名，满3件", []),
    ],
)
def test_sums_of_money_in_both_ways_of_writing(text, amounts):
    assert [value for value, _begins, _ends in compliance.amounts(text)] == amounts


def test_a_prize_of_exactly_fifty_thousand_may_be_given():
    assert "prize" not in {f["kind"] for f in compliance.flags("抽奖，特等奖五万元")}
    assert "prize" in {f["kind"] for f in compliance.flags("抽奖，特等奖50001元")}


def price_flag(text, at="2026-10-15"):
    piece = pd.DataFrame({"content_id": ["c"], "product_id": ["p1"], "publish_at": [pd.Timestamp(at)], "text": [text]})
    return compliance.price_flags(piece, PRICES).to_dict("records")


def test_a_price_that_never_was_and_one_that_is_too_old():
    (never,) = price_flag("原价399元，限时159元")
    assert never["kind"] == "reference_price"
    assert "¥169" in never["why"]
    (old,) = price_flag("原价169元，限时149元")[:1]  # it was 169 until 20 September; the week before, 159
    assert "¥159" in old["why"]
    assert price_flag("原价169元，限时159元", at="2026-09-22") == [
        {"content_id": "c", "kind": "reference_price", "found": "原价169元", "law": "price_16",
         "why": "the lowest price shown in the seven days before is ¥159.00"}
    ]  # fmt: skip
    assert price_flag("原价169元，现价169元", at="2026-09-19") == []
    assert price_flag("标价199元") == []
    assert price_flag("标价259元")[0]["kind"] == "reference_price"


def test_a_promised_price_must_have_been_shown():
    (low,) = price_flag("到手价99元攻略")
    assert low["kind"] == "price_mismatch"
    assert price_flag("到手价158元") == []  # a percent or so is rounding
    assert price_flag("日常售价159元") == []
    assert price_flag("日常售价259元")[0]["kind"] == "price_mismatch"


def pieces(*rows):
    columns = ["content_id", "publish_at", "channel", "stage", "product_id", "title", "text"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(publish_at=pd.to_datetime(frame["publish_at"]))


OCTOBER = period.parse("2026-10")


def test_pieces_are_scanned_from_the_period_on_and_told_what_to_do():
    content = pieces(
        ("old", "2026-09-01", "wechat", "published", None, "", "最好的面霜"),
        ("out", "2026-10-05", "wechat", "published", None, "最好的面霜", "没有之一"),
        ("mail", "2026-11-02", "email", "planned", None, "", "新品到了"),
        ("fine", "2026-11-03", "wechat", "planned", None, "", "最近换季"),
        ("price", "2026-11-04", "wechat", "planned", "p1", "", "原价999元，现价159元"),
    )
    found = compliance.scan(content, OCTOBER, prices=PRICES)
    assert found.attrs["pieces"] == 4
    assert found[["content_id", "kind"]].to_records(index=False).tolist() == [
        ("out", "absolute"), ("out", "absolute"), ("mail", "clause"), ("price", "reference_price"),
    ]  # fmt: skip
    assert found["law"].iloc[0] == "Advertising Law, Art. 9"
    waiting = compliance.verdicts(found).set_index("content_id")["verdict"]
    assert waiting.to_dict() == {"out": "change", "mail": "look", "price": "change"}
    said = compliance.findings(found)
    assert [f.verdict for f in said] == ["act", "act", "watch"]
    assert "out" in said[0].text
    assert "price" in said[1].text
    kinds = compliance.by_kind(found).set_index("kind")
    assert kinds.loc["absolute"].tolist() == [1, 0, 0]
    ax = compliance.plot_by_kind(compliance.by_kind(found))
    dark, grey = ax.containers
    assert [b.get_width() for b in dark][::-1] == kinds["ahead"].tolist()
    assert [b.get_width() for b in grey][::-1] == (kinds["pieces"] - kinds["ahead"]).tolist()


def test_nothing_found_is_no_approval():
    found = compliance.scan(pieces(("a", "2026-10-05", "wechat", "drafted", None, "", "最近换季")), OCTOBER)
    (said,) = compliance.findings(found)
    assert said.verdict == "hold"
    assert "no approval" in said.text
    assert any("price" in note for note in found.attrs["notes"])


def test_the_shop_allows_by_name_and_flags_words_of_its_own():
    own = pd.DataFrame(
        {
            "action": ["allow", "allow", "flag"],
            "words": ["最佳", "顶级", "焕肤"],
            "kind": ["absolute", "absolute", pd.NA],
            "reason": ["name of a prize that was won", "checked", "legal asks"],
            "until": [pd.NaT, pd.Timestamp("2026-09-30"), pd.NaT],
        }
    )
    lists = compliance.words(own, today="2026-10-31")
    found = compliance.flags("获2026年最佳香氛奖，顶级原料，焕肤", lists)
    assert [(f["kind"], f["found"], f["allowed"]) for f in found] == [
        ("absolute", "最佳", "name of a prize that was won"),
        ("absolute", "顶级", ""),  # the reason held until September
        ("own", "焕肤", ""),
    ]


def test_one_product_at_two_prices_and_with_two_offers():
    content = pieces(
        ("a", "2026-11-01", "wechat", "planned", "p1", "", "现价159元，满300减50"),
        ("b", "2026-11-04", "email", "planned", "p1", "", "到手价149元，满300减50，退订回T"),
        ("c", "2026-11-20", "douyin", "planned", "p1", "", "现价139元"),
        ("d", "2026-11-04", "douyin", "planned", "p2", "", "现价99元"),
    )
    (clash,) = compliance.two_offers(content).to_dict("records")
    assert (clash["first"], clash["second"], clash["first_says"], clash["second_says"]) == ("a", "b", "159", "149")
    assert "two_offers" in set(compliance.scan(content, OCTOBER)["kind"])


def test_content_without_words_or_columns_is_answered_with_what_is_lacking():
    lacking = compliance.scan(pd.DataFrame({"content_id": ["a"], "title": ["b"]}), OCTOBER)
    assert lacking.what == "content.text"
    bare = pd.DataFrame({"content_id": ["a"], "publish_at": [pd.Timestamp("2026-10-03")], "text": ["最好的"]})
    assert compliance.scan(bare, OCTOBER, prices=PRICES)["kind"].tolist() == ["absolute"]
