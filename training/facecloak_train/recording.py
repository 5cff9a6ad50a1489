"""A network whose kernels a GPU records once and then replays as one.

These networks are so small that to launch their kernels one by one takes longer than to run them.
"""

import torch
from torch import Tensor, nn

from facecloak_train.precision import autocast


class _Whole(nn.Module):
    """A network in a shell: the shell is what is recorded, the network stays as it was."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, faces: Tensor) -> Tensor:
        logits: Tensor = self.net(faces)
        return logits


class Recordings:
    """A network as CUDA graphs of its forward and backward pass in training, under bf16 autocast.

    Source: `torch.cuda.make_graphed_callables`.

    Args:
        net: on the GPU; its parameters and buffers must stay where they are.
    """

    def __init__(self, net: nn.Module) -> None:
        self._net = net
        self._made: tuple[torch.Size, nn.Module] | None = None

    def of(self, faces: Tensor) -> nn.Module:
        """What takes faces of this shape, ``float32[N, 1, S, S]``, until another is asked for.

        The trials that this takes leave the network as it was.

        Raises:
            RuntimeError: the network does something that cannot be recorded, such as to wait for
                the GPU.
        """
        if self._made is None or self._made[0] != faces.shape:
            self._made = None  # frees what was recorded before
            kept = [buffer.clone() for buffer in self._net.buffers()]
            with autocast(faces.device, cache=False):
                whole = _Whole(self._net).train()
                torch.cuda.make_graphed_callables(whole, (torch.zeros_like(faces),))
            with torch.no_grad():
                for buffer, before in zip(self._net.buffers(), kept, strict=True):
                    buffer.copy_(before)
            self._made = faces.shape, whole
        return self._made[1]
