"""What is put off is computed where it is asked for, and nothing else changes."""

import numpy as np
import onnxruntime
from facecloak_train.export.on_demand import put_off
from onnx import TensorProto, checker, helper


def graph(*, shared):
    """``sum = x + y`` and ``twice = 2 (x + y)``, or ``2 x`` if nothing is shared; ``asks`` too."""
    value = helper.make_tensor_value_info
    return helper.make_graph(
        [
            helper.make_node("Constant", [], ["two"], value_float=2.0),
            helper.make_node("Add", ["x", "y"], ["sum"]),
            helper.make_node("Mul", ["sum" if shared else "x", "two"], ["twice"]),
        ],
        "sums",
        [value(name, TensorProto.FLOAT, [2, 3]) for name in ("x", "y", "asks")],
        [value(name, TensorProto.FLOAT, [2, 3]) for name in ("sum", "twice")],
    )


def run(made, asks):
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    x, y = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((2, 3), np.float32)
    return session.run(["sum", "twice"], {"x": x, "y": y, "asks": asks})


def test_it_is_zero_until_it_is_asked_for():
    nobody, somebody = -np.ones((2, 3), np.float32), np.eye(2, 3, dtype=np.float32)
    for shared in (True, False):
        plain, made = graph(shared=shared), graph(shared=shared)
        put_off(made, output="twice", asks="asks")
        for wanted, got in zip(run(plain, somebody), run(made, somebody), strict=True):
            np.testing.assert_array_equal(got, wanted)
        total, twice = run(made, nobody)
        np.testing.assert_array_equal(total, run(plain, nobody)[0])
        assert twice.shape == (2, 3)
        assert not twice.any()


def test_what_only_it_needs_is_put_off_with_it():
    made = graph(shared=True)
    put_off(made, output="twice", asks="asks")
    assert [node.op_type for node in made.node] == ["Add", "Constant", "ReduceMax", "Greater", "If"]
    (then, otherwise) = (attribute.g for attribute in made.node[-1].attribute)
    kinds = {tuple(node.op_type for node in branch.node) for branch in (then, otherwise)}
    assert kinds == {("Constant", "Mul"), ("Constant", "ConstantOfShape")}
