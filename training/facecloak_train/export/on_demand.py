"""Part of an ONNX graph put off until it is asked for.

ONNX Runtime computes all that a graph has, whichever outputs are fetched; but of an ``If`` it takes
one branch only (ONNX operators, "If").
"""

import onnx
from onnx import TensorProto, helper


def put_off(graph: onnx.GraphProto, output: str, asks: str) -> None:
    """Compute ``output`` only where the input ``asks`` holds anything above zero; else it is zero.

    What the other outputs need is computed in any case, once.

    Args:
        graph: changed in place; the sizes of ``output``, of floats, are fixed.
        output: one of its outputs, made by a node.
        asks: one of its inputs, of floats.
    """
    others = [value.name for value in graph.output if value.name != output]
    always = _needed_for(graph, others)
    later = [node for node in graph.node if always.isdisjoint(node.output)]
    now = [node for node in graph.node if not always.isdisjoint(node.output)]
    wanted = next(value for value in graph.output if value.name == output)
    sizes = [size.dim_value for size in wanted.type.tensor_type.shape.dim]
    computed, nothing = f"{output}.computed", f"{output}.nothing"
    for node in later:
        node.output[:] = [computed if name == output else name for name in node.output]
        node.input[:] = [computed if name == output else name for name in node.input]
    zero = helper.make_tensor(nothing, TensorProto.FLOAT, [1], [0.0])
    shape = helper.make_tensor(nothing, TensorProto.INT64, [len(sizes)], sizes)
    zeros = [
        helper.make_node("Constant", [], [f"{output}.sizes"], value=shape),
        helper.make_node("ConstantOfShape", [f"{output}.sizes"], [nothing], value=zero),
    ]
    none, most, asked = f"{asks}.none", f"{asks}.most", f"{asks}.asked"
    now += [
        helper.make_node("Constant", [], [none], value_float=0.0),
        helper.make_node("ReduceMax", [asks], [most], keepdims=0),
        helper.make_node("Greater", [most, none], [asked]),
        helper.make_node(
            "If",
            [asked],
            [output],
            then_branch=helper.make_graph(later, "asked", [], [_named(wanted, computed)]),
            else_branch=helper.make_graph(zeros, "not asked", [], [_named(wanted, nothing)]),
        ),
    ]
    del graph.node[:]
    graph.node.extend(now)


def _needed_for(graph: onnx.GraphProto, outputs: list[str]) -> set[str]:
    """These outputs, and the names of all that they are made from."""
    makers = {name: node for node in graph.node for name in node.output}
    needed: set[str] = set()
    names = list(outputs)
    while names:
        name = names.pop()
        if name not in needed:
            needed.add(name)
            names += filter(None, makers[name].input) if name in makers else []
    return needed


def _named(value: onnx.ValueInfoProto, name: str) -> onnx.ValueInfoProto:
    named = onnx.ValueInfoProto()
    named.CopyFrom(value)
    named.name = name
    return named
