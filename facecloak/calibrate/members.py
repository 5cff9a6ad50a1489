"""Which member of a bank answers which crops, and what the fits of several members come to."""

from collections.abc import Mapping, Sequence

import numpy as np

from facecloak.calibrate.crops import FACE_FROM_CROP, Crops
from facecloak.calibrate.exam import Classifier
from facecloak.calibrate.fitting import Fit, Outcome
from facecloak.calibrate.gathering import LEAST
from facecloak.core.bank import Bank
from facecloak.core.perturbation import ANY
from facecloak.verify.crop import face_crop


def by_member(given: Bank, crops: Crops, classifiers: Sequence[Classifier]) -> dict[str, Crops]:
    """The crops by the member that each gets live, the most seen member first.

    Members with too few crops to say anything are left out; where all have too few, the member of
    most crops gets all of them.

    Args:
        given: the bank.
        crops: of one person, in the order of time.
        classifiers: of still faces; where the bank's selector is not among them, as live, every
            face gets the member for every face.

    Raises:
        DeviceError: ONNX Runtime failed.
    """
    selector = next((one for one in classifiers if one.card.name == given.selector), None)
    if selector is None:
        return {ANY: crops}
    size_px = selector.card.input_px
    faces = [face_crop(np.repeat(c[..., None], 3, 2), FACE_FROM_CROP, size_px) for c in crops]
    read = [selector.card.labels[best] for best in selector.logits(np.stack(faces)).argmax(axis=1)]
    member = np.array([label if label in given.members else ANY for label in read])
    counts = {str(label): int((member == label).sum()) for label in set(member)}
    most = sorted(counts, key=lambda label: (-counts[label], label))
    parts = {label: crops[member == label] for label in most if counts[label] >= LEAST}
    return parts or {most[0]: crops}


def together(fits: Mapping[str, Fit], *, written: bool) -> dict[str, tuple[Outcome, Outcome]]:
    """What each judge makes of all crops that were held out, before and after, by its name.

    Args:
        fits: of the members, by their labels.
        written: after what is written, where members that gain nothing stay as they were; else
            after what was found.
    """
    total = sum(fit.held_out for fit in fits.values())

    def mean(parts: Sequence[Outcome]) -> Outcome:
        share = [fit.held_out / total for fit in fits.values()]
        return Outcome(
            parts[0].judge,
            sum(w * one.rate for w, one in zip(share, parts, strict=True)),
            sum(w * one.lead for w, one in zip(share, parts, strict=True)),
        )

    befores = [fit.before for fit in fits.values()]
    afters = [fit.before if written and not fit.helped else fit.after for fit in fits.values()]
    return {
        before[0].judge: (mean(before), mean(after))
        for before, after in zip(zip(*befores, strict=True), zip(*afters, strict=True), strict=True)
    }
