"""How long does a report of equal notebooks take beside plain papermill, one notebook after another?

    python benchmarks/runner.py [--notebooks 8] [--like 07a] [--jobs N]

One notebook of the book is copied; each way runs all copies once, for a demo shop in a home of its own, and both must
show the same figures and the same pictures. Ours writes the pages as well. The bound that the book sets itself: at most
0.35 of papermill's time, on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PERIOD = "2026-10"

INGEST = (
    "from playbook.data.ingest import ingest; from playbook.data.store import open_store; ingest(open_store('demo'))"
)


def shown(path: Path) -> tuple[list[str], list[dict]]:
    """The pictures and the figures of an executed notebook."""
    pictures, figures = [], []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            pictures += ["".join(data["image/png"])] if "image/png" in data else []
            figures += data.get("application/vnd.playbook.figures+json", [])
    return pictures, figures


def timed(*command: str, env: dict[str, str], cwd: Path) -> complex:
    """Seconds of a command, and as imaginary part those of processor time; its words are shown where it fails."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return complex(time.perf_counter() - began, used)


def main() -> None:
    """Print the seconds of both ways, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notebooks", type=int, default=8)
    parser.add_argument("--like", default="07a", help="number of the notebook that is copied")
    parser.add_argument("--jobs", type=int)
    args = parser.parse_args()
    source = next((ROOT / "notebooks").glob(f"{args.like}_*.ipynb"))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        env = {**os.environ, "PLAYBOOK_HOME": str(home)}
        python = [sys.executable, "-W", "ignore", "-m"]
        (home / "data").mkdir()
        (home / "notebooks").mkdir()
        (home / "plain").mkdir()
        copies = [f"{i:02d}_copy" for i in range(1, args.notebooks + 1)]
        for name in copies:
            shutil.copy(source, home / "notebooks" / f"{name}.ipynb")
        timed(*python, "playbook.cli", "demo", env=env, cwd=home)
        timed(sys.executable, "-c", INGEST, env=env, cwd=home)

        def papermill(names: list[str]) -> complex:
            return sum(
                timed(
                    *python, "papermill", f"{name}.ipynb", str(home / "plain" / f"{name}.ipynb"),
                    "-p", "shop", "demo", "-p", "period", PERIOD, "--no-progress-bar",
                    env=env, cwd=home / "notebooks",
                )
                for name in names
            )  # fmt: skip

        # one half before and one half after, so that what else the machine does weighs on both
        jobs = ["--jobs", str(args.jobs)] if args.jobs else []
        plain = papermill(copies[::2])
        ours = timed(*python, "playbook.cli", "run", "demo", "--period", PERIOD, *jobs, env=env, cwd=home)
        plain += papermill(copies[1::2])
        again = timed(*python, "playbook.cli", "run", "demo", "--period", PERIOD, env=env, cwd=home)
        pictures = figures = 0
        for name in copies:
            mine, theirs = (shown(home / way / f"{name}.ipynb") for way in (f"reports/demo/{PERIOD}", "plain"))
            if mine != theirs:
                raise SystemExit(f"{name} shows different figures or pictures in the two ways")
            pictures, figures = pictures + len(mine[0]), figures + len(mine[1])
    for what, t in (("papermill, one by one", plain), ("playbook run", ours), ("playbook run again", again)):
        print(f"{what:22} {t.real:6.1f} s, {t.imag:6.1f} s of processor time")
    print(f"ratio                  {ours.real / plain.real:6.2f}    {ours.imag / plain.imag:6.2f}")
    print(f"both show {pictures} pictures and {figures} figures, the same")


if __name__ == "__main__":
    main()
