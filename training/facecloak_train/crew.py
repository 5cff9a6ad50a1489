"""The processes that train together: one, or as many as torchrun started.

    torchrun --nproc-per-node 2 -m facecloak_train fit ...

Each takes its share of every batch; gradients and batch statistics are averaged after each step.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from facecloak_train import run
from facecloak_train.precision import computes_bf16


class Crew:
    """One process among ``size``, which are all at the same step.

    Attributes:
        rank: 0 leads: it alone writes files and tells.
        size: how many there are.
        device: where this one computes.
    """

    def __init__(self, rank: int, size: int, device: torch.device) -> None:
        self.rank = rank
        self.size = size
        self.device = device

    @property
    def leads(self) -> bool:
        """Whether this is the one that writes and tells."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """This one's part of ``count`` things. Raises RunError where the parts are not equal."""
        if count % self.size:
            msg = f"a batch of {count} does not part into {self.size} equal shares"
            raise run.RunError(msg + "; choose another --batch")
        each = count // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def about(self) -> dict[str, Any]:
        """Where and how this one computes, for ``run.json``: JSON-able values by name."""
        kind = self.device.type
        return {
            "device": kind,
            "gpu": torch.cuda.get_device_name(self.device) if kind == "cuda" else None,
            "precision": "bf16" if computes_bf16(kind) else "fp32",
            "processes": self.size,
            "threads": torch.get_num_threads(),
        }

    def average(self, tensor: Tensor) -> Tensor:
        """Give every process the mean of their tensors, in place. The device is not waited for."""
        if self.size > 1:
            dist.all_reduce(tensor)
            tensor.div_(self.size)
        return tensor

    def average_gradients(self, net: nn.Module) -> None:
        """Give every process the mean of their gradients."""
        for parameter in net.parameters():
            if parameter.grad is not None:
                self.average(parameter.grad)

    def average_statistics(self, net: nn.Module) -> None:
        """Give every process the mean of their buffers, such as batch statistics."""
        for buffer in net.buffers():
            if buffer.is_floating_point():
                self.average(buffer)

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.size > 1:
            dist.barrier()

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """The body runs in the leader, then in the others: what it leaves in a file is found."""
        if not self.leads:
            self.wait()
        yield
        if self.leads:
            self.wait()


def size_told() -> int:
    """How many processes torchrun started with this one; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def assembled() -> Iterator[Crew]:
    """This process's place in the crew; dissolves it in the end."""
    size = size_told()
    cuda = torch.cuda.is_available()
    torch.backends.cudnn.benchmark = cuda  # crops have one or two sizes in a run
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if cuda else None
    if size == 1:
        yield Crew(0, 1, device or torch.device("cpu"))
        return
    if device is not None:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Crew(dist.get_rank(), size, device or torch.device("cpu"))
    finally:
        dist.destroy_process_group()
