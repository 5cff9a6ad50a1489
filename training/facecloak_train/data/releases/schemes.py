"""Class schemes: which of a release's labels make which class."""

from collections.abc import Mapping
from typing import Final

from facecloak.core.errors import ConfigError
from facecloak_train.data.releases import casme, casme2, casme_squared, smic
from facecloak_train.data.releases.release import Sample

LEAST: Final = 10
"""Clips that the whole release must have of a label for ``original`` to take it as a class."""
THREE: Final = ("negative", "positive", "surprise")
"""The classes of MEGC."""
MEGC_LEFT_OUT: Final = frozenset(
    {
        ("casme2", "sub04", "EP12_01f"),
        ("casme2", "sub05", "EP12_03f"),
        ("casme2", "sub24", "EP02_07"),
    }
)
"""Clips that the list of MEGC 2019 does not have."""


def _frequent(counts: Mapping[str, int]) -> dict[str, str]:
    """Each label of which there are enough clips, as a class of its own, by name."""
    return {label: label for label in sorted(counts) if counts[label] >= LEAST}


_THREE: Final = {one: one for one in THREE}
_SCHEMES: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "megc": {
        "casme": {
            **dict.fromkeys(("contempt", "disgust", "fear", "repression", "sadness"), "negative"),
            "happiness": "positive",
            "surprise": "surprise",
        },
        "casme2": {
            **dict.fromkeys(("disgust", "repression"), "negative"),
            "happiness": "positive",
            "surprise": "surprise",
        },
        "casme-squared": _THREE,
        "smic": _THREE,
    },
    "original": {
        "casme": _frequent(casme.EXPECTED.labels),
        "casme2": _frequent(casme2.EXPECTED.labels),
        "casme-squared": _THREE | {"others": "others"},
        "smic": _THREE,
    },
    "five": {
        "casme2": {
            one: one for one in ("happiness", "disgust", "repression", "surprise", "others")
        },
    },
    "stcnn": {
        "casme-squared": {one: one for one in casme_squared.VIDEO_LABELS},
        "smic": {one: one for one in smic.CODES.values()},
    },
}
SCHEMES: Final = tuple(_SCHEMES)
"""Their names.

megc
    Negative, positive and surprise, as the Micro-Expression Grand Challenge of 2019 merges them:
    of CASME II disgust and repression are negative, others, sadness and fear are dropped. CASME was
    not part of it; there its rule for negative is followed and ``tense`` dropped.
original
    The release's own labels, those with at least :data:`LEAST` clips. The paper of LEARNet works on
    original labels, but which it drops or merges is not known, so this stands in for its classes.
five
    CASME II without fear and sadness, the usual five classes.
stcnn
    As MicroExpSTCNN has them: of CAS(ME)^2 recordings for happiness, anger and disgust (variant
    ``videos``), of SMIC its three classes.
"""


def classes_of(scheme: str, dataset: str) -> tuple[str, ...]:
    """Names of the classes, in the order of their indices.

    Raises:
        ConfigError: there is no such scheme, or not for this dataset.
    """
    return tuple(dict.fromkeys(_merges(scheme, dataset).values()))


def label_of(scheme: str, dataset: str, label: str) -> int | None:
    """Index of the class that a label belongs to; None where the scheme drops it.

    Raises:
        ConfigError: there is no such scheme, or not for this dataset.
    """
    name = _merges(scheme, dataset).get(label)
    return None if name is None else classes_of(scheme, dataset).index(name)


def label_of_sample(scheme: str, sample: Sample) -> int | None:
    """The same of a sample: MEGC leaves out some clips by name, too."""
    if scheme == "megc" and (sample.dataset, sample.subject, sample.name) in MEGC_LEFT_OUT:
        return None
    return label_of(scheme, sample.dataset, sample.label)


def _merges(scheme: str, dataset: str) -> Mapping[str, str]:
    if scheme not in _SCHEMES:
        msg = f"There is no class scheme {scheme!r}."
        raise ConfigError(msg, f"Choose one of {', '.join(SCHEMES)}.")
    if dataset not in _SCHEMES[scheme]:
        fitting = [one for one, datasets in _SCHEMES.items() if dataset in datasets]
        msg = f"The class scheme {scheme} is not for {dataset}."
        raise ConfigError(msg, f"Choose one of {', '.join(fitting)}.")
    return _SCHEMES[scheme][dataset]
