"""Stories of the command line: what it makes, what it says, and how it says no: one sentence and a status of 2."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from playbook import cli
from playbook.data.store import open_store

ROOT = Path(__file__).parents[1]

ORDERS = (
    "order_id,ordered_at,amount\n1,2026-09-03 10:00:00,10.50\n2,2026-10-05 11:00:00,20.00\n3,2026-10-31 12:00:00,oops\n"
)


@pytest.fixture
def call(home, monkeypatch, capsys):
    """Run the command line in this process: its status, what it printed, and what it complained of."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["playbook", *words])
        status = 0
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code or 0
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def put(home, shop, **files):
    raw = home / "data" / shop / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (raw / name.replace("__", ".")).write_text(text, encoding="utf-8")


def one_sentence(text):
    return text.startswith("Error: ") and text.count("\n") == 1 and "Traceback" not in text


# -- new


def test_new_makes_a_folder_to_put_exports_into_and_says_how_to_go_on(call, home):
    status, said, complaint = call("new", "corner")
    assert (status, complaint) == (0, "")
    assert "data/corner/shop.toml holds its settings; put exports into data/corner/raw/." in said
    assert "playbook run corner" in said
    assert (home / "data" / "corner" / "raw").is_dir()
    settings = open_store("corner").settings
    assert (settings.title, settings.currency, settings.week_start) == ("corner", "", "monday")


def test_new_does_not_touch_a_shop_that_is_there(call, home):
    call("new", "corner")
    (home / "data" / "corner" / "shop.toml").write_text('title = "Mine"\n', encoding="utf-8")
    status, said, complaint = call("new", "corner")
    assert (status, said) == (2, "") and one_sentence(complaint)
    assert "the shop 'corner' is there already" in complaint
    assert open_store("corner").settings.title == "Mine"


@pytest.mark.parametrize("name", ["../escape", "a b", ".hidden", "-x", "", "a/b"])
def test_new_refuses_what_is_no_name_for_a_folder(call, home, name):
    status, _said, complaint = call("new", "--", name)
    assert (
        status == 2 and one_sentence(complaint) and "is no name for a shop: use letters, digits and dashes" in complaint
    )
    assert list((home / "data").iterdir()) == [] and not (home / "escape").exists()


def test_a_shop_may_have_a_chinese_name(call, home):
    assert call("new", "露苔")[0] == 0 and open_store("露苔").settings.title == "露苔"


# -- ingest


def test_ingest_says_what_was_done_with_every_row(call, home):
    call("new", "corner")
    put(home, "corner", orders__csv=ORDERS)
    status, said, complaint = call("ingest", "corner")
    assert (status, complaint) == (0, "")
    head, row, _blank, *why = (line.split() for line in said.strip().splitlines())
    assert why[-1] == ["1", "orders.csv:", "amount:", "not", "an", "amount"]
    assert head == ["file", "read", "accepted", "superseded", "duplicate", "skipped", "quarantined", "file", "total"]
    assert row == ["orders.csv", "3", "2", "0", "0", "0", "1", "¥30.50"]


def test_ingest_names_a_file_that_it_passed_over_brackets_and_all(call, home):
    call("new", "corner")
    put(home, "corner", orders__csv=ORDERS)
    (home / "data" / "corner" / "raw" / "notes [old].pdf").write_bytes(b"%PDF")
    status, said, _complaint = call("ingest", "corner")
    assert status == 0 and "notes [old].pdf was passed over" in said


def test_ingest_lists_a_file_by_its_whole_name_brackets_and_all(call, home):
    call("new", "corner")
    (home / "data" / "corner" / "raw" / "orders [old].csv").write_text(ORDERS, encoding="utf-8")
    status, said, complaint = call("ingest", "corner")
    assert (status, complaint) == (0, "") and "orders [old].csv" in said


