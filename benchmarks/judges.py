"""What a shipped classifier takes for one face on one core, and how large its file is.

    python benchmarks/judges.py [--faces 100]

They take turns, face by face, so that the noise of the machine falls on all of them.
"""

import argparse
import time

import numpy as np

from facecloak.core import artifacts
from facecloak.verify.onnx_judge import OnnxClassifier


def main() -> None:
    """Print one row for each classifier."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=100)
    count = parser.parse_args().faces
    judges = {path: OnnxClassifier(path, "cpu") for path in artifacts.models()}
    taken: dict[str, list[float]] = {judge.card.name: [] for judge in judges.values()}
    rng = np.random.default_rng(0)
    for _ in range(count):
        for judge in judges.values():
            card = judge.card
            clip = (card.frames,) if card.is_clip else ()
            shape = (1, *clip, card.input_px, card.input_px)
            face = rng.integers(0, 256, shape, dtype=np.uint8)
            began_s = time.perf_counter()
            judge.logits(face)
            taken[judge.card.name].append(1000 * (time.perf_counter() - began_s))
    print("| classifier | p50 ms | p95 ms | MB |\n|---|---|---|---|")
    for path, judge in judges.items():
        p50, p95 = np.percentile(taken[judge.card.name][5:], (50, 95))
        size_mb = path.stat().st_size / 1e6
        print(f"| {judge.card.name} | {p50:.2f} | {p95:.2f} | {size_mb:.2f} |")


if __name__ == "__main__":
    main()
