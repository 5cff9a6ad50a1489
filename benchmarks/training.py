"""Training throughput: images a second, as a ratio to the plain published recipe, in one run.

    python benchmarks/training.py [--net vgg19] [--steps 6] [--threads 2] [--device cpu|cuda]
        [--data runs/fer2013.npz]

The plain recipe is that of the FER2013 literature: crops and mirror images cut one by one in
Python, channels first, fp32, SGD. Ours is a step of `facecloak-train fit`, augmentation included,
in bf16 and in fp32, on the CPU or on a GPU, whose convolutions take fp32 as TF32, in both recipes.
The kinds take turns, so that the noise of the machine falls on all. Without data random pictures
are as good.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from facecloak_train import nets
from facecloak_train.crew import Crew
from facecloak_train.data import fer2013
from facecloak_train.settings import FitSettings
from facecloak_train.training import Training
from torch.nn.functional import cross_entropy

BATCH = 128
ROUNDS = 3


def plain(net_name: str, faces: fer2013.Faces, device: torch.device) -> Callable[[], None]:
    """A step of the published recipe: RandomCrop(44), mirror, ToTensor, SGD at 0.01."""
    torch.manual_seed(0)
    net = nets.build(net_name, len(fer2013.LABELS)).to(device).train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    rng = np.random.default_rng(0)

    def step() -> None:
        chosen = rng.integers(len(faces), size=BATCH)
        crops = []
        for number in chosen:
            y, x = rng.integers(0, 5, size=2)
            crop = faces.images[number, y : y + 44, x : x + 44]
            crop = crop[:, ::-1] if rng.random() < 0.5 else crop
            crops.append(torch.from_numpy(crop.astype(np.float32)[None] / 255.0))
        labels = torch.from_numpy(faces.labels[chosen]).to(device)
        loss = cross_entropy(net(torch.stack(crops).to(device)), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def ours(
    net_name: str, faces: fer2013.Faces, data: Path, device: torch.device, *, bf16: bool
) -> Callable[[], None]:
    """A step of `fit` with its default augmentation."""
    settings = FitSettings(
        data=data, out=Path("unused"), net=net_name, batch=BATCH, small_epochs=0, optimizer="sgd"
    )
    with patch("facecloak_train.run.digest_of", return_value=""):
        training = Training(settings, faces, Crew(0, 1, device))

    def step() -> None:
        with patch("facecloak_train.precision.computes_bf16", return_value=bf16):
            training.step()

    return step


def main() -> None:
    """Print a row for each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", default="vgg19", choices=sorted(nets.NETS))
    parser.add_argument("--steps", type=int, default=4, help="of each kind in each of the rounds")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--data", type=Path)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.backends.cudnn.benchmark = True  # as `fit` does
    if asked.data is None:
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (2048, 48, 48), dtype=np.uint8)
        faces = fer2013.Faces(images, rng.integers(0, 7, 2048))
    else:
        faces = fer2013.read_npz(asked.data)["Training"]
    device, data = torch.device(asked.device), asked.data or Path("unused")
    kinds = {
        "plain recipe, fp32": plain(asked.net, faces, device),
        "fit, fp32": ours(asked.net, faces, data, device, bf16=False),
        "fit, bf16": ours(asked.net, faces, data, device, bf16=True),
    }
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(ROUNDS + 1):
        for name, step in kinds.items():
            for _ in range(asked.steps if number else 1):  # the first round warms
                began_s = time.perf_counter()
                step()
                if device.type == "cuda":
                    torch.cuda.synchronize()
                if number:
                    taken[name].append(time.perf_counter() - began_s)
    reference = float(np.median(taken["plain recipe, fp32"]))
    print(f"{asked.net}, batch {BATCH}, {asked.device}, {asked.threads} threads\n")
    print("| kind | images/s | times the plain recipe |\n|---|---|---|")
    for name, seconds in taken.items():
        middle = float(np.median(seconds))
        print(f"| {name} | {BATCH / middle:.0f} | {reference / middle:.2f} |")


if __name__ == "__main__":
    main()
