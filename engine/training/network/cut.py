"""A network in two: what lies before a stage, and the rest of it from there on.

The computation is traced once (torch.fx) and each of its operations belongs to the stage of its layer or, without
one, to the latest stage that it takes values from. Both halves use the very layers of the network they are bound to:
they train, thaw and are saved with it.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, fx, nn

from engine import specs
from engine.training.network.stages import stage_paths


@dataclass(frozen=True, slots=True)
class Pieces:
    """A network from input to output, piece after piece, for any network built from the same spec."""

    boundaries: tuple[str, ...]  # the stage that each piece but the first begins with
    _graphs: tuple[fx.Graph, ...]
    _constants: dict[str, Tensor]  # that tracing met; kept as attributes of the network

    def of(self, network: nn.Module) -> list[nn.Module]:
        """The first maps images (n, C, H, W) to a tensor, each next that tensor on, the last one to logits."""
        device = next(network.parameters()).device
        for name, value in self._constants.items():
            setattr(network, name, value.to(device))
        return [fx.GraphModule(network, graph) for graph in self._graphs]


@dataclass(frozen=True, slots=True)
class Cut:
    """`rest(network)(first(network)(images))` is `network(images)`."""

    boundary: str  # the stage that the rest begins with
    _pieces: Pieces

    def first(self, network: nn.Module) -> nn.Module:
        """Maps images (n, C, H, W) to the one tensor that the rest takes."""
        return self._pieces.of(network)[0]

    def rest(self, network: nn.Module) -> nn.Module:
        """Maps that tensor to logits (n, classes)."""
        return self._pieces.of(network)[1]


class CannotCut(Exception):
    """The network cannot be traced, or more than one tensor crosses there."""


def cut(network: nn.Module, model_spec: specs.Model, boundary: str) -> Cut:
    """Cut a network that `model.build` made from `model_spec` before the stage called `boundary`.

    Raises:
        CannotCut: Nothing lies before it, or it cannot be cut there by a single tensor.
    """
    return Cut(boundary, pieces(network, model_spec, [boundary]))


def pieces(network: nn.Module, model_spec: specs.Model, boundaries: Sequence[str]) -> Pieces:
    """Cut it before each of these stages, named from input to head.

    Raises:
        CannotCut: It cannot be cut before one of them.
    """
    try:
        # torchvision's operations stay whole; a network that has any has loaded it, and others do without its 2 s
        modules: Any = (math, *(sys.modules[name] for name in ("torchvision.ops",) if name in sys.modules))
        graph = _Tracer(autowrap_modules=modules).trace(network)
    except Exception as error:  # tracing runs the network's own code: anything may come
        raise CannotCut(f"it cannot be traced: {error}") from error
    graph.eliminate_dead_code(is_impure_node=_enters_or_leaves)
    paths = stage_paths(model_spec)
    names, (stages, owned) = list(paths), _stages(graph, list(paths.values()))
    images = next(node for node in graph.nodes if node.op == "placeholder")
    crossing: dict[int, fx.Node] = {}
    for boundary in reversed(boundaries):  # from the head: what is moved for one never matters to those behind it
        place = names.index(boundary)
        crossing[place] = _single(graph, stages, owned, images, place, boundary)
    constants = {str(node.target): getattr(network, str(node.target)) for node in graph.nodes if _is_constant(node)}
    places = sorted(crossing)
    bounds = zip([0, *places], [*places, len(names)], strict=True)
    graphs = tuple(_between(graph, stages, crossing, low, high) for low, high in bounds)
    return Pieces(tuple(boundaries), graphs, constants)


def _single(
    graph: fx.Graph, stages: dict[fx.Node, int], owned: set[fx.Node], images: fx.Node, place: int, name: str
) -> fx.Node:
    """The one value that crosses before a stage; what has no weights is moved behind the cut until it is alone."""
    while len(crossing := _crossing(graph, stages, place)) > 1:
        light = [node for node in crossing if node not in owned and node is not images]
        if not light:
            break
        stages[light[-1]] = place  # a pool or a concatenation can as well be done after the cut
    if len(crossing) != 1 or crossing[0] is images:
        raise CannotCut(f"what crosses before {name} is not one tensor: {', '.join(node.name for node in crossing)}")
    return crossing[0]


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return super().is_leaf_module(m, module_qualified_name) or type(m).__module__.startswith("torchvision.ops")


def _enters_or_leaves(node: fx.Node) -> bool:
    return node.op in ("placeholder", "output")


def _is_constant(node: fx.Node) -> bool:
    return node.op == "get_attr" and str(node.target).startswith("_tensor_constant")


def _stages(graph: fx.Graph, paths: list[list[str]]) -> tuple[dict[fx.Node, int], set[fx.Node]]:
    """The stage of each operation, and those that are a stage's own layers or weights."""
    found: dict[fx.Node, int] = {}
    owned = set()
    for node in graph.nodes:
        before = max((found[taken] for taken in node.all_input_nodes), default=0)
        own = str(node.target) if node.op in ("call_module", "get_attr") else ""
        lies_in = [place for place, names in enumerate(paths) if any(_lies_in(own, name) for name in names)]
        found[node] = max([before, *lies_in])
        if lies_in:
            owned.add(node)
    return found, owned


def _crossing(graph: fx.Graph, stages: dict[fx.Node, int], place: int) -> list[fx.Node]:
    return [
        node
        for node in graph.nodes
        if node.op != "output" and stages[node] < place and any(stages[user] >= place for user in node.users)
    ]


def _lies_in(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}.")


def _between(
    graph: fx.Graph, stages: dict[fx.Node, int], crossing: dict[int, fx.Node], low: int, high: int
) -> fx.Graph:
    piece = fx.Graph()
    copied: dict[fx.Node, fx.Node] = {}
    if low in crossing:
        copied[crossing[low]] = piece.placeholder("features", type_expr=Tensor)
    for node in graph.nodes:
        is_last = node.op == "output" and high not in crossing
        if is_last or (node.op != "output" and low <= stages[node] < high):
            copied[node] = piece.node_copy(node, lambda old: copied[old])
    if high in crossing:
        piece.output(copied[crossing[high]])
        piece.eliminate_dead_code(is_impure_node=_enters_or_leaves)
    return piece
