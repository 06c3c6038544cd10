"""Is the last good report still there when a run is killed at any moment, and does the next run just work?

    python benchmarks/kills.py [--kills 30] [--seed 1]

A small demo shop in a home of its own. Each round kills ``playbook run --fresh`` with SIGKILL after a random time (in
every third round the tables are built anew, too), looks whether the last report is whole and the same, whether any
process is left, and runs once more: figures byte-equal, pages equal apart from times.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TIMES = re.compile(r"(?:\d+ min )?\d+ s(?=</)")


class Home:
    """A home with a demo shop, and its report."""

    def __init__(self, folder: Path):
        self.folder, self.report = folder, folder / "reports" / "demo" / "2026-10"
        self.env = {**os.environ, "PLAYBOOK_HOME": str(folder)}
        (folder / "data").mkdir()
        shutil.copytree(ROOT / "notebooks", folder / "notebooks")
        self.start("demo", "--scale", "0.05").wait()

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "playbook.cli", *words]
        return subprocess.Popen(
            command, env=self.env, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self) -> float:
        """Run the whole book; seconds."""
        began = time.monotonic()
        process = self.start("run", "demo", "--period", "2026-10", "--fresh")
        said, _none = process.communicate()
        if process.returncode:
            raise SystemExit(f"a run failed:\n{said}")
        return time.monotonic() - began

    def content(self) -> dict[str, str]:
        """Figures and pages, without times; a report that is not whole is an error."""
        written = json.loads((self.report / "manifest.json").read_text())["pages"]
        for name, digest in written.items():
            if hashlib.sha256((self.report / name).read_bytes()).hexdigest() != digest:
                raise SystemExit(f"{name} is not what its manifest says")
        names = [n for n in written if not n.endswith(".ipynb")]
        return {n: TIMES.sub("", (self.report / n).read_text(encoding="utf-8")) for n in sorted(names)}

    def left(self) -> list[int]:
        """Processes that work for this home."""
        mark, found = f"PLAYBOOK_HOME={self.folder}".encode(), []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                found += [int(path.parent.name)] if mark in path.read_bytes().split(b"\0") else []
            except OSError:
                continue
        return found


def main() -> None:
    """Print what happened, one line a round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.run()  # a report compares itself with the last one, so the first differs from all later ones
        usual = home.run()
        good = home.content()
        print(f"undisturbed: {usual:.1f} s, {len(good)} files compared", flush=True)
        killed = 0
        for i in range(1, args.kills + 1):
            if i % 3 == 0:
                shutil.rmtree(home.folder / "data" / "demo" / "tables")
            process = home.start("run", "demo", "--period", "2026-10", "--fresh")
            after = rng.uniform(0, 1.05 * usual)
            time.sleep(after)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
            if home.content() != good:
                raise SystemExit(f"round {i}: after {after:.1f} s the last report is not what it was")
            gone = time.monotonic()
            while home.left():
                if time.monotonic() - gone > 5:
                    raise SystemExit(f"round {i}: processes left behind: {home.left()}")
                time.sleep(0.02)
            gone = time.monotonic() - gone
            usual = 0.7 * usual + 0.3 * home.run()
            if home.content() != good:
                raise SystemExit(f"round {i}: the next run gives another report")
            print(f"round {i}: killed after {after:.1f} s, all processes gone {gone:.2f} s later", flush=True)
        print(f"{killed} of {args.kills} runs were killed; every report was whole, every next run the same")


if __name__ == "__main__":
    main()
