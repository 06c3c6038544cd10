"""Identity: the same person on several platforms is found; families and companies are not one person."""

import numpy as np
import pandas as pd

from playbook import shop_from
from playbook.data.engine import as_table
from playbook.data.identity import accounts, persons, resolve, with_person

DAY = pd.Timestamp("2024-01-01")


def customers(*rows):
    """Customers from (platform, number, {column: value})."""
    return pd.DataFrame([{"platform": p, "customer_id": c, "registered_at": DAY, **more} for p, c, more in rows])


def orders(*rows):
    """Paid orders from (platform, customer, {column: value})."""
    return pd.DataFrame(
        [
            {
                "order_id": str(i),
                "ordered_at": DAY + pd.Timedelta(days=i),
                "amount": 10.0,
                "platform": p,
                "customer_id": c,
            }
            | more
            for i, (p, c, more) in enumerate(rows)
        ]
    )


def who(people, sales=None, **options):
    """Account → the accounts of the same person."""
    people = None if people is None else as_table(people)
    sales = None if sales is None else as_table(sales)
    found = persons(people, sales, resolve(people, sales, **options), key=b"k").to_pandas()
    found["account"] = found.platform + ":" + found.customer_id
    return {frozenset(group) for _id, group in found.groupby("person_id").account}


def groups(*sets):
    return {frozenset(s.split()) for s in sets}


def test_accounts_that_share_a_number_are_one_person_also_through_a_third():
    people = customers(
        ("tmall", "1", {"phone_hash": "p"}),
        ("jd", "1", {"phone_hash": "p", "email_hash": "e"}),
        ("own_site", "7", {"email_hash": "e"}),
        ("douyin", "9", {}),
    )
    assert who(people) == groups("tmall:1 jd:1 own_site:7", "douyin:9")


def test_what_stands_on_orders_links_too_but_a_gift_does_not():
    people = customers(("own_site", "7", {"phone_hash": "p"}), ("own_site", "8", {"phone_hash": "q"}))
    sales = orders(
        ("jd", "1", {"phone_hash": "p"}),
        ("jd", "1", {"phone_hash": "p"}),
        ("jd", "1", {"phone_hash": "q"}),  # a present for somebody else
    )
    assert who(people, sales) == groups("own_site:7 jd:1", "own_site:8")


def test_a_number_that_many_share_is_a_conflict_and_nobodys_own():
    staff = customers(
        *[(p, str(i), {"phone_hash": "desk"}) for i, p in enumerate(["tmall", "jd", "douyin", "own", "x"])]
    )
    assert len(who(staff)) == 5 and len(who(staff, most=5)) == 1
    told = resolve(as_table(staff), None).conflicts
    assert told.to_dict("records") == [{"kind": "phone", "hash": "desk", "accounts": 5, "platforms": 5}]
    three = customers(*[("jd", str(i), {"email_hash": "e"}) for i in range(3)])
    assert len(who(three)) == 3 and len(who(three.head(2))) == 1


def test_a_family_that_shares_a_telephone_stays_apart():
    people = customers(
        ("tmall", "1", {"phone_hash": "p", "gender": "female", "birth_year": 1990}),
        ("jd", "2", {"phone_hash": "p", "gender": "male", "birth_year": 1987}),
        ("own_site", "3", {"phone_hash": "p", "gender": "female", "birth_year": 2008}),
    )
    links = resolve(as_table(people), None).links
    assert not links.used.any() and links.why.tolist() == ["contradiction", "contradiction", "contested"]
    # somebody may have slipped when typing her year of birth, and may not have said it elsewhere
    assert len(who(people.assign(gender="female", birth_year=[1990, 1985, None]))) == 1


def test_a_device_links_only_who_is_alike_and_only_if_nothing_speaks_against_it():
    both = {"device_hash": "d", "address_hash": "a"}
    assert len(who(customers(("tmall", "1", {"device_hash": "d"}), ("jd", "2", {"device_hash": "d"})))) == 2
    assert len(who(customers(("tmall", "1", both), ("jd", "2", both)))) == 2  # a household
    traits = {"device_hash": "d", "gender": "male", "birth_year": 1990}
    assert len(who(customers(("tmall", "1", traits), ("jd", "2", traits)))) == 1
    assert len(who(customers(("jd", "1", traits), ("jd", "2", traits)))) == 2
    for other in ({"gender": "female"}, {"birth_year": 1993}, {"phone_hash": "q"}):
        people = customers(("tmall", "1", {"phone_hash": "p"} | traits), ("jd", "2", traits | other))
        assert len(who(people)) == 2


def test_a_chain_longer_than_a_person_has_accounts_is_broken():
    people = customers(
        *[
            ("jd" if i % 2 else "tmall", str(i), {"phone_hash": f"p{i // 2}", "email_hash": f"e{(i + 1) // 2}"})
            for i in range(6)
        ]
    )
    identity = resolve(as_table(people), None)
    assert len(who(people)) == 6 and set(identity.links.why) <= {"chain", "contradiction"} and len(identity.roots) == 0


def test_a_person_keeps_her_id_when_an_account_is_added():
    people = customers(("tmall", "5", {"phone_hash": "p"}))
    later = customers(("tmall", "5", {"phone_hash": "p"}), ("jd", "1", {"phone_hash": "p"}))
    later.loc[1, "registered_at"] = DAY + pd.Timedelta(days=30)

    def ids(frame, key=b"k"):
        t = as_table(frame)
        return set(persons(t, None, resolve(t, None), key=key).to_pandas().person_id)

    assert ids(people) == ids(later) and len(ids(later)) == 1
    assert ids(people) != ids(people, b"other")


