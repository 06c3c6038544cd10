"""Grading against planted truth: every grade lands in one table, printed when `make truth` ends."""

import functools

import pytest
from grading import Grades, table

from playbook.data.demo.blocks import make_block
from playbook.data.demo.world import make_world

GRADES = Grades()


@pytest.fixture
def grades() -> Grades:
    """Where a test puts what it estimated, beside the truth."""
    return GRADES


@pytest.fixture(scope="session")
def planted():
    """A world of a seed and a scale, and what its people did."""

    @functools.lru_cache(maxsize=2)
    def make(seed: int, scale: float = 1.0, until: str = "2026-10"):
        world = make_world(scale=scale, seed=seed, until=until)
        return world, make_block(world, 0, scale)

    return make


def pytest_terminal_summary(terminalreporter):
    if GRADES.rows:
        terminalreporter.section("what the methods find of what was planted")
        terminalreporter.write_line(table(GRADES.rows).to_string())
