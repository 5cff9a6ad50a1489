"""The compositor's ONNX graphs against OpenCV, as a ratio on the same frames in the same run.

    python benchmarks/compositors.py [--frames 100] [--device cpu|cuda]

Uploading the picture and bringing it back are part of it. The live app takes the graphs on CUDA.
"""

import argparse
import time

import numpy as np

from facecloak.capture.demo import DemoSource
from facecloak.cloak.onnx_cloak import OnnxCloak
from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.core import artifacts, bank
from facecloak.face.mediapipe_finder import MediaPipeFinder


def main() -> None:
    """Print milliseconds, the ratio, and how far the pixels are apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    given = bank.load(artifacts.perturbation("default"))
    graphs = OnnxCloak(given, 1.0, asked.device)
    cloaks: dict[str, OpenCvCloak | OnnxCloak] = {"OpenCV": OpenCvCloak(given), "ONNX": graphs}
    taken: dict[str, list[float]] = {name: [] for name in cloaks}
    beyond: list[float] = []
    with DemoSource(None) as source, MediaPipeFinder() as finder:
        for _ in range(asked.frames):
            frame = source.read(1.0)
            if frame is None:
                continue  # it came too late
            found = finder.find(frame).found
            made = []
            for name, cloak in cloaks.items():
                began_s = time.perf_counter()
                made.append(cloak.apply(frame, found).image.astype(np.int16))
                taken[name].append(1000 * (time.perf_counter() - began_s))
            beyond.append(float((np.abs(made[0] - made[1]) > 1).mean()))
    middle = {name: float(np.median(taken[name][10:])) for name in taken}
    print(
        f"OpenCV on the CPU {middle['OpenCV']:.2f} ms, ONNX on {graphs.device} "
        f"{middle['ONNX']:.2f} ms: {middle['ONNX'] / middle['OpenCV']:.2f} times; "
        f"{100 * np.mean(beyond):.4f} % of the values are more than one level apart"
    )


if __name__ == "__main__":
    main()