def test_a_person_that_the_shop_names_itself_is_taken_at_its_word():
    people = customers(
        *[("jd", str(i), {"person_id": "x", "gender": g}) for i, g in enumerate(["male", "female", "male"])]
    )
    assert len(who(people)) == 1


def test_without_platforms_a_number_is_the_same_everywhere():
    people = pd.DataFrame({"customer_id": ["1", "2"]})
    sales = orders(("jd", "1", {}), ("tmall", "1", {}))
    assert len(accounts(as_table(people), as_table(sales)).to_pandas()) == 2
    found = persons(as_table(people), as_table(sales), resolve(as_table(people), as_table(sales)), key=b"k")
    joined = with_person(as_table(people), found, named=False).to_pandas()
    assert joined.person_id.notna().all() and joined.person_id.nunique() == 2


def test_a_shop_hands_out_customers_with_the_person():
    people = customers(("tmall", "1", {"phone_hash": "p"}), ("jd", "1", {"phone_hash": "p"}), ("jd", "2", {}))
    shop = shop_from(orders=orders(("jd", "1", {}), ("jd", "2", {})), customers=people, period="2024-01")
    ids = shop.customers.order_by("platform", "customer_id").to_pandas().person_id.tolist()
    assert ids[0] == ids[2] != ids[1] and all(len(i) == 16 for i in ids)
    # what is learned after the period is not known yet: the number on a later order links nobody
    late = orders(("jd", "2", {"phone_hash": "p"}), ("own", "3", {})).assign(ordered_at=pd.Timestamp("2024-03-01"))
    sales = pd.concat([orders(("jd", "1", {}), ("jd", "2", {})), late.assign(order_id=["8", "9"])])
    before, after = (shop_from(orders=sales, customers=people, period=p) for p in ("2024-01", "2024-03"))
    assert [s.customers.to_pandas().person_id.nunique() for s in (before, after)] == [2, 1]
    assert [len(s.persons.to_pandas()) for s in (before, after)] == [3, 4]


# --- a made-up town, whose truth is known -----------------------------------------------------------

PLATFORMS = ("tmall", "jd", "douyin", "own_site")


def town(seed=5, n=3000):
    """Accounts of `n` people on four platforms with what each platform shows, and who is behind each.

    Traps: a fifth of the people live in families, a third of which share one telephone and all of which share address
    and device; 300 people have one of 10 companies' switchboards for their telephone; 3 % of the years of birth and 1 %
    of the genders are wrong; two accounts in five are masked and show nothing.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(n):
        family = person // 2 if person < n // 5 else None
        home = f"h{family}" if family is not None else f"a{person}"
        phone = f"f{family}" if family is not None and family % 3 == 0 else f"p{person}"
        male = bool(person % 2) if family is not None else rng.random() < 0.4
        year = int(rng.integers(1960, 2004))
        for platform in rng.choice(PLATFORMS, size=rng.integers(1, 4), replace=False):
            masked = rng.random() < 0.4
            told = rng.random() < 0.9
            rows.append(
                {
                    "platform": platform, "customer_id": f"{platform[0]}{person}", "truth": person,
                    "registered_at": DAY + pd.Timedelta(days=int(rng.integers(0, 300))),
                    "phone_hash": None if masked else f"c{person % 10}" if person >= n - 300 and rng.random() < 0.7 else phone,
                    "email_hash": f"e{person}" if not masked and rng.random() < 0.6 else None,
                    "login_hash": f"l{person}" if not masked and rng.random() < 0.3 else None,
                    "device_hash": None if masked else f"d{home}", "address_hash": None if masked else f"{home}",
                    "gender": ("male" if male ^ (rng.random() < 0.01) else "female") if told else None,
                    "birth_year": (year if rng.random() > 0.03 else int(rng.integers(1960, 2004))) if told else None,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def pairs_within(frame, by):
    """The pairs of accounts that have the same value."""
    found = set()
    for _value, accounts_of in frame.dropna(subset=[by]).groupby(by).account:
        names = sorted(accounts_of)
        found |= {(a, b) for i, a in enumerate(names) for b in names[i + 1 :]}
    return found


def test_a_town_is_put_together_as_it_is():
    truth = town()
    table = as_table(truth.drop(columns="truth"))
    found = persons(table, None, resolve(table, None), key=b"k").to_pandas()
    truth["account"] = truth.platform + ":" + truth.customer_id
    merged = truth.merge(found, on=["platform", "customer_id"])
    assert len(merged) == len(truth) > 5000
    said, real = pairs_within(merged, "person_id"), pairs_within(truth, "truth")
    own = truth.assign(phone_hash=truth.phone_hash.where(truth.phone_hash.str.startswith("p", na=False)))
    shares = [pairs_within(own, c) for c in ("phone_hash", "email_hash", "login_hash")]
    linkable = real & set().union(*shares)  # the pairs that share something of their own
    precision, recall = len(said & real) / len(said), len(said & linkable) / len(linkable)
    assert len(linkable) > 800 and precision >= 0.99 and recall >= 0.98, (precision, recall, len(linkable))
