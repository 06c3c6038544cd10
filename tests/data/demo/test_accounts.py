"""The people behind the demo's accounts: found again where the data can tell, and in nothing that leaves the raw files."""

import itertools
import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from playbook.data import identity
from playbook.data.demo import generate
from playbook.data.demo.blocks import make_block
from playbook.data.demo.shoppers.contacts import personal
from playbook.data.demo.world import make_world
from playbook.data.engine import engine
from playbook.data.ingest import ingest
from playbook.data.store import Store, read_settings

ROOT = Path(__file__).parents[3]


def pairs(frame, by):
    """Every two accounts that have the same in these columns."""
    found = frame.groupby(by).account
    return {pair for _key, of in found for pair in itertools.combinations(sorted(set(of)), 2)}


@pytest.mark.parametrize("seed", [1, *(pytest.param(s, marks=pytest.mark.truth) for s in (2, 3))])
def test_who_can_be_linked_is_linked_and_nobody_else(tmp_path, seed):
    """Linkable: two accounts of one person with a number in the data that at most two people give."""
    generate(tmp_path, scale=0.2, seed=seed)
    store = Store(tmp_path, read_settings(tmp_path / "shop.toml"))
    ingest(store)
    customers, orders = (engine().read(store.tables / f"{n}.parquet") for n in ("customers", "orders"))
    seen = identity.evidence(customers, orders).to_pandas()
    found = identity.resolve(customers, orders)
    who = identity.persons(customers, orders, found, key=b"k" * 32).to_pandas()
    who["account"] = who.platform + ":" + who.customer_id
    truth = pd.read_csv(tmp_path / "truth_people.csv", dtype=str)
    truth["account"] = truth.platform + ":" + truth.customer_id
    person = truth.set_index("account").person
    linked, true = pairs(who[who.accounts > 1], "person_id"), pairs(truth, "person")
    strong = seen[seen.kind.isin(identity.STRONG)]
    strong = strong.assign(person=strong.account.map(person).fillna(strong.account))
    givers = strong.groupby(["kind", "hash"]).person.transform("nunique")
    linkable = pairs(strong[givers <= 2], ["kind", "hash"]) & true
    at_desks = (pairs(strong[givers > 2], ["kind", "hash"]) & true) - linkable
    assert len(linkable) > 500 and len(linked & true) >= 0.99 * len(linked)
    assert len(linkable & linked) >= 0.98 * len(linkable)
    # most people who buy twice cannot be linked: platforms mask what would tell; a shared telephone tells nothing
    unlinkable = true - linkable - at_desks
    assert len(unlinkable) > 2 * len(linkable) and len(found.conflicts) >= 1
    assert (strong[givers > 10].person.nunique() > 20) and not (at_desks - linkable) - true


CANARIES = 200


def canaries(folder):
    """Names, numbers, addresses, e-mails that stand in the raw files, each at least once."""
    world = make_world(scale=0.05, seed=1, until="2026-10")
    people = personal(world.draws, make_block(world, 0, 0.05).accounts)
    shown = people[~people.phone.str.contains(r"[*-]", regex=True) & (people.phone != "")]
    door = people.street + people.address
    rng = random.Random(4)
    few = {name: rng.sample(sorted(set(values)), CANARIES // 4) for name, values in (
        ("phone", shown.phone), ("email", people.email[people.email.str.contains("@")]), ("address", door),
        ("name", shown.name[shown.name.str.len() == 3]))}  # fmt: skip
    return few


def everything(folder):
    """Every file below a folder as text: (name, text)."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix == ".parquet":
            yield path, pd.read_parquet(path).to_csv(index=False)
        elif path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                yield path, "".join(archive.read(n).decode("utf-8", "replace") for n in archive.namelist())
        else:
            yield path, path.read_bytes().decode("utf-8", "replace")


def test_nothing_personal_leaves_the_raw_files(tmp_path):
    folder = tmp_path / "data" / "demo"
    generate(folder, scale=0.05)
    raw = folder / "raw"
    few = canaries(raw)
    phone, email = few["phone"][0], few["email"][0]
    # where people put it: remarks, names of uploads, rows that break off
    export = sorted((raw / "tmall").glob("ExportOrderList*.csv"))[-1]
    lines = export.read_bytes().decode("gb18030").splitlines()
    noted = lines[5].split(",")
    noted[lines[0].split(",").index("订单备注")] = f"请打电话给{few['name'][0]} {phone}"
    lines[5] = ",".join(noted)
    lines.append(f"99,{few['name'][1]},{few['phone'][1]},{few['email'][1]},{few['address'][1]}")
    export.write_bytes(("\n".join(lines) + "\n").encode("gb18030"))
    jd = sorted((raw / "jd").glob("*.csv"))[-1]
    jd.rename(jd.with_name(f"订单导出{few['phone'][2]}.csv"))
    (raw / f"{email} 客户.pdf").write_text("passed over")
    text = "".join(t.decode("gb18030", "replace") if p.parent.name in ("tmall", "jd") else t.decode("utf-8", "replace")
                   for p in raw.rglob("*.csv") for t in [p.read_bytes()])  # fmt: skip
    assert sum(word in text for words in few.values() for word in words) >= 0.75 * CANARIES
    env = os.environ | {"PLAYBOOK_HOME": str(tmp_path)}
    command = [sys.executable, "-c", "from playbook.cli import main; main()", "run", "demo"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    shown = {"stdout": done.stdout, "stderr": done.stderr}
    shown |= {str(p.relative_to(tmp_path)): t for p, t in everything(tmp_path / "reports")}
    shown |= {str(p.relative_to(tmp_path)): t for p, t in everything(folder / "tables")}
    assert any("rows.parquet" in n for n in shown) and any("quarantine.csv" in n for n in shown)
    assert json.loads(shown["reports/demo/2026-10/figures.json"])
    told = {
        (kind, word, name) for kind, words in few.items() for word in words for name, t in shown.items() if word in t
    }
    assert told == set()