# -- what goes wrong


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "nowhere"], "there is no shop 'nowhere' (there is: corner): run `playbook new nowhere`"),
        (["ingest", "nowhere"], "there is no shop 'nowhere'"),
        (["ingest", "corner"], "holds no exports: copy your platform's files there"),
        (["run", "corner"], "holds no exports"),
        (["run", "corner", "-p", "act_below"], "'act_below' is no parameter: write -p name=value"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_a_mistake_is_one_sentence_with_its_remedy_and_status_2(call, home, words, says):
    call("new", "corner")
    status, said, complaint = call(*words)
    assert status == 2 and one_sentence(complaint) and says in complaint
    assert said == "" and not (home / "reports").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--period", "soon"], "'soon' is no period; write one of: 2026-10 (month)"),
        (["--period", "2026-13"], "'2026-13' is no period"),
        (["--only", "99"], "there is no notebook '99'; there is: 00"),
        (["-p", "nonsense=1"], "no notebook has a parameter 'nonsense'; there is: act_below"),
        (["-p", "act_below=low"], "act_below is to be a float, not 'low'"),
        (["-p", "shop=other"], "shop is no parameter to set with -p"),
        (["-p", "period=2026"], "period is no parameter to set with -p"),
        (["-p", "cadence=daily"], "cadence is no parameter to set with -p"),
        (["--cadence", "hourly"], "there is no cadence 'hourly'; write one of: daily, weekly, monthly, quarterly"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_a_run_that_cannot_be_meant_is_refused_before_anything_runs(call, home, words, says):
    call("new", "corner")
    put(home, "corner", orders__csv=ORDERS.replace("oops", "5.00"))
    status, _said, complaint = call("run", "corner", *words)
    assert status == 2 and one_sentence(complaint) and says in complaint
    assert not (home / "reports").exists()


def test_a_cadence_sets_the_latest_period_the_notebooks_and_their_parameter(call, home):
    call("new", "corner")
    put(home, "corner", orders__csv=ORDERS.replace("oops", "5.00"))
    (home / "notebooks").mkdir()
    for name in ("06a_watch", "07c_other"):
        takes = 'shop: str = "corner"\nperiod: str = "latest"\ncadence: str = ""'
        cells = [
            new_markdown_cell(f"# {name[4:].title()}\n\nHow is it?"),
            new_code_cell(takes, metadata={"tags": ["parameters"]}),
            new_code_cell("print(period, cadence)"),
        ]
        nb = new_notebook(cells=cells)
        nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(nb, home / "notebooks" / f"{name}.ipynb")
    assert call("run", "corner", "--cadence", "daily")[0] == 0
    report = home / "reports" / "corner" / "2026-10-31_2026-10-31"
    text = nbformat.read(report / "06a_watch.ipynb", as_version=4).cells[-1].outputs[0].text
    assert text.split() == ["2026-10-31/2026-10-31", "daily"]
    assert not (report / "07c_other.ipynb").exists()
    assert call("run", "corner")[0] == 0  # as ever: the month, all notebooks, no cadence
    month = home / "reports" / "corner" / "2026-10"
    text = nbformat.read(month / "06a_watch.ipynb", as_version=4).cells[-1].outputs[0].text
    assert text.split() == ["2026-10"] and (month / "07c_other.ipynb").exists()


def test_a_run_with_a_failing_notebook_writes_the_other_pages_and_ends_with_status_1(call, home):
    call("new", "corner")
    put(home, "corner", orders__csv=ORDERS.replace("oops", "5.00"))
    (home / "notebooks").mkdir()
    for name, line in {"01_good": "1 + 1", "02_bad": "raise ValueError('out of <b>stock</b>')"}.items():
        cells = [
            new_markdown_cell(f"# {name[3:].title()}\n\nHow is it?"),
            new_code_cell('shop: str = "corner"\nperiod: str = "latest"', metadata={"tags": ["parameters"]}),
            new_code_cell(line),
        ]
        nbformat.write(new_notebook(cells=cells), home / "notebooks" / f"{name}.ipynb")
    status, said, complaint = call("run", "corner")
    folder = home / "reports" / "corner" / "2026-10"
    assert status == 1 and "1 notebooks failed: 02_bad" in complaint and "Traceback" not in complaint
    assert f"The report: {folder / 'index.html'}" in said
    pages = {p.stem: p.read_text(encoding="utf-8") for p in folder.glob("*.html")}
    assert set(pages) == {"01_good", "02_bad", "index", "memo"}
    assert "ValueError" in pages["02_bad"] and "out of &lt;b&gt;stock&lt;/b&gt;" in pages["02_bad"]
    assert "ValueError" not in pages["01_good"] and "failed" in pages["index"]


def test_settings_that_make_no_sense_are_named_with_their_file(call, home):
    call("new", "corner")
    put(home, "corner", orders__csv=ORDERS)
    path = home / "data" / "corner" / "shop.toml"
    for text, says in {
        'titel = "x"': "has a setting 'titel' that does not exist; there is: name, title",
        'zone = "Asia/Beijing"': "'Asia/Beijing' is no time zone; write one like Asia/Shanghai",
        'week_start = "funday"': "week_start is 'funday'; write one of monday",
        "title = ": "is not valid TOML",
    }.items():
        path.write_text(text, encoding="utf-8")
        status, _said, complaint = call("run", "corner")
        assert status == 2 and one_sentence(complaint) and says in complaint and "corner/shop.toml" in complaint


def test_an_unknown_command_or_option_is_refused_too(call):
    assert call("rnu", "demo")[0] == 2
    status, _said, complaint = call("run", "demo", "--peroid", "2026-10")
    assert status == 2 and "--period" in complaint and "Traceback" not in complaint


def test_without_words_it_says_what_it_can_do(call):
    _status, said, complaint = call()
    assert {"run", "ingest", "new", "demo"} <= set((said + complaint).split())


def test_the_demo_shop_is_made_where_the_home_is(call, home):
    status, said, _complaint = call("demo", "--scale", "0.02", "--until", "2025-06")
    assert status == 0 and "The demo shop is in data/demo." in said
    exports = sorted((home / "data" / "demo" / "raw" / "tmall").glob("ExportOrderList*.csv"))
    orders = pd.concat(pd.read_csv(p, encoding="gb18030", dtype=str) for p in exports[1:])
    assert orders["订单创建时间"].max()[:7] == "2025-06" and 100 < len(orders) < 2000
    status, _said, complaint = call("demo", "--until", "1999-01")
    assert status == 2 and one_sentence(complaint) and "until=1999-01" in complaint


def process(home, *words):
    env = os.environ | {"PLAYBOOK_HOME": str(home), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", "from playbook.cli import main; main()", *words],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_as_a_process_it_ends_with_the_status_and_shows_the_traceback_only_when_asked(home):
    plain = process(home, "run", "nowhere")
    assert plain.returncode == 2 and one_sentence(plain.stderr) and plain.stdout == ""
    asked = process(home, "--debug", "run", "nowhere")
    assert asked.returncode == 1 and "Traceback" in asked.stderr
    assert "playbook.data.store.ShopError: there is no shop 'nowhere'" in asked.stderr


def test_debug_may_stand_anywhere_but_not_behind_what_is_handed_on(call, home):
    for words in (["--debug", "run", "nowhere"], ["run", "--debug", "nowhere"], ["run", "nowhere", "--debug"]):
        with pytest.raises(ValueError, match="there is no shop 'nowhere'"):
            call(*words)
    status, _said, complaint = call("new", "--", "--debug")
    assert status == 2 and one_sentence(complaint) and "'--debug' is no name for a shop" in complaint


@pytest.mark.parametrize(
    "slip",
    [KeyError("nosuch"), ZeroDivisionError("division by zero"), AssertionError(), TypeError("two\nlines")],
    ids=repr,
)
def test_a_slip_of_the_book_is_not_called_the_users_mistake(call, home, monkeypatch, slip):
    def create(name):
        raise slip

    monkeypatch.setattr("playbook.data.store.create", create)
    status, said, complaint = call("new", "corner")
    assert (status, said) == (3, "") and complaint.startswith("Something went wrong in the book itself: ")
    assert complaint.count("\n") == 1 and "run again with --debug" in complaint and type(slip).__name__ in complaint


def test_a_value_error_that_nobody_meant_is_a_slip_too(call, home, monkeypatch):
    monkeypatch.setattr("playbook.data.store.create", lambda name: int(name))
    assert call("new", "corner")[0] == 3


# -- ingest, once more


def test_ingest_shows_every_outcome_and_the_quarantine_by_reason(call, home):
    call("new", "corner")
    (home / "data" / "corner" / "shop.toml").write_text('currency = "CNY"\nzone = "UTC"\n', encoding="utf-8")
    name = "sales exported from the platform on a rather long afternoon 2024-05-01 [final].csv"
    text = "exported\n" + ORDERS + "\n2,2026-10-05 11:00:00,20.00\n9,never,1\n8,never,1\n2,2026-10-05 11:00:00,25.00\n"
    (home / "data" / "corner" / "raw" / name).write_text(text, encoding="utf-8")
    status, said, _complaint = call("ingest", "corner")
    assert status == 0 and name in said
    row = said.splitlines()[1].replace(name, "").split()
    assert row[:6] == ["9", "2", "2", "0", "2", "3"] and int(row[0]) == sum(map(int, row[1:6]))
    below = [line.split(None, 1) for line in said.splitlines()[-2:]]
    assert below == [["2", f"{name}: ordered_at: not a time"], ["1", f"{name}: amount: not an amount"]]


def test_names_are_whole_in_a_pipe_however_narrow_the_terminal_was(home):
    (home / "data" / "corner" / "raw").mkdir(parents=True)
    (home / "data" / "corner" / "shop.toml").touch()
    name = f"orders_{'x' * 120}_[1].csv"
    (home / "data" / "corner" / "raw" / name).write_text(ORDERS, encoding="utf-8")
    env = os.environ | {"PLAYBOOK_HOME": str(home), "COLUMNS": "40"}
    words = [sys.executable, "-m", "playbook.cli", "ingest", "corner"]
    done = subprocess.run(words, env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    assert any(line.startswith(f"{name} ") and line.split()[1:3] == ["3", "2"] for line in done.stdout.splitlines())


# -- doctor


def test_the_doctor_of_a_shop_with_orders_says_what_more_would_answer(call, home):
    call("new", "corner")
    put(home, "corner", orders__csv=ORDERS)
    status, said, complaint = call("doctor", "corner")
    assert (status, complaint) == (0, "")
    assert "3 rows read = 2 accepted + 0 superseded + 0 duplicate + 0 skipped + 1 quarantined." in said
    assert "orders from 2026-09-03 to 2026-10-05" in said and "1  orders.csv: amount: not an amount" in said
    lines = said.splitlines()
    place = next(
        i for i, line in enumerate(lines) if line.startswith("  returns (at least return_id, returned_at, amount)")
    )
    asked = next(line for line in lines[place:] if line.split()[0] == "07a")
    assert "Refund rate" in asked or "Returns" in asked
    assert any(line.startswith("  orders.customer_id") for line in lines)
    assert "plan/ (what people planned): nothing yet." in lines
    assert lines[-1] == "A report can be made: playbook run corner"
    assert len(lines) < 180  # of each thing that is lacking: three pages with their questions, the others' numbers


def test_the_doctor_takes_what_questions_need_from_the_notebooks_themselves(call, home):
    call("new", "corner")
    put(home, "corner", orders__csv=ORDERS)
    (home / "notebooks").mkdir()
    cells = [
        new_code_cell(
            'from playbook.metrics import measure\nlines = ["units"]\nsteps = ["net_sales", "items_per_order"]'
        ),
        new_code_cell('measure(shop, steps, by=["region"])\nshow(shop.inventory)'),
        new_code_cell("shop.risks", metadata={"tags": ["explore"]}),
    ]
    nbformat.write(
        new_notebook(cells=[new_markdown_cell("# Stock\n\nHow much?"), *cells]), home / "notebooks" / "03b_stock.ipynb"
    )
    _status, said, _complaint = call("doctor", "corner")
    part = said.split("What is missing, and what it would answer:\n")[1].split("\n\n")[0].splitlines()
    found = {what.split()[0]: asked.split(None, 1) for what, asked in zip(part[::2], part[1::2], strict=True)}
    assert found["inventory"] == ["03b", "Stock"]
    assert found["order_items"][1].startswith("Items per order by region")
    assert found["orders.region"][1].startswith("Net sales by region")
    assert "risks" not in found  # explorers are for people at a screen


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "holds no exports"),
        ({"x.csv": "what,is,this\n1,2,3\n"}, "x.csv: no source format has these columns"),
        ({"customers.csv": "customer_id\n1\n"}, "has files but no orders"),
    ],
    ids=["nothing", "unknown", "no orders"],
)
def test_the_doctor_of_a_shop_that_has_no_report_in_it_says_why_and_ends_with_1(call, home, files, why):
    call("new", "corner")
    put(home, "corner", **{name.replace(".", "__"): text for name, text in files.items()})
    status, said, complaint = call("doctor", "corner")
    assert (status, complaint) == (1, "")
    assert said.splitlines()[-1].startswith("No report can be made: ") and why in said.splitlines()[-1]
    assert call("doctor", "nowhere")[0] == 2


# -- formats


def test_formats_lists_the_books_and_the_shops_own(call, home):
    call("new", "corner")
    (home / "data" / "corner" / "formats").mkdir()
    own = '[map.orders]\norder_id = "no"\nordered_at = "made"\namount = "sum"\n'
    (home / "data" / "corner" / "formats" / "mine.toml").write_text(own, encoding="utf-8")
    status, said, _complaint = call("formats", "--shop", "corner")
    rows = {line.split()[0]: line.strip() for line in said.splitlines() if line.strip()}
    assert status == 0 and rows["mine"].endswith("the shop's own") and rows["generic_orders"].endswith("the book's")
    assert (
        "Tmall order report (订单报表)" in rows["tmall_order_report"]
        and "orders, returns" in rows["tmall_order_report"]
    )
    assert "mine" not in call("formats")[1]


PRIVATE = (
    "订单号,下单时间,订单金额,买家,电话\nA1,2024-01-01 10:00:00,5.00,张三,13800138000\nA2,never,7.00,李四,13900139000\n"
)


def test_trying_a_file_says_what_would_be_read_and_shows_nobodys_name(call, home, tmp_path):
    file = tmp_path / "mai.csv"
    file.write_bytes(PRIVATE.replace(",", ";").encode("gb18030"))
    status, said, complaint = call("formats", "try", str(file))
    assert (status, complaint) == (0, "")
    assert "mai.csv: a plain list of orders (the format generic_orders)." in said
    assert "Its encoding is GB18030, semicolons stand between its cells, its header is on line 1." in said
    assert "Not read: 买家, 电话" in said and "line 3: ordered_at: not a time" in said
    assert "Rows that would come out: orders 1" in said and "2024-01-01 02:00 UTC  ¥5.00" in said
    assert not any(word in said for word in ("张三", "李四", "138", "139"))
    assert not (home / "data" / "SHOP").exists()


def test_a_file_that_no_format_fits_gets_a_format_to_fill_in(call, home, tmp_path):
    file = tmp_path / "export_2024.csv"
    file.write_text('Nr,"Kunde ""E-Mail""",下单时间,Betrag\n1,foo@bar.de,2024-01-01,5\n', encoding="utf-8")
    status, said, _complaint = call("formats", "try", str(file))
    assert status == 1 and "export_2024.csv: no source format has these columns." in said and "foo@bar" not in said
    assert "generic_orders: order_id, amount" in said
    toml = said[said.index("title = ") :]
    filled = toml.replace("the column with: the platform's order number", "Nr")
    filled = "\n".join('amount = "Betrag"' if line.startswith("amount") else line for line in filled.splitlines())
    call("new", "corner")
    (home / "data" / "corner" / "formats").mkdir()
    (home / "data" / "corner" / "formats" / "export_2024.toml").write_text(filled, encoding="utf-8")
    status, said, _complaint = call("formats", "try", str(file), "--shop", "corner")
    assert status == 0 and "Rows that would come out: orders 1" in said


def test_a_first_line_that_is_a_row_is_not_shown(call, tmp_path):
    file = tmp_path / "bare.csv"
    file.write_text("1001,张三,13800138000,2024-01-01\n1002,李四,13900139000,2024-01-02\n", encoding="utf-8")
    status, said, _complaint = call("formats", "try", str(file))
    assert status == 1 and "Its first line looks like data, so it is not shown; it has 4 columns." in said
    assert 'header = ["column_1", "column_2", "column_3", "column_4"]' in said
    assert not any(word in said for word in ("张三", "138", "1001"))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("gone.csv", None, "there is no file "),
        ("empty.csv", b"", "empty.csv is empty: export it again"),
        ("letter.pdf", b"%PDF", "letter.pdf is of a kind that the book cannot read"),
        ("x.csv.gz", b"no gzip", "x.csv.gz is a damaged gzip file"),
    ],
)
def test_a_file_that_cannot_be_tried_is_one_sentence_and_status_2(call, tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    status, said, complaint = call("formats", "try", str(tmp_path / name))
    assert (status, said) == (2, "") and one_sentence(complaint) and says in complaint


# -- lab


def book(home, line):
    """A book of one notebook."""
    cells = [
        new_markdown_cell("# Good\n\nHow is it?"),
        new_code_cell('shop: str = "demo"  # a folder\nperiod: str = "latest"', metadata={"tags": ["parameters"]}),
        new_code_cell(line),
    ]
    (home / "notebooks").mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=cells), home / "notebooks" / "01_good.ipynb")


