"""Did it work: what a measure changed, beside what would have come without it, and which comparison says so."""

from .differences import difference_in_differences, parallel_trends
from .interrupted import interrupted, placebo_in_space, placebo_in_time, pull_forward
from .result import Impact

__all__ = [
    "Impact", "difference_in_differences", "interrupted", "parallel_trends", "placebo_in_space", "placebo_in_time",
    "pull_forward",
]  # fmt: skip
