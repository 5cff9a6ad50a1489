"""A tiny FER2013 whose classes can be learnt: a bright bar at a height that tells the class."""

import numpy as np
import pytest
import torch
from facecloak_train import nets
from facecloak_train.data.fer2013 import Faces, write_npz
from facecloak_train.recipes.fit_classifier import fit_classifier
from facecloak_train.settings import FitSettings, Jitter
from torch import nn
from tqdm import tqdm


class TinyNet(nn.Module):
    """A few hundred weights in place of twenty million; takes any size."""

    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 5, stride=2, padding=2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d((7, 1)),
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(56, classes),
        )

    def forward(self, faces):
        return self.features(faces)


@pytest.fixture
def tiny_net(monkeypatch):
    monkeypatch.setitem(nets.NETS, "tiny", TinyNet)
    return "tiny"


@pytest.fixture
def tiny_faces(tmp_path):
    rng = np.random.default_rng(0)
    splits = {}
    for split, count in (("Training", 140), ("PublicTest", 35), ("PrivateTest", 35)):
        labels = np.arange(count) % 7
        images = rng.integers(90, 120, (count, 48, 48)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[3 + 6 * label : 8 + 6 * label] += 40
        splits[split] = Faces(images, labels.astype(np.int64))
    path = tmp_path / "tiny.npz"
    write_npz(path, splits)
    return path


@pytest.fixture
def tiny_settings(tiny_net, tiny_faces, tmp_path):
    """Makes settings of runs, by name, in which the tiny network learns the tiny set."""

    def make(name, **changes):
        usual = {
            "data": tiny_faces,
            "out": tmp_path / name,
            "net": tiny_net,
            "epochs": 12,
            "small_epochs": 0,
            "batch": 20,
            "learning_rate": 0.02,
            "average_decay": 0.8,
            "jitter": Jitter(rotation_deg=3, shift=0.01, scale=0.02),
        }
        return FitSettings(**usual | changes)

    return make


@pytest.fixture
def tiny_weights(tiny_settings):
    settings = tiny_settings("run")
    fit_classifier(settings)
    return settings.out / "best.safetensors"


@pytest.fixture(autouse=True)
def no_tqdm_thread(monkeypatch):
    monkeypatch.setattr(tqdm, "monitor_interval", 0)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
