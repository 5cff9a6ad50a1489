"""Train an expression classifier on FER2013 and keep the epoch that PublicTest likes best.

    facecloak-train prepare fer2013 --source fer2013.csv --out runs/fer2013.npz
    facecloak-train fit --data runs/fer2013.npz --out runs/vgg19

Needs 1 GB of memory. Writes ``best.safetensors`` (the averaged weights), ``metrics.jsonl`` and the
same for TensorBoard, ``run.json``, and ``last.safetensors``, from which a killed run goes on to the
same result. PrivateTest is looked at once, after the last epoch, with ten crops. On several devices
or processes: ``torchrun --nproc-per-node N -m facecloak_train fit ...``.
"""

import logging

from facecloak_train import run
from facecloak_train.crew import assembled
from facecloak_train.data import features
from facecloak_train.measure.accuracy import ten_crop_accuracy
from facecloak_train.metrics import Metrics
from facecloak_train.settings import FitSettings
from facecloak_train.training import BEST, train

logger = logging.getLogger(__name__)


def fit_classifier(settings: FitSettings) -> float:
    """Train, or go on training, and return the ten-crop accuracy on PrivateTest in ``[0, 1]``."""
    splits = features.splits_of(settings.data, settings.features)
    with assembled() as crew:
        training = train(settings, splits, crew)
        tensors, state = run.load_checkpoint(settings.out / BEST)
        training.net.load_state_dict(tensors)
        public, private = (
            ten_crop_accuracy(training.net, splits[name], settings.input_px, crew.device)
            for name in ("PublicTest", "PrivateTest")
        )
        if crew.leads:
            with Metrics(settings.out, settings.epochs) as metrics:
                told = {"public_ten_crop": public, "private_ten_crop": private}
                metrics.add({"best_epoch": state["epoch"]} | told, state["epoch"])
            logger.info(
                "%s, epoch %d, ten crops: PublicTest %.2f %%, PrivateTest %.2f %%",
                settings.net,
                state["epoch"],
                100 * public,
                100 * private,
            )
    return private
