"""Does FaceCloak last a call? The live pipeline for twenty minutes, told minute by minute.

    python benchmarks/soak.py [--minutes 20] [--json docs/results/soak.json]

The demo portrait comes as motion JPEG at 30 frames a second; capture, judge and pipeline run in
their threads. A frame is unvouched where it left cloaked and no verdict had come for ``proof_s``.
"""

import argparse
import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from facecloak import app, endpoints
from facecloak.core.types import Frame, Output
from facecloak.pipeline.live import Limits
from facecloak.pipeline.protector import Protected
from facecloak.pipeline.runner import run_live
from facecloak.settings import Settings

MINUTE_S = 60.0


class Minutes:
    """Counts what went out in each minute."""

    def __init__(self, proof_s: float) -> None:
        self.rows: list[dict[str, Any]] = []
        self._proof_s = proof_s
        self._heard_s = float("-inf")
        self._began_s = self._minute_s = time.perf_counter()
        self._busy_s = time.process_time()
        self._counts = dict.fromkeys(("frames", "cloaked", "unvouched"), 0)

    def __call__(self, _clean: Frame | None, protected: Protected) -> None:
        """Take one frame."""
        now_s = time.perf_counter()
        if protected.verdicts:
            self._heard_s = now_s
        cloaked = protected.output is Output.CLOAKED
        self._counts["frames"] += 1
        self._counts["cloaked"] += cloaked
        self._counts["unvouched"] += cloaked and now_s - self._heard_s > self._proof_s + 0.5
        if now_s - self._minute_s >= MINUTE_S:
            self._finish(now_s)

    def _finish(self, now_s: float) -> None:
        busy_s, lasted_s = time.process_time(), now_s - self._minute_s
        row = {
            "minute": len(self.rows) + 1,
            "fps": self._counts["frames"] / lasted_s,
            **self._counts,
            "memory_mb": resident_mb(),
            "cores": (busy_s - self._busy_s) / lasted_s,
        }
        self.rows.append(row)
        print(
            f"| {row['minute']} | {row['fps']:.2f} | {row['cloaked']} of {row['frames']} "
            f"| {row['unvouched']} | {row['memory_mb']:.0f} | {row['cores']:.2f} |",
            flush=True,
        )
        self._minute_s, self._busy_s = now_s, busy_s
        self._counts = dict.fromkeys(self._counts, 0)


def resident_mb() -> float:
    """Memory that this process holds now, in MB; Linux tells it in pages of 4 KiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def main() -> None:
    """Run, and print one row for each minute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    settings = Settings(source="demo", sink="null")
    seconds = asked.minutes * MINUTE_S + 2.0
    source = endpoints.rehearsal(settings, seconds)
    made = app.protection(settings, live=True)
    print("| minute | fps | cloaked | unvouched | memory MB | cores |\n|---|---|---|---|---|---|")
    minutes = Minutes(settings.proof_s)
    report = run_live(
        source,
        endpoints.sink_of("null", source),
        made.protector,
        stop=threading.Event(),
        limits=Limits(seconds=seconds),
        observe=minutes,
    )
    memory = np.array([row["memory_mb"] for row in minutes.rows])
    slope = float(np.polyfit(np.arange(len(memory)), memory, 1)[0]) if len(memory) > 1 else 0.0
    added = report.stages["added"]
    print(
        f"\n{report.frames_out} frames, {report.dropped} dropped; memory {slope:+.2f} MB a minute; "
        f"added p50 {added['p50_ms']:.2f}, p99 {added['p99_ms']:.2f} ms"
    )
    if asked.json is not None:
        told = {
            "rows": minutes.rows,
            "memory_mb_per_minute": slope,
            "dropped": report.dropped,
            "outputs": report.outputs,
            "stages_ms": report.stages,
        }
        asked.json.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
