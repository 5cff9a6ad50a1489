"""The compositor's graphs that ship are those that the command writes."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from facecloak_train.cli import main

from facecloak import inference
from facecloak.cloak import onnx_cloak

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

SHIPPED = Path(onnx_cloak.__file__).parent


def test_the_command_writes_what_ships(tmp_path):
    assert main(["compositor", "--out", str(tmp_path)]) == 0
    rng = np.random.default_rng(0)
    values = {
        "face.onnx": (
            rng.integers(0, 256, (40, 50, 3), dtype=np.uint8),
            rng.normal(0, 3, (40, 50)).astype(np.float32),
            rng.integers(0, 256, (64, 64), dtype=np.uint8),
            np.array(15.9, np.float32),
            rng.normal(0, 0.01, (30, 30, 2)).astype(np.float32),
            rng.normal(0, 1, (3, 2, 3)).astype(np.float32),
        ),
        "finish.onnx": (
            rng.integers(0, 256, (40, 50, 3), dtype=np.uint8),
            rng.normal(0, 9, (40, 50)).astype(np.float32),
            np.array(8, np.float32),
        ),
    }
    for name, inputs in values.items():
        made, shipped = (
            [out.numpy() for out in inference.load(folder / name, "cpu")[0].run(*inputs)]
            for folder in (tmp_path, SHIPPED)
        )
        for one, other in zip(made, shipped, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["face.onnx", "finish.onnx"])
def test_a_shipped_graph_is_small_and_tells_nothing_of_the_machine_it_was_made_on(name):
    content = (SHIPPED / name).read_bytes()
    assert len(content) < 40_000
    assert b".py" not in content
    assert b"/home" not in content
    onnx.checker.check_model(onnx.load_from_string(content))