def sources(path):
    return [c.source for c in nbformat.read(path, as_version=4).cells]


def test_the_lab_opens_on_copies_that_are_set_to_the_shop(call, home):
    call("new", "corner")
    book(home, "1 + 1")
    status, said, complaint = call("lab", "corner", "--no-browser", "--print", "--port=8899", "--", "--debug")
    folder = home / "data" / "corner" / "notebooks"
    assert (status, complaint) == (0, "")
    words = said.split()
    assert words[1:4] == ["-m", "jupyterlab", str(folder)] and words[4:] == ["--no-browser", "--port=8899", "--debug"]
    assert sources(folder / "01_good.ipynb")[1] == 'shop: str = "corner"  # a folder\nperiod: str = "latest"'
    assert sources(home / "notebooks" / "01_good.ipynb")[1].startswith('shop: str = "demo"')


def test_the_lab_never_overwrites_what_somebody_wrote(call, home):
    call("new", "corner")
    book(home, "1 + 1")
    call("lab", "corner", "--print")
    folder = home / "data" / "corner" / "notebooks"
    mine = folder / "01_good.ipynb"
    mine.write_text(mine.read_text(encoding="utf-8").replace("1 + 1", "my own"), encoding="utf-8")
    assert "has changed" not in call("lab", "corner", "--print")[1]
    book(home, "2 + 2")
    said = call("lab", "corner", "--print")[1]
    assert "The book's 01_good.ipynb has changed since your copy was made" in said and "01_good.new.ipynb" in said
    assert sources(mine)[2] == "my own" and sources(folder / "01_good.new.ipynb")[2] == "2 + 2"
    assert sources(folder / "01_good.new.ipynb")[1].startswith('shop: str = "corner"')
    new = folder / "01_good.new.ipynb"  # this one is edited too
    new.write_text(new.read_text(encoding="utf-8").replace("2 + 2", "half merged"), encoding="utf-8")
    book(home, "3 + 3")
    assert "01_good.new2.ipynb" in call("lab", "corner", "--print")[1]
    assert sources(new)[2] == "half merged" and sources(folder / "01_good.new2.ipynb")[2] == "3 + 3"
    new.unlink()
    (folder / "01_good.new2.ipynb").unlink()
    assert "has changed" not in call("lab", "corner", "--print")[1] and sources(mine)[2] == "my own"


