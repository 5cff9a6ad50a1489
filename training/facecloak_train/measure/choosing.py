"""What the selector of a bank reads in a face, as a judge tells it live."""

from facecloak.core import artifacts
from facecloak.core.bank import Bank
from facecloak.core.types import Face, Frame, Reading, Verdict
from facecloak.verify.crop import face_crop
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak_train import run


class Chooser:
    """Reads faces as captured with the classifier that chooses the members of a bank.

    Args:
        bank: one of several perturbations, or of one, where there is nothing to choose.

    Raises:
        RunError: its selector does not ship.
    """

    def __init__(self, bank: Bank) -> None:
        self._selector: OnnxClassifier | None = None
        if not bank.selector:
            return
        judges = (OnnxClassifier(path, "cpu") for path in artifacts.models())
        self._selector = next((one for one in judges if one.card.name == bank.selector), None)
        if self._selector is None:
            msg = f"the perturbation is chosen by {bank.selector}, which is not in models/"
            raise run.RunError(msg)

    def read(self, frame: Frame, face: Face) -> tuple[Verdict, ...]:
        """For a cloak, before the face is first cloaked, so that it gets its member at once.

        Args:
            frame: as captured.
            face: with a track that the cloak has not seen.

        Returns:
            One verdict; none where there is nothing to choose.
        """
        if self._selector is None:
            return ()
        card = self._selector.card
        crop = face_crop(frame.image, face.face_from_frame, card.input_px)
        reading = Reading(card.labels[int(self._selector.logits(crop[None])[0].argmax())], 1.0)
        return (Verdict(card.name, face.track, frame.captured_s, reading, reading, fooled=False),)
