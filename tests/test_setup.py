"""A fresh machine: the interpreter is found, set-up happens once, and the lists of packages agree."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()


# --- .ci/find-python -------------------------------------------------------------------------------


def fake_python(path: Path, version: str) -> Path:
    """An interpreter that answers the script's question with `version` and its own path."""
    return program(path, f'echo "{version} $0"')


def broken_shim(path: Path) -> Path:
    """What pyenv leaves on the PATH for a version that is installed but not chosen."""
    return program(path, 'echo "pyenv: python3.13: command not found" >&2; exit 127')


def program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def find_python(home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the script under the strictest shell at hand, with nothing but `home` to look in."""
    shell = shutil.which("dash") or "/bin/sh"
    return subprocess.run(
        [shell, str(ROOT / ".ci/find-python")],
        env={"PATH": str(home / "bin"), "HOME": str(home), **env},
        capture_output=True,
        text=True,
    )


def assert_finds(python: Path, answer: subprocess.CompletedProcess[str]) -> None:
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, f"{python}\n", "")


def test_a_shim_that_fails_is_passed_over_for_the_one_in_pyenv(tmp_path):
    fake_python(tmp_path / "bin/python3", "3.11")
    broken_shim(tmp_path / "bin/python3.13")
    broken_shim(tmp_path / "bin/python3.12")
    fake_python(tmp_path / ".pyenv/versions/3.11.7/bin/python", "3.11")
    in_pyenv = fake_python(tmp_path / ".pyenv/versions/3.12.1/bin/python", "3.12")
    assert_finds(in_pyenv, find_python(tmp_path))


def test_pyenv_may_live_elsewhere(tmp_path):
    python = fake_python(tmp_path / "elsewhere/versions/3.13.0/bin/python", "3.13")
    assert_finds(python, find_python(tmp_path, PYENV_ROOT=str(tmp_path / "elsewhere")))


def test_conda_alone_will_do(tmp_path):
    fake_python(tmp_path / "miniforge3/bin/python", "3.10")
    in_conda = fake_python(tmp_path / "miniforge3/envs/shop/bin/python", "3.12")
    assert_finds(in_conda, find_python(tmp_path))


def test_conda_is_found_where_its_command_says(tmp_path):
    python = fake_python(tmp_path / "apps/conda/bin/python", "3.13")
    assert_finds(python, find_python(tmp_path, CONDA_EXE=str(tmp_path / "apps/conda/bin/conda")))


def test_uv_lends_what_it_fetched(tmp_path):
    python = fake_python(tmp_path / "store/python", "3.12")
    program(tmp_path / "bin/uv", f'case "$*" in *" 3.12") echo "{python}" ;; *) exit 2 ;; esac')
    assert_finds(python, find_python(tmp_path))


def test_3_13_comes_before_3_12_and_that_before_newer(tmp_path):
    newer = fake_python(tmp_path / "bin/python3", "3.14")
    assert_finds(newer, find_python(tmp_path))
    older = fake_python(tmp_path / "bin/python3.12", "3.12")
    assert_finds(older, find_python(tmp_path))
    best = fake_python(tmp_path / ".pyenv/versions/3.13.0/bin/python", "3.13")
    assert_finds(best, find_python(tmp_path))


def test_the_one_that_the_caller_names_wins_if_it_will_do(tmp_path):
    found = fake_python(tmp_path / "bin/python3.13", "3.13")
    named = fake_python(tmp_path / "mine/python", "3.12")
    assert_finds(named, find_python(tmp_path, PYTHON=str(named)))
    too_old = fake_python(tmp_path / "mine/old", "3.9")
    assert_finds(found, find_python(tmp_path, PYTHON=str(too_old)))


@pytest.mark.skipif(Path("/opt/conda").exists(), reason="the script looks there too")
def test_only_old_ones_end_in_one_sentence_with_the_remedy(tmp_path):
    fake_python(tmp_path / "bin/python3", "3.11")
    fake_python(tmp_path / "bin/python", "2.7")
    fake_python(tmp_path / ".pyenv/versions/3.8.18/bin/python", "3.8")
    answer = find_python(tmp_path)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert re.fullmatch(r"No Python 3\.12 or newer .*: install Python 3\.13 .*\.\n", answer.stderr)
    assert answer.stderr.count("\n") == 1


# --- Makefile --------------------------------------------------------------------------------------


@pytest.fixture
def ready(tmp_path):
    """A copy of the project that looks as it does after `make report test`."""
    house = tmp_path / "house"
    shutil.copytree(ROOT / ".ci", house / ".ci")
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy2(ROOT / name, house / name)
    program(house / ".venv/bin/python", "exit 0")
    fake_python(house / "python3.12", "3.12")
    (house / ".venv/made-for").write_text(f"{house.resolve()}\n{house / 'python3.12'}\n")
    (house / ".venv/runtime").touch()
    (house / ".venv/dev").touch()
    return house


def plan(house: Path, *targets: str) -> str:
    """What make would do."""
    # The tests may themselves run under make, whose options and variables are not meant for this one.
    outer = ("PYTHON", "ARGS", "MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MFLAGS")
    env = {name: value for name, value in os.environ.items() if name not in outer}
    return subprocess.run(
        ["make", "--dry-run", *targets], cwd=house, env=env, capture_output=True, text=True, check=True
    ).stdout


def test_a_second_call_sets_nothing_up(ready):
    assert plan(ready, "report").split() == [".venv/bin/playbook", "run", "demo"]
    (tests,) = plan(ready, "test").splitlines()
    assert tests.startswith(".venv/bin/pytest ") and '-m "not truth"' in tests


def test_a_change_of_the_lists_installs_again_in_the_same_venv(ready):
    later = (ready / ".venv/dev").stat().st_mtime + 10
    os.utime(ready / "requirements.lock", (later, later))
    steps = plan(ready, "report")
    assert "pip install" in steps
    assert "-m venv" not in steps


@pytest.mark.parametrize("mishap", ["moved", "python gone", "half made", "another python named"])
def test_a_venv_that_will_not_do_is_made_anew(ready, mishap):
    named = []
    if mishap == "moved":
        ready = ready.rename(ready.with_name("moved"))
    elif mishap == "python gone":
        (ready / ".venv/bin/python").unlink()
    elif mishap == "half made":
        (ready / ".venv/made-for").unlink()
    else:
        named = [f"PYTHON={fake_python(ready / 'python3.13', '3.13')}"]
    steps = plan(ready, "report", *named)
    assert steps.index("rm -rf .venv") < steps.index("-m venv .venv") < steps.index("--editable .")


def test_the_python_it_was_made_with_may_be_named(ready):
    steps = plan(ready, "report", f"PYTHON={ready / 'python3.12'}")
    assert steps.split() == [".venv/bin/playbook", "run", "demo"]


# --- lists of packages -----------------------------------------------------------------------------


def test_each_lock_line_is_a_name_and_a_version():
    lines = [re.fullmatch(r"([a-z0-9]+(?:-[a-z0-9]+)*)==([0-9][0-9a-z.]*)", line) for line in LOCK]
    assert [line for line, match in zip(LOCK, lines, strict=True) if not match] == []
    names = [match[1] for match in lines]
    assert names == sorted(set(names))


def test_the_lock_pins_every_direct_dependency_to_a_version_that_it_allows():
    pinned = dict(line.split("==") for line in LOCK)
    groups = [PYPROJECT["project"]["dependencies"], *PYPROJECT["dependency-groups"].values()]
    wanted = [Requirement(entry) for group in groups for entry in group]
    assert [r.name for r in wanted if canonicalize_name(r.name) not in pinned] == []
    assert [str(r) for r in wanted if pinned[canonicalize_name(r.name)] not in r.specifier] == []


def test_conda_is_told_the_python_and_takes_the_rest_from_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, *rest = environment["dependencies"]
    assert python.removeprefix("python=") in SpecifierSet(PYPROJECT["project"]["requires-python"])
    assert rest == ["pip", {"pip": ["--constraint requirements.lock", "--editable ."]}]


def test_all_that_the_package_reads_is_packed_with_it():
    package = ROOT / "playbook"
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["playbook"]
    packed = {path for pattern in patterns for path in package.glob(pattern)}
    files = {p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    left_out = [p for p in files - packed if p.suffix != ".py" and ".ipynb_checkpoints" not in p.parts]
    assert left_out == [], "name them in pyproject.toml under package-data"
