"""Columns of text made from numbers, without a Python object a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def hexes(bits: np.ndarray) -> pd.api.extensions.ExtensionArray:
    """Sixteen hexadecimal digits for each 64 bits."""
    octets = bits.astype(">u8").view(np.uint8)
    digits = _DIGITS[np.column_stack([octets >> 4, octets & 15]).ravel()]
    ends = np.arange(len(bits) + 1, dtype=np.int64) * 16
    words = pa.Array.from_buffers(pa.large_string(), len(bits), [None, pa.py_buffer(ends), pa.py_buffer(digits)])
    return pd.array(words, dtype="str")


def named(labels: Sequence[str] | np.ndarray, code: np.ndarray) -> pd.api.extensions.ExtensionArray:
    """The label of each code; −1 is missing."""
    words = pa.array(list(labels), type=pa.large_string())
    return pd.array(words.take(pa.array(code.astype(np.int32), mask=code < 0)), dtype="str")


def fen(value: np.ndarray, missing: np.ndarray) -> pd.arrays.IntegerArray:
    """Whole fen, some of them missing."""
    return pd.arrays.IntegerArray(value.astype(np.int64), missing)
