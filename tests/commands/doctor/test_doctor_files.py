"""What ``facecloak doctor`` says of models and perturbations, and of where they run."""

import numpy as np
import pytest

from facecloak import inference
from facecloak.commands import doctor as clinic
from facecloak.commands.checks import Machine
from facecloak.core import artifacts, bank
from facecloak.core.errors import DeviceError
from facecloak.core.perturbation import Header, Perturbation
from facecloak.settings import Settings
from facecloak.verify.onnx_judge import OnnxClassifier
from tests.fakes.linux_machine import only

SHIPPED = artifacts.folder("perturbations")


# Models, perturbation, providers.


def test_a_flipped_byte_is_a_fault_of_that_model_only(tmp_path, monkeypatch):
    shipped = next(path for path in artifacts.models() if path.stem == "vgg19")
    others = [path for path in artifacts.models() if path != shipped]
    content = bytearray(shipped.read_bytes())
    content[len(content) // 2] ^= 1
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(content)
    monkeypatch.setattr(artifacts, "models", lambda: (broken, shipped, *others))
    first, second, *_ = clinic.models(Machine(settings=Settings()))
    assert (first.state, first.exit_code) == ("fault", 4)
    assert "broken.onnx" in first.seen
    assert "Reinstall" in first.remedy
    assert second.state == "ok"
    card = OnnxClassifier(shipped, "cpu").card
    assert card.sha256 in second.seen
    warned = only(clinic.pattern(Machine(settings=Settings())))
    assert warned.state == "ok"  # those it was made against are still there
    monkeypatch.setattr(artifacts, "models", lambda: (broken,))
    warned = only(clinic.pattern(Machine(settings=Settings())))
    assert warned.state == "warning"
    assert card.name in warned.seen
    assert "Reinstall" in warned.remedy


def test_the_shipped_perturbation_was_made_against_what_ships():
    check = only(clinic.pattern(Machine(settings=Settings())))
    assert check.state == "ok"
    victims = bank.load(artifacts.perturbation("default")).header.victims
    assert all(victim.name in check.seen for victim in victims)


def test_a_bank_is_told_with_its_members_and_who_chooses(tmp_path):
    header = Header(
        eps=4.0, method="t", seed=0, datasets=(), victims=(), format=5, answers=("happy", "sad"),
        selector="ResNet14",
    )  # fmt: skip
    path = tmp_path / "b.safetensors"
    members = {name: np.ones((2, 2), np.float32) for name in ("any", "happy", "sad")}
    bank.Bank(header, {name: Perturbation(header, one) for name, one in members.items()}).save(path)
    check = only(clinic.pattern(Machine(settings=Settings(perturbation=str(path)))))
    assert check.state == "ok"
    assert "holds 3 members, one of which ResNet14 chooses, reaches 4 levels" in check.seen
    single = tmp_path / "single.safetensors"
    bank.Bank.of(bank.load(path).alone("happy")).save(single)
    alone = only(clinic.pattern(Machine(settings=Settings(perturbation=str(single)))))
    assert "members" not in alone.seen


def test_a_damaged_or_unknown_perturbation_is_a_fault(healthy, tmp_path):
    damaged = tmp_path / "mine.safetensors"
    damaged.write_bytes(b"nothing")
    for name, said in ((str(damaged), "mine.safetensors"), ("nonesuch", "called nonesuch")):
        found = healthy(FACECLOAK_PERTURBATION=name)
        (broken,) = (check for check in found if check.state == "fault")
        assert (broken.name, broken.exit_code) == ("perturbation", 4)
        assert said in broken.seen
        assert broken.remedy


def device(asked):
    return only(clinic.providers(Machine(settings=Settings(device=asked))))


def test_without_a_driver_auto_is_the_cpu_and_cuda_a_fault(monkeypatch):
    monkeypatch.setattr(inference, "_has_gpu", lambda: False)
    assert "CPU" in device("cpu").seen
    check = device("auto")
    assert check.state == "ok"
    assert "the CPU, because" in check.seen
    check = device("cuda")
    assert (check.state, check.exit_code) == ("fault", 3)
    assert inference.why_no_cuda() in check.seen
    assert "--device cpu" in check.remedy


@pytest.mark.parametrize(
    ("asked", "used", "state"),
    [("auto", "cuda", "ok"), ("auto", "cpu", "warning"), ("cuda", None, "fault")],
)
def test_with_a_driver_it_is_tried(monkeypatch, asked, used, state):
    class Fake:
        device = used

        def __init__(self, _path, _asked):
            if used is None:
                msg = "CUDA does not work."
                raise DeviceError(msg, "Install it.")

    monkeypatch.setattr(inference, "why_no_cuda", lambda: None)
    monkeypatch.setattr(clinic, "OnnxClassifier", Fake)
    check = device(asked)
    assert check.state == state
    assert ("not start" in check.seen) == (state != "ok")
    assert bool(check.remedy) == (state != "ok")
    assert ("onnxruntime-gpu[cuda,cudnn]" in str(check.remedy)) == (state == "warning")
