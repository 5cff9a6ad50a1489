"""Published universal perturbations, one function each, to compare ours with at the same budget.

Every method takes a net that gives logits, in evaluation mode; training faces, ``float32[N, 1, S,
S]`` in ``[0, 1]``; a :class:`~facecloak_train.attacks.published.plan.Budget` and a
:class:`~facecloak_train.attacks.published.plan.Plan`. It leads away from what the net itself says
of the clean faces, cuts faces to ``[0, 1]`` after adding, and returns the perturbation,
``float32[1, S, S]`` in units of the full range, within the budget. The net may be under bf16
autocast: losses are taken in fp32.

What is made in another way is asked for in another way: for each face in ``attacks.individual``,
without a net in ``attacks.baselines``, for clips in ``attacks.temporal``.
"""

from collections.abc import Callable
from typing import Final

from torch import Tensor

from facecloak_train.attacks.individual import Net
from facecloak_train.attacks.published.adam import cos_uap, df_uap
from facecloak_train.attacks.published.moosavi import uap
from facecloak_train.attacks.published.plan import Budget, Plan
from facecloak_train.attacks.published.signs import sga, spgd

__all__ = ["METHODS", "Budget", "Method", "Plan", "cos_uap", "df_uap", "sga", "spgd", "uap"]

Method = Callable[[Net, Tensor, Budget, Plan], Tensor]

METHODS: Final[dict[str, Method]] = {
    "uap": uap,
    "spgd": spgd,
    "df-uap": df_uap,
    "cos-uap": cos_uap,
    "sga": sga,
}
"""Every method, untargeted and with its published settings, by its command-line name."""
