"""What FaceCloak adds to a frame, as a ratio to MediaPipe's face mesh alone on the same frames.

    python benchmarks/live_vs_mesh.py [--frames 150]

Both run in turn, frame by frame, in one process, so the noise of the machine falls on both. Finding
and cloaking are measured; judging is not, since it is off the hot path.
"""

import argparse
import time

import numpy as np

from facecloak.capture.demo import DemoSource
from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.core import artifacts, perturbation
from facecloak.face.mediapipe_finder import MediaPipeFinder, MeshModel


def main() -> None:
    """Print milliseconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=150)
    count = parser.parse_args().frames
    cloak = OpenCvCloak(perturbation.load(artifacts.perturbation("default")))
    taken: dict[str, list[float]] = {"mesh alone": [], "find": [], "cloak": []}
    with (
        DemoSource(None) as source,
        MediaPipeFinder() as finder,
        MeshModel(faces=1, video=True) as mesh,
    ):
        for _ in range(count):
            frame = source.read(1.0)
            rgb = np.ascontiguousarray(frame.image[:, :, ::-1])
            began_s = time.perf_counter()
            mesh.landmarks(rgb)
            meshed_s = time.perf_counter()
            faces = finder.find(frame)
            found_s = time.perf_counter()
            cloak.apply(frame, faces.found)
            cloaked_s = time.perf_counter()
            for name, seconds in zip(
                taken, (meshed_s - began_s, found_s - meshed_s, cloaked_s - found_s), strict=True
            ):
                taken[name].append(seconds)
    milliseconds = {name: 1000 * np.array(seconds[10:]) for name, seconds in taken.items()}
    alone = milliseconds["mesh alone"]
    print("| stage | p50 ms | p95 ms | p50 / mesh alone |\n|---|---|---|---|")
    for name, row in [
        *milliseconds.items(),
        ("find + cloak", milliseconds["find"] + milliseconds["cloak"]),
    ]:
        print(
            f"| {name} | {np.percentile(row, 50):.2f} | {np.percentile(row, 95):.2f} "
            f"| {np.percentile(row, 50) / np.percentile(alone, 50):.2f} |"
        )


if __name__ == "__main__":
    main()
