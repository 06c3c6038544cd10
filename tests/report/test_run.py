"""Stories of the run: what is run and what is not, what a failure leaves, and how the report stays whole."""

import datetime as dt
import io
import subprocess
import sys
import time

import nbformat
import pytest
from rich.console import Console

from playbook.data.store import ShopError
from playbook.report import swap
from playbook.report.notebooks import notebooks
from playbook.report.progress import Lines, progress
from playbook.report.run import run

pytestmark = pytest.mark.usefixtures("corner")


def outcome(result):
    return result.ran, result.failed, result.skipped


# -- what is run


def test_a_report_has_a_page_for_each_notebook_its_figures_and_a_manifest(book, report, values, manifest, says):
    book("01_first", says("one", "len(shop)"))
    book("02_second", says("two", "level"), explore="raise SystemExit('a widget needs a person')")
    result = run("corner")
    assert outcome(result) == (("01_first", "02_second"), (), ())
    assert values() == {"one": 6, "two": 3}
    for name in ("01_first.html", "02_second.html", "index.html"):
        assert "Corner shop" in report(name) and "January 2024" in report(name)
    said = manifest()
    assert (said["shop"], said["period"], said["as_of"]) == ("corner", "2024-01", "2024-02-01")
    assert list(said["files"]) == ["orders.csv"] and said["rows"] == {"orders": 3}
    first = said["notebooks"]["01_first"]
    assert (first["state"], first["cached"]) == ("ok", False) and first["seconds"] > 0
    executed = nbformat.reads(report("01_first.ipynb"), 4)
    assert executed.metadata.playbook.key == first["key"]
    assert "building" not in report("01_first.ipynb")


