"""What the finder gains by leaving MediaPipe's threads and, now and then, the mesh; and its price.

    python benchmarks/finder.py [VIDEO ...]

First the mesh of one face at a camera's pace, by MediaPipe's pool of threads and in the caller's
thread, in turns. Then, for each video, how far a face that optical flow followed for one frame and
for two is from where the mesh sees it, in face widths; a face's own motion from frame to frame
stands beside it.
"""

import argparse
import itertools
import time
from pathlib import Path
from unittest.mock import patch

import av
import numpy as np
from mediapipe.python.solutions import face_mesh

from facecloak import endpoints
from facecloak.core.types import Sighting
from facecloak.face import mediapipe_finder
from facecloak.face.alignment import Place, distance, from_mesh
from facecloak.face.flow import follow
from facecloak.face.mediapipe_finder import MeshModel
from facecloak.face.views import Picture
from facecloak.settings import Settings

TURNS = 3
SECONDS = 4.0
WARM = 30
"""Frames that are not counted, of each turn."""


def paced(kind: type) -> list[float]:
    """Time a kind of mesh on frames that come 30 times a second; in seconds."""
    settings = Settings(source="demo", sink="null", width=1280, height=720)
    taken = []
    with (
        patch.object(mediapipe_finder, "_Mesh", kind),
        endpoints.rehearsal(settings, SECONDS) as source,
        MeshModel(faces=1, video=True) as mesh,
    ):
        for _ in range(round(SECONDS * 30)):
            frame = source.read(1.0)
            if frame is not None:
                small = Picture(frame.image).small
                began_s = time.perf_counter()
                mesh.landmarks(small)
                taken.append(time.perf_counter() - began_s)
    return taken[WARM:]


def strayed(path: Path) -> dict[str, list[float]]:
    """Distances of flow to mesh after one and two frames, and of mesh to mesh after one."""
    found: dict[str, list[float]] = {"its own motion": [], "one frame": [], "two frames": []}
    known: list[tuple[Picture, Place]] = []
    with av.open(str(path)) as file, MeshModel(faces=1, video=True) as mesh:
        for image in file.decode(video=0):
            picture = Picture(np.asarray(image.to_ndarray(format="bgr24"), np.uint8))
            seen = mesh.landmarks(picture.small)
            if not seen:
                known = []
                continue
            place = from_mesh(seen[0])
            if known:
                found["its own motion"].append(distance(known[-1][1], place))
            for name, back in (("one frame", 1), ("two frames", 2)):
                if len(known) == 2:
                    moved = chained([*(old for old, _ in known[-back:]), picture], known[-back][1])
                    if moved is not None:
                        found[name].append(distance(moved, place))
            known = [*known, (picture, place)][-2:]
    return found


def chained(pictures: list[Picture], place: Place) -> Place | None:
    """Follow a face from picture to picture; None where flow gives up, and the mesh takes over."""
    matrix = place.face_from_frame
    for before, now in itertools.pairwise(pictures):
        moved = follow(before.grey, now.grey, matrix)
        if moved is None:
            return None
        matrix = moved
    return Place(matrix, Sighting.MESH)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="*", type=Path)
    asked = parser.parse_args()
    times: dict[str, list[float]] = {"pool": [], "caller": []}
    for _ in range(TURNS):
        times["pool"] += paced(face_mesh.FaceMesh)
        times["caller"] += paced(mediapipe_finder._Mesh)  # noqa: SLF001
    pool_ms = 1000 * float(np.median(times["pool"]))
    print("| mesh in | p50 ms | p95 ms | p50 / pool |\n|---|---|---|---|")
    for name, taken in times.items():
        p50, p95 = (1000 * float(q) for q in np.percentile(taken, (50, 95)))
        print(f"| {name} | {p50:.2f} | {p95:.2f} | {p50 / pool_ms:.2f} |")
    if asked.videos:
        print("\n| video | followed for | frames | p50 widths | p95 |\n|---|---|---|---|---|")
    for path in asked.videos:
        for name, apart in strayed(path).items():
            p50, p95 = np.percentile(apart, (50, 95)) if apart else (float("nan"),) * 2
            print(f"| {path.stem} | {name} | {len(apart)} | {p50:.4f} | {p95:.4f} |")


if __name__ == "__main__":
    main()
