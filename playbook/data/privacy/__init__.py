"""Privacy (PIPL): which columns are personal, who has agreed, what is held on a person, and how it is erased.

`columns` classifies what the files bring; `with_consent` leaves those who agreed; `suppressed` hides small cells in
what leaves the shop; `access` and `erase` answer a person who asks what is held on her, or asks to be forgotten.

References
----------
Personal Information Protection Law of the People's Republic of China (2021), articles 6 (no more than needed), 13 and
14 (consent), 44 and 45 (access), 47 (deletion), 51 (classification, de-identification).
"""

from .cells import suppressed
from .columns import CLASSES, class_of, columns
from .consent import with_consent
from .erasure import Erased, erase
from .subject import Subject, access, subject

__all__ = [
    "CLASSES",
    "Erased",
    "Subject",
    "access",
    "class_of",
    "columns",
    "erase",
    "subject",
    "suppressed",
    "with_consent",
]
