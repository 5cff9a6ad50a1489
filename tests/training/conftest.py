"""A tiny FER2013 whose classes can be learnt: a bright bar at a height that tells the class."""

import numpy as np
import pytest
import torch
from facecloak_train import nets
from facecloak_train.data.clips import Clip, write_clips
from facecloak_train.data.fer2013 import Faces, write_npz
from facecloak_train.recipes.fit_classifier import fit_classifier
from facecloak_train.settings import ClipTraining, FitClipsSettings, FitSettings, Jitter
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


class TinyClipNet(nn.Module):
    """Sees by how much each half of the face grows lighter from the first frame to the last."""

    def __init__(self, classes, frames):
        super().__init__()
        self.head = nn.Linear(2, classes)

    def forward(self, clips):
        change = (clips[:, -1] - clips[:, 0]) * 10.0
        return self.head(torch.stack([change[:, :56].mean((1, 2)), change[:, 56:].mean((1, 2))], 1))


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


@pytest.fixture
def tiny_clips(tmp_path, monkeypatch):
    """Three classes: the upper half grows lighter, the lower half does, nothing does."""
    monkeypatch.setitem(nets.CLIP_NETS, "tiny", TinyClipNet)
    rng = np.random.default_rng(0)

    def made():
        for number in range(36):
            frames = rng.integers(90, 120, (6, 112, 112)).astype(np.uint8)
            half = (slice(0, 56), slice(56, 112), slice(0, 0))[number % 3]
            frames[:, half] += (np.arange(6, dtype=np.uint8) * 20)[:, None, None]
            yield Clip(frames, np.arange(6) / 30, number % 3, f"s{number // 9}", str(number))

    folder = tmp_path / "clips"
    write_clips(folder, {"dataset": "tiny", "classes": ("up", "down", "none")}, made())
    return folder


@pytest.fixture
def clip_settings():
    """Makes settings of runs in which the tiny network learns the tiny clips."""

    def make(data, out, **changes):
        training = ClipTraining(epochs=30, batch=9, learning_rate=0.1)
        usual = {"data": data, "out": out, "net": "tiny", "frames": 6, "training": training}
        return FitClipsSettings(**usual | changes)

    return make
