"""Two processes under torchrun train as one does; what they tell is told once."""

import itertools
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from facecloak_train import run
from facecloak_train.crew import Crew
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

SCRIPT = """
    import pathlib, sys
    sys.path.insert(0, {here!r})
    import torch
    torch.set_num_threads(1)
    from conftest import TinyNet
    from facecloak_train import nets, precision
    from facecloak_train.cli import main
    from torch import nn

    class PlainNet(nn.Sequential):
        def __init__(self, classes):
            super().__init__(
                nn.AdaptiveAvgPool2d((16, 1)),
                nn.Flatten(),
                nn.LayerNorm(16, elementwise_affine=False),
                nn.Linear(16, classes),
            )

    nets.NETS |= {{"tiny": TinyNet, "plain": PlainNet}}
    precision.computes_bf16 = lambda kind: False
    sys.exit(main(sys.argv[1:]))
"""
NORMALISED = ["--net", "tiny", "--learning-rate", "0.02"]
PLAIN = ["--net", "plain", "--optimizer", "sgd", "--learning-rate", "0.1", "--gradient-norm", "99"]


@pytest.mark.slow
@pytest.mark.parametrize(("net", "apart"), [(NORMALISED, 0.1), (PLAIN, 1e-5)])
def test_two_processes_learn_as_one(tiny_faces, tmp_path, net, apart):
    """All but exactly where a face's answer does not depend on the rest of its half of the batch.

    The plain network is linear, so that rounding does not grow. SGD with gradients that nothing
    shortens sees whether these are the mean of both or their sum.
    """
    script = tmp_path / "fit.py"
    script.write_text(textwrap.dedent(SCRIPT.format(here=str(Path(__file__).parent))))
    curves = {}
    for count in (1, 2):
        out = tmp_path / f"run{count}"
        launch = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        fit = ["fit", "--data", str(tiny_faces), "--out", str(out), *net]
        how = ["--epochs", "10", "--small-epochs", "0", "--batch", "20"]
        subprocess.run(
            [*launch, "--nproc-per-node", str(count), str(script), *fit, *how],
            check=True,
            timeout=200,
            capture_output=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        assert [row.get("epoch") for row in rows] == [*range(1, 11), None]
        curves[count] = [row["loss"] for row in rows[:-1]]
        about = json.loads((out / "run.json").read_text())
        assert (about["processes"], about["threads"]) == (count, 1)
    one, two = curves[1], curves[2]
    assert one[-1] < 0.6 * one[0]
    np.testing.assert_allclose(two, one, rtol=apart)


def test_shares_are_equal_and_together_all():
    crews = [Crew(rank, 3, torch.device("cpu")) for rank in range(3)]
    taken = [list(range(12))[crew.share(12)] for crew in crews]
    assert [*itertools.chain.from_iterable(taken)] == list(range(12))
    assert {len(part) for part in taken} == {4}
    with pytest.raises(run.RunError, match="another --batch"):
        crews[0].share(13)


def test_the_board_shows_what_the_file_says(tiny_weights):
    folder = tiny_weights.parent
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    board = EventAccumulator(str(folder / "tensorboard"))
    board.Reload()
    for name in ("loss", "public"):
        shown = {event.step: event.value for event in board.Scalars(name)}
        told = {row["epoch"]: pytest.approx(row[name], rel=1e-5) for row in rows[:-1]}
        assert shown == told