# -- privacy

PEOPLE = "customer_id,platform,phone_hash,email_hash\n{}"


def test_privacy_tells_what_is_held_and_forgets_naming_nobody_on_the_way(call, home):
    call("new", "corner")
    people = "c77001122,tmall,13800001234,\nc77005566,jd,+86 13800001234,she@example.org\nc99009900,jd,13900005678,\n"
    sold = "order_id,ordered_at,amount,customer_id,platform,phone_hash\n1,2024-01-01,5,c77001122,tmall,13800001234\n"
    put(home, "corner", customers__csv=PEOPLE.format(people), orders__csv=sold)
    status, said, _err = call("privacy", "access", "corner", "138 0000 1234")
    (bundle,) = (home / "data" / "corner" / "privacy").iterdir()
    assert status == 0 and "2 accounts, 3 lines of raw files, 3 rows of tables" in said
    assert "13800001234" in bundle.read_text() and bundle.stat().st_mode & 0o077 == 0
    status, said, err = call("privacy", "erase", "corner", "13800001234", "--yes")
    assert status == 0 and "customers.csv: 2 rows rewritten" in said and "orders.csv: 1 rows rewritten" in said
    assert not bundle.exists() and f"data/corner/privacy/{bundle.name} named the person and was removed" in said
    assert "13800001234" not in said + err
    for path in (home / "data" / "corner").rglob("*"):
        assert not path.is_file() or not re.search(rb"13800001234|she@example|c7700", path.read_bytes()), path
    told = (home / "data" / "corner" / "privacy.log").read_text().splitlines()
    assert [line.split()[1] for line in told] == ["access", "erase"]
    status, said, err = call("privacy", "erase", "corner", "13800001234", "--yes")
    assert status == 2 and one_sentence(err) and "holds nothing" in err and "13800001234" not in err
    assert call("privacy", "erase", "corner", "12", "--yes")[0] == 2


def test_privacy_lists_the_personal_columns_of_files_and_tables(call, home):
    call("new", "corner")
    put(home, "corner", customers__csv="customer_id,phone_hash,gender,联系地址\na,13800001234,female,Canary Road 5\n")
    status, said, _err = call("privacy", "columns", "corner")
    rows = [line.split() for line in said.splitlines()[1:]]
    assert status == 0 and rows == [
        ["customers.csv", "phone_hash", "direct", "hash"],
        ["customers.csv", "联系地址", "direct", "not", "carried"],
        ["customers", "customer_id", "direct", "as", "it", "is"],
        ["customers", "gender", "quasi", "as", "it", "is"],
        ["customers", "phone_hash", "direct", "hash"],
    ]
    assert "Canary" not in said