def test_nothing_is_run_again_and_no_heavy_library_is_imported_where_nothing_has_changed(book, report, says):
    book("01_first", says("one", "1"))
    run("corner")
    before = report("index.html")
    code = (
        "import sys, time; from playbook.report.run import run; began = time.perf_counter(); r = run('corner')\n"
        "heavy = [m for m in ('pandas', 'ibis', 'duckdb', 'papermill', 'matplotlib', 'nbformat') if m in sys.modules]\n"
        "print(r.ran, heavy, time.perf_counter() - began < 1)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "() [] True\n"
    assert report("index.html") == before


def test_a_run_of_the_real_libraries_makes_no_noise(book, report):
    code = "from playbook import open_shop\nimport matplotlib.pyplot as plt\nopen_shop(shop, period)\nplt.plot([1, 2])"
    book("01_first", code)
    run_it = "from playbook.report.run import run; print(run('corner').ran)"
    said = subprocess.run([sys.executable, "-c", run_it], capture_output=True, text=True, check=True)
    assert (said.stdout, said.stderr) == ("('01_first',)\n", "")


def test_only_what_has_changed_is_run_and_what_comes_after_it(book, values, says):
    book("01_first", says("one", "1"))
    book("02_second", says("two", "2"), after=["01_first"])
    book("03_third", says("three", "3"))
    run("corner")
    path = book("01_first", says("one", "10"))
    assert run("corner").ran == ("01_first", "02_second")
    assert values() == {"one": 10, "two": 2, "three": 3}

    nb = nbformat.read(path, 4)  # somebody has run it in JupyterLab and saved it with its outputs
    nb.cells[-1].outputs, nb.cells[-1].execution_count = [nbformat.v4.new_output("stream", text="x")], 7
    nbformat.write(nb, path)
    assert run("corner").ran == ()


def test_new_orders_a_plan_a_ledger_or_another_setting_make_all_run_again(book, corner, make_shop, monkeypatch, says):
    book("01_first", says("one", "1"))
    run("corner")

    def runs():
        return len(run("corner").ran), len(run("corner").ran)

    (corner.folder / "plan").mkdir()
    (corner.folder / "plan" / "targets.csv").write_text("month,target\n2024-01,9\n")
    assert runs() == (1, 0)
    (corner.folder / "plan" / "proposed").mkdir()
    (corner.folder / "plan" / "proposed" / "targets.csv").write_text("what a report proposes is not a plan yet")
    assert runs() == (0, 0)
    (corner.folder / "ledger").mkdir()
    (corner.folder / "ledger" / "notes.txt").write_text("what people wrote down")
    assert runs() == (1, 0)
    (corner.folder / "shop.toml").write_text('title = "Corner"\nzone = "UTC"\ncurrency = "CNY"\n')
    assert runs() == (1, 0)
    make_shop("corner", {"more.csv": "id,time,amount\n4,2024-01-20 10:00:00,5\n"}, 'zone = "UTC"\ncurrency = "CNY"\n')
    assert runs() == (1, 0)


def test_fresh_runs_all_and_a_page_that_somebody_changed_is_made_again(book, report, says):
    book("01_first", says("one", "1"))
    book("02_second", says("two", "2"))
    result = run("corner")
    assert len(run("corner", fresh=True).ran) == 2
    page = report("01_first.html")
    (result.folder / "01_first.html").write_text("scribble")
    assert run("corner").ran == ()  # the notebooks are sound; the pages are written from them
    assert report("01_first.html") == page
    (result.folder / "02_second.ipynb").write_text("{}")
    assert run("corner").ran == ("02_second",)


# -- the order


def test_two_notebooks_run_at_once_and_a_third_waits_for_what_it_needs(book, tmp_path, home):
    meet = (
        "import time, pathlib\nhere = pathlib.Path('{here}'); here.touch()\n"
        "end = time.time() + 20\nwhile not pathlib.Path('{other}').exists(): assert time.time() < end; time.sleep(.05)"
    )
    a, b, c = (tmp_path / x for x in "abc")
    book("01_needy", f"import pathlib\nassert pathlib.Path('{c}').exists()", after=["03_second"])
    book("02_first", meet.format(here=a, other=b))
    book("03_second", meet.format(here=b, other=a), f"time.sleep(.3); pathlib.Path('{c}').touch()")
    assert outcome(run("corner", jobs=2)) == (("01_needy", "02_first", "03_second"), (), ())


def test_the_one_that_took_longest_last_time_begins_first(book, manifest, tmp_path):
    log = tmp_path / "log"
    note = f"open('{log}', 'a').write('{{}} ')"
    book("01_short", note.format("short"))
    book("02_long", note.format("long"), "import time; time.sleep(.5)")
    run("corner", jobs=1)
    run("corner", jobs=1, fresh=True)
    assert log.read_text().split() == ["short", "long", "long", "short"]


# -- what fails


def test_a_failure_is_on_its_page_and_stops_only_what_needs_it(book, report, manifest, values, says):
    book("01_bad", says("before", "1"), "1 / 0", says("never", "2"))
    book("02_needs", says("two", "2"), after=["01_bad"])
    book("03_needs_that", says("three", "3"), after=["02_needs"])
    book("04_good", says("four", "4"))
    result = run("corner")
    assert outcome(result) == (("01_bad", "04_good"), ("01_bad",), ("02_needs", "03_needs_that"))
    assert "ZeroDivisionError" in report("01_bad.html") and "did not run to its end" in report("01_bad.html")
    assert values() == {"before": 1, "four": 4}
    assert not (result.folder / "02_needs.html").exists()
    index = report("index.html")
    assert "Not all notebooks ran to their end." in index
    assert "It needs what did not run to its end: 01 Bad." in index
    states = {slug: entry["state"] for slug, entry in manifest()["notebooks"].items()}
    assert list(states.values()) == ["failed", "not run", "not run", "ok"]
    assert run("corner").ran == ("01_bad",)  # a failure is never taken as it is
    book("01_bad", says("before", "1"))
    assert outcome(run("corner")) == (("01_bad", "02_needs", "03_needs_that"), (), ())
    assert "Not all notebooks" not in report("index.html")


@pytest.mark.parametrize("kernels", ["fork", "spawn"])
def test_a_notebook_that_takes_too_long_or_loses_its_process_says_so(book, report, monkeypatch, kernels, says):
    monkeypatch.setenv("PLAYBOOK_KERNELS", kernels)
    book("01_endless", says("one", "1"), "import time\nwhile True: time.sleep(1)")
    book("02_killed", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    book("03_good", says("three", "3"))
    began = time.monotonic()
    result = run("corner", limit=3 / 60)
    assert result.failed == ("01_endless", "02_killed") and time.monotonic() - began < 20
    assert "It took longer than 0.05 minutes; `--limit` allows more." in report("01_endless.html")
    assert "SIGKILL" in report("02_killed.html")


def test_figures_that_contradict_each_other_fail_their_notebook_alone(book, report, values, says):
    book("01_torn", says("one", "1"), says("one", "2"))
    book("02_good", says("two", "2"))
    assert outcome(run("corner")) == (("01_torn", "02_good"), ("01_torn",), ())
    assert "the figure one" in report("01_torn.html")
    assert values() == {"two": 2}


def test_files_that_change_during_a_run_leave_the_last_report(book, corner, report, says):
    book("01_first", says("one", "1"))
    run("corner")
    before = report("index.html")
    book(
        "01_first",
        f"open('{corner.raw}/orders.csv', 'a').write('9,2024-01-20 10:00:00,5\\n')\n"
        "from playbook import open_shop\nopen_shop(shop)",
    )
    with pytest.raises(ShopError, match="files of corner have changed while its report was being made"):
        run("corner")
    assert report("index.html") == before


# -- a part of the book, and other parameters


def test_only_runs_the_named_ones_and_what_they_need_and_keeps_the_other_pages(book, values, report, manifest, says):
    book("01_first", says("one", "1"))
    book("02_second", says("two", "2"), after=["01_first"])
    book("03_third", says("three", "3"))
    assert run("corner", only=["02"]).ran == ("01_first", "02_second")
    assert manifest()["notebooks"]["03_third"]["state"] == "not run"
    run("corner")
    book("03_third", says("three", "30"))
    assert run("corner", only=["02_second"]).ran == ("02_second",)
    assert values() == {"one": 1, "two": 2, "three": 3}
    assert manifest()["notebooks"]["03_third"]["kept"]
    assert "Pages of an earlier run, though something that they depend on has changed since: 1." in report("index.html")
    assert run("corner").ran == ("03_third",)
    assert values()["three"] == 30 and "earlier run" not in report("index.html")
    with pytest.raises(ShopError, match="there is no notebook '9'; there is: 01, 02, 03"):
        run("corner", only=["9"])


def test_parameters_make_a_report_of_their_own_that_takes_over_what_they_do_not_touch(book, values, home, says):
    book("01_first", says("one", "level"))
    path = book("02_second", says("two", "2"))
    nb = nbformat.read(path, 4)
    nb.cells[1].source = 'shop: str = "corner"\nperiod: str = "latest"'
    nbformat.write(nb, path)
    run("corner")
    assert run("corner", said={"level": "5"}).ran == ("01_first",)
    assert values("2024-01~level=5") == {"one": 5, "two": 2}
    assert values() == {"one": 3, "two": 2}
    assert run("corner", said={"level": "5"}).ran == run("corner").ran == ()
    for said, problem in (
        ({"levle": "5"}, "no notebook has a parameter 'levle'; there is: level"),
        ({"level": "high"}, "level is to be a int, not 'high'"),
        ({"shop": "demo"}, "shop is no parameter to set with -p"),
    ):
        with pytest.raises(ShopError, match=problem):
            run("corner", said=said)


def test_nonsense_is_refused_before_anything_runs(book, says):
    book("01_first", says("one", "1"))
    for options, problem in (
        ({"jobs": 0}, "at least 1 notebook"),
        ({"limit": 0}, "more than 0 minutes"),
        ({"period": "2024-13"}, "is no period"),
    ):
        with pytest.raises(ValueError, match=problem):
            run("corner", **options)
    book("02_lost", says("two", "2"), after=["07_nowhere"])
    with pytest.raises(ShopError, match=r"02_lost.ipynb is to run after '07_nowhere', which is no notebook; there is"):
        run("corner")
    book("02_lost", says("two", "2"), after=["03_ring"])
    book("03_ring", says("two", "2"), after=["02_lost"])
    with pytest.raises(ShopError, match="wait for each other: 02_lost → 03_ring → 02_lost"):
        notebooks()


def test_a_period_is_named_the_same_with_and_without_the_span_in_the_accounting(book, corner, monkeypatch):
    from playbook.report.plan import scope

    accounting = {"currency": "CNY", "zone": "UTC", "span": {"first_day": "2024-01-01", "last_day": "2024-02-03"}}
    run_ingest = __import__("playbook.data.ingest", fromlist=["ingest"]).ingest(corner)
    for said in ("latest", "2024-W05"):
        light = scope(corner, accounting, said, "en", {})
        opened = scope(corner, {**run_ingest, "span": None}, said, "en", {})
        assert (light.period, light.last_day) == (opened.period, opened.last_day)
    assert light.last_day == dt.date(2024, 2, 3)


# -- both kinds of kernels, one or many at a time

DRAWS = """import matplotlib.pyplot as plt
import numpy as np
rng = np.random.default_rng(1)
for i in range(2):
    fig, ax = plt.subplots()
    ax.plot(rng.normal(size=20))
ax.set_title("Two pictures"); {"a", "b", "c", shop}"""


def shown(folder):
    """Outputs of all cells of a report's notebooks, without what counts and dates them."""
    out = {}
    for path in sorted(folder.glob("*.ipynb")):
        nb = nbformat.read(path, 4)
        out[path.stem] = [
            {k: v for k, v in o.items() if k != "execution_count"} for c in nb.cells for o in c.get("outputs", [])
        ]
    return out


def test_forked_and_ordinary_kernels_show_the_same_and_lose_no_picture(book, report, monkeypatch, says):
    book("01_draws", DRAWS, says("one", "float(rng.normal())"))
    book("02_imports_late", "from playbook.report import setup\nsetup()", DRAWS, says("two", "float(rng.normal())"))
    seen = []
    for kernels, jobs in (("fork", 2), ("spawn", 2), ("fork", 1)):
        monkeypatch.setenv("PLAYBOOK_KERNELS", kernels)
        result = run("corner", fresh=True, jobs=jobs)
        assert outcome(result) == (("01_draws", "02_imports_late"), (), ())
        seen.append((shown(result.folder), report("figures.json")))
        for outputs in seen[-1][0].values():
            assert sum("image/png" in o.get("data", {}) for o in outputs) == 2
    assert seen[0] == seen[1] == seen[2]


def test_an_unknown_kind_of_kernels_is_refused(book, monkeypatch, says):
    book("01_first", says("one", "1"))
    monkeypatch.setenv("PLAYBOOK_KERNELS", "threads")
    with pytest.raises(ShopError, match="PLAYBOOK_KERNELS is 'threads'; write one of fork, spawn"):
        run("corner")


# -- what is seen of it


def test_without_a_terminal_there_is_one_line_for_each_notebook_that_ended(book, says):
    book("01_first", says("one", "1"))
    book("02_bad", "1 / 0")
    book("03_needs", says("two", "2"), after=["02_bad"])
    console = Console(file=(text := io.StringIO()), width=200)
    assert type(progress(console)) is Lines
    run("corner", progress=progress(console), jobs=1)
    lines = text.getvalue().splitlines()
    assert lines[0] == "  1 files ingested" and len(lines) == 4
    assert lines[1].startswith("  01 First: ") and lines[1].endswith(" s")
    assert lines[2].startswith("  02 Bad: failed after ")
    assert lines[3] == "  03 Needs: not run. It needs what did not run to its end: 02 Bad."


def test_in_a_terminal_a_bar_goes_away_and_failures_stay(book, says):
    book("01_first", says("one", "1"))
    book("02_bad", "1 / 0")
    console = Console(file=(text := io.StringIO()), width=100, force_terminal=True, color_system=None)
    run("corner", progress=progress(console))
    assert "02 Bad: failed after" in text.getvalue() and "01 First: " not in text.getvalue()
    assert "2/2" in text.getvalue()


# -- two at once


def test_a_second_run_of_the_same_report_says_who_is_making_it(book, home, says):
    book("01_first", says("one", "1"))
    result = run("corner")
    with (
        swap.alone(result.folder),
        pytest.raises(ShopError, match=r"corner/2024-01 is being made just now, by process \d+"),
    ):
        run("corner")
    assert run("corner").ran == ()
    # a lock that a dead process left is none
    (result.folder.parent / ".2024-01.lock").write_text("1")
    assert run("corner", fresh=True).ran == ("01_first",)
