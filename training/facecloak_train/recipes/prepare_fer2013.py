"""Check FER2013 and write it as arrays.

    facecloak-train prepare fer2013 --source fer2013.csv --out runs/fer2013.npz

Takes half a minute. Says how many faces each split holds against how many it should, and what is
wrong with the set.
"""

import logging

from facecloak_train.data import fer2013, fer2013_forms
from facecloak_train.settings import PrepareSettings

logger = logging.getLogger(__name__)


def prepare_fer2013(settings: PrepareSettings) -> None:
    """Read, check, report, write. Raises DatasetError."""
    splits = fer2013_forms.read(settings.source)
    for split, expected in fer2013.COUNTS.items():
        found = len(splits[split])
        remark = "" if found == expected else f" (the official set has {expected})"
        logger.info("%s: %d faces%s", split, found, remark)
    for fault, count in fer2013.faults(splits).items():
        logger.info("%s: %d", fault, count)
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    fer2013.write_npz(settings.out, splits)
    logger.info("wrote %s", settings.out)
