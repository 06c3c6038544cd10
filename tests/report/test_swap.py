"""Stories of the swap: a whole report at any moment, whatever the system can do and wherever a run was killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from playbook.report import swap


@pytest.fixture
def final(tmp_path):
    folder = tmp_path / "2026-10"
    folder.mkdir()
    (folder / "index.html").write_text("old")
    return folder


def text(folder):
    return (folder / "index.html").read_text()


def hidden(folder):
    return sorted(p.name for p in folder.parent.iterdir() if p.name.startswith("."))


@pytest.mark.parametrize("in_one_step", [True, False])
def test_a_finished_report_takes_the_place_of_the_last_and_leaves_nothing_beside_it(final, monkeypatch, in_one_step):
    if not in_one_step:
        monkeypatch.setattr(swap, "_exchanged", lambda one, other: False)
    for new in ("new", "newer"):
        with swap.building(final) as folder:
            (folder / "index.html").write_text(new)
            assert text(final) != new
        assert text(final) == new and hidden(final) == []
    fresh = final.with_name("2026-11")
    with swap.building(fresh) as folder:
        (folder / "index.html").write_text("first")
    assert text(fresh) == "first"


def test_an_error_while_building_leaves_the_last_report(final):
    with pytest.raises(KeyboardInterrupt), swap.building(final) as folder:
        (folder / "index.html").write_text("half")
        raise KeyboardInterrupt
    assert text(final) == "old" and hidden(final) == []


def test_a_swap_that_was_killed_between_its_two_steps_is_taken_back(final):
    (building := final.with_name(".2026-10.building")).mkdir()
    final.rename(final.with_name(".2026-10.old"))
    swap.recover(final)
    assert text(final) == "old" and not building.exists() and hidden(final) == []


def test_a_swap_that_was_killed_after_its_second_step_is_done(final):
    (old := final.with_name(".2026-10.old")).mkdir()
    (old / "index.html").write_text("older")
    swap.recover(final)
    assert text(final) == "old" and hidden(final) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux is known to exchange folders in one step")
def test_a_reader_never_finds_a_report_missing(final):
    looking = (
        "import sys, pathlib\np = pathlib.Path(sys.argv[1]) / 'index.html'\nprint('go', flush=True)\nseen = set()\n"
        "while (text := p.read_text()) != 'end': seen.add(text)\nprint(len(seen) > 1)"
    )
    reader = subprocess.Popen([sys.executable, "-c", looking, str(final)], stdout=subprocess.PIPE, text=True)
    assert reader.stdout.readline() == "go\n"
    for i in [*range(300), "end"]:
        with swap.building(final) as folder:
            (folder / "index.html").write_text(str(i))
    assert reader.communicate(timeout=20)[0] == "True\n"


# -- a run that is killed leaves no process behind


def working_for(home):
    mark = f"PLAYBOOK_HOME={home}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += [int(path.parent.name)] if mark in path.read_bytes().split(b"\0") else []
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def wait_for(question, seconds):
    end = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize("kernels", ["fork", "spawn"])
def test_when_the_runner_is_killed_its_kernels_go_and_the_next_run_works(
    book, corner, home, says, report, monkeypatch, tmp_path, kernels
):
    from playbook.report.run import run

    monkeypatch.setenv("PLAYBOOK_KERNELS", kernels)
    book("01_first", says("one", "1"))
    run("corner")
    before = report("index.html"), report("figures.json")
    # forked, its children go with it, too
    child = "import subprocess; subprocess.Popen(['sleep', '60'])\n" if kernels == "fork" else ""
    book("01_first", f"{child}open('{tmp_path}/there', 'w').close()\nimport time; time.sleep(60)")
    code = "from playbook.report.run import run; run('corner')"
    runner = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PLAYBOOK_HOME": str(home)})
    wait_for((tmp_path / "there").exists, 30)
    assert len(working_for(home)) >= 2
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    wait_for(lambda: not working_for(home), 1 if kernels == "fork" else 4)
    assert (report("index.html"), report("figures.json")) == before
    book("01_first", says("one", "1"))
    assert run("corner").ran == ()  # nothing has been lost
    assert hidden(home / "reports" / "corner" / "2024-01") == [".2024-01.lock"]
