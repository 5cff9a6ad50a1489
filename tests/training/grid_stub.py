"""Stands in for ``facecloak-train`` in the tests of grids: the same arguments, a tenth of a second.

``GRID_STUB`` names a folder. Each start is a line in its ``starts.txt``; a file there that is
called ``COMMAND-SEED`` has what shall happen first, once: it is taken away, unless it begins with
``always``. What torchrun and CUDA are told of each start is a line in ``places.txt``.
"""

import argparse
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path

from facecloak_train.grid import leash

PLACE = ("RANK", "WORLD_SIZE", "GROUP_RANK", "CUDA_VISIBLE_DEVICES", "RAY_RAYLET_PID")


def act(what: str, out: Path) -> None:
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "error":
        sys.exit("facecloak-train fit: the data is not what it should be")
    if what == "full":
        with Path("/dev/full").open("w") as file:
            file.write("x")
    if what == "half":
        out.mkdir()
        (out / "metrics.jsonl").write_text('{"epoch": 1, "pub')
        sys.exit(0)
    if what == "cached":
        out.mkdir()
        (out / "cache").write_text("half a file")
        sys.exit("facecloak-train fit: cache is broken")
    if what.startswith("sleep"):
        time.sleep(float(what.removeprefix("sleep ")))  # noqa: TID251 - this is the work


def main() -> None:
    leash.follow()
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["fit", "robustness"])
    for name in ("data", "weights", "out"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--net", default="vgg19")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--eps", type=float, nargs="+", default=[8.0])
    asked = parser.parse_args()
    folder = Path(os.environ["GRID_STUB"])
    with (folder / "starts.txt").open("a") as starts:
        starts.write(f"{asked.command} {asked.net} {asked.seed} {asked.eps} {os.getpid()}\n")
    told = {name: os.environ.get(name, "") for name in PLACE}
    with (folder / "places.txt").open("a") as places:
        places.write(json.dumps({"seed": asked.seed, "began": time.monotonic()} | told) + "\n")
    wish = folder / f"{asked.command}-{asked.seed}"
    try:
        always = wish.read_text().startswith("always ")
        taken = wish if always else wish.rename(wish.with_suffix(f".{os.getpid()}"))
        act(taken.read_text().removeprefix("always "), asked.out)
    except FileNotFoundError:
        pass
    if told["RANK"] not in ("", "0"):
        return
    if asked.command == "fit":
        if (asked.out / "cache").exists():
            sys.exit("facecloak-train fit: cache is broken")
        asked.out.mkdir(exist_ok=True)
        learnt = hashlib.sha256(f"{asked.net} {asked.seed} {asked.data.read_text()}".encode())
        (asked.out / "best.safetensors").write_text(learnt.hexdigest())
        rows = [{"epoch": 1}, {"epoch": 2, "public": 0.5}, {"private": learnt.digest()[0] / 255}]
        (asked.out / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        weights = asked.weights.read_text()
        rows = [{"eps": eps, "accuracy": int(weights[:4], 16) / eps / 65536} for eps in asked.eps]
        asked.out.write_text(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
