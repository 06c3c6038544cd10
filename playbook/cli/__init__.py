"""The command line: thin over the package. What a user gets wrong is one sentence with its remedy.

Status on leaving: 0 all is well, 1 the answer is no (a notebook failed, no report can be made, no format fits), 2 the
line or the data are wrong, 3 the book itself is.
"""

from . import audiences, commands, doctor, formats, lab, ledger, privacy
from .app import app, main

__all__ = ["app", "audiences", "commands", "doctor", "formats", "lab", "ledger", "main", "privacy"]
