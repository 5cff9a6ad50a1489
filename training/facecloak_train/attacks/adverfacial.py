"""AdverFacial's universal perturbation as its code has it, to be held against what is done right.

Source: Tan, "AdverFacial: Privacy-Preserving Universal Adversarial Perturbation Against Facial
Micro-Expression Leakages" (ICASSP 2022), and the code published with it, which differs from the
algorithm that it names (Moosavi-Dezfooli et al., CVPR 2017) in all that follows, kept here:

- it leads frames, not clips, across the borders of an untrained network of still pictures, so that
  nothing of the classifier of clips has a part in it;
- it is made from the very clips that it is then measured on;
- values are bounded by 10 where faces lie within one, which is no bound;
- every frame asks for its part, whether it is fooled already or not;
- after each pass the perturbation stays in the clips, and the next is added to it.
"""

from typing import Final

import torch
from torch import Tensor, nn

from facecloak_train.attacks.individual import to_border

_CLASSES: Final = 10
_BOUND: Final = 10.0
_OVERSHOOT: Final = 0.2
_STEPS: Final = 20


def adverfacial(clips: Tensor, seed: int, *, passes: int) -> Tensor:
    """What that code adds to every frame of the clips in the end.

    Args:
        clips: ``uint8[N, T, S, S]``, those that are to be measured.
        seed: of the untrained network.
        passes: over all frames.

    Returns:
        ``float32[1, S, S]`` in units of the full range; not bounded.
    """
    faces = clips.float()
    mean = faces.mean()
    scale = (faces - mean).max().clamp_min(1.0)
    frames = ((faces - mean) / scale).flatten(0, 1)[:, None]
    net = _untrained(seed)
    total = torch.zeros_like(frames[:1])
    for _ in range(passes):
        still = torch.zeros_like(total)
        for frame in frames:
            still = (still + _wanted(net, frame[None] + still)).clamp(-_BOUND, _BOUND)
        total = total + still
        frames = frames + still
    return (total * scale / 255.0)[0]


def _untrained(seed: int) -> nn.Module:
    """A small network of still pictures as it is before it has learnt anything."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        before = 1
        for width in (16, 32, 64):
            layers += [nn.Conv2d(before, width, 3, stride=2, padding=1), nn.BatchNorm2d(width)]
            layers += [nn.ReLU()]
            before = width
        layers += [nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(before * 16, _CLASSES)]
        return nn.Sequential(*layers).eval().requires_grad_(requires_grad=False)


def _wanted(net: nn.Module, frame: Tensor) -> Tensor:
    """DeepFool, by the L2 norm: what leads a frame out of the class that it is in."""
    with torch.no_grad():
        label = net(frame).argmax(1)
    now = frame.clone()
    for _ in range(_STEPS):
        now = now + (1.0 + _OVERSHOOT) * to_border(net, now, label, 2.0)
        with torch.no_grad():
            if net(now).argmax(1) != label:
                break
    return now - frame
