"""Which precision networks compute in follows from the processor."""

import pytest
import torch
from facecloak_train import precision


@pytest.fixture
def told(monkeypatch):
    """What the processor tells of itself, and what CUDA does."""
    of_cpu: dict[str, bool] = {}
    asked = []

    def of_cuda(*, including_emulation):
        asked.append(including_emulation)
        return True

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: of_cpu)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", of_cuda)
    precision.computes_bf16.cache_clear()
    yield of_cpu, asked
    precision.computes_bf16.cache_clear()


@pytest.mark.parametrize("name", ["avx512_bf16", "amx_bf16", "bf16"])
def test_a_processor_that_multiplies_in_bf16_does(told, name):
    told[0].update({"avx2": True, name: True})
    with precision.autocast("cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


def test_one_that_would_emulate_it_stays_with_fp32(told):
    """On two cores with AVX2 alone a training step takes nine times as long in bf16."""
    told[0].update({"avx2": True, "avx512_f": True, "avx512_bf16": False})
    with precision.autocast(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_a_gpu_that_emulates_does_not_count(told):
    assert precision.computes_bf16("cuda")
    assert told[1] == [False]


def test_weights_are_cast_once_for_all_or_not(told):
    told[0]["avx512_bf16"] = True
    with precision.autocast("cpu"):
        assert torch.is_autocast_cache_enabled()
    with precision.autocast("cpu", cache=False):
        assert not torch.is_autocast_cache_enabled()


@pytest.mark.parametrize(("there", "kind"), [(True, "cuda"), (False, "cpu")])
def test_a_gpu_is_used_where_there_is_one(monkeypatch, there, kind):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert precision.best_device().type == kind
