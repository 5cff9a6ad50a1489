"""Which action units make which expression, in the stand-in set."""

from collections.abc import Mapping
from typing import Final

EMOTIONS: Final[Mapping[str, tuple[tuple[int, ...], ...]]] = {
    "happiness": ((12,), (6, 12), (12, 25), (6, 12, 25)),
    "disgust": ((9,), (10,), (4, 9), (9, 10), (10, 17)),
    "repression": ((14,), (15,), (17,), (23,), (14, 17), (15, 17)),
    "surprise": ((1, 2), (1, 2, 5), (1, 2, 25), (1, 2, 5, 25)),
    "others": ((4,), (7,), (4, 7), (1, 4), (20,), (4, 20)),
}
"""The five classes of CASME II's customary scheme, by units that its coders saw together.

Source of the scheme: Yan et al., "CASME II" (PLoS ONE 2014, table 2); the combinations are chosen
from it, and each is as frequent as any other of its class.
"""

SCHEMES: Final[Mapping[int, Mapping[str, tuple[str, ...]]]] = {
    3: {
        "negative": ("disgust", "repression", "others"),
        "positive": ("happiness",),
        "surprise": ("surprise",),
    },
    5: {emotion: (emotion,) for emotion in EMOTIONS},
}
"""The classes of each scheme and the emotions in each; that of three is MEGC's but for `others`,
which holds frowns here and counts as negative."""
