"""``facecloak doctor``: what it sees, what it says to do, and what it never hides."""

import json
import platform
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from facecloak import app, cli, inference, settings
from facecloak.capture.listing import Camera
from facecloak.commands import checks
from facecloak.commands import doctor as clinic
from facecloak.commands.checks import Check, Machine
from facecloak.core import artifacts, bank
from facecloak.core.errors import DeviceError, SourceUnavailable
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.stats import StageTimes
from facecloak.core.types import Faces, Output
from facecloak.pipeline.protector import Protected
from facecloak.settings import Settings
from facecloak.sink.loopback import LABEL
from facecloak.verify.onnx_judge import OnnxClassifier

NAMES = [
    "settings",
    "driver",
    "label",
    "caps",
    "readers",
    "camera",
    "model",
    "perturbation",
    "providers",
    "self-test",
]
SHIPPED = artifacts.folder("perturbations")
WEBCAM = Camera(0, "Integrated Camera", "/dev/video0")


@pytest.fixture(autouse=True)
def no_settings_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "config_file", lambda: tmp_path / "settings.toml")
    for name in Settings.__dataclass_fields__:
        monkeypatch.delenv(settings.PREFIX + name.upper(), raising=False)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The root of a Linux machine that has nothing yet."""
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    (tmp_path / "root/proc").mkdir(parents=True)
    return tmp_path / "root"


def write(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def has_driver(root, exclusive="Y,N"):
    write(root, "sys/module/v4l2loopback/version", "0.12.7\n")
    write(root, "sys/module/v4l2loopback/parameters/exclusive_caps", exclusive + "\n")


def has_label(root, name=LABEL):
    write(root, "sys/class/video4linux/video9/name", name + "\n")


def has_open(root, process, program, device):
    fd = root / f"proc/{process}/fd"
    fd.mkdir(parents=True)
    (fd / "3").symlink_to(device)
    write(root, f"proc/{process}/comm", program + "\n")


def only(found):
    (check,) = found
    assert check.state != "fault" or (check.remedy and check.exit_code)
    assert check.state == "fault" or check.exit_code == 0
    return check


def listed(monkeypatch, *there):
    monkeypatch.setattr(checks, "cameras", lambda: list(there))


def camera_that(monkeypatch, *, gives=None, raises=None):
    class Fake:
        size, fps = gives, 30.0

        def __init__(self, device, **_asked):
            self.device = device

        def __enter__(self):
            if raises:
                raise raises

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(checks, "CameraSource", Fake)


# The whole command, with the real models, perturbation, finder and portrait.


def test_everything_is_told_as_json_and_a_real_face_comes_out_cloaked(monkeypatch, capfd):
    monkeypatch.setenv("FACECLOAK_SINK", "null")  # so that no driver is needed
    assert cli.main(["doctor", "--json", "--source", "demo", "--device", "cpu"]) == 0
    out, err = capfd.readouterr()
    told = json.loads(out)
    assert list(told) == ["version", "platform", "checks"]
    assert set(told["platform"]) == {"system", "release", "machine", "python"}
    assert all(list(one) == ["name", "state", "seen", "remedy"] for one in told["checks"])
    told_of = [one["name"] for one in told["checks"]]
    assert list(dict.fromkeys(told_of)) == NAMES
    assert told_of.count("model") == len(artifacts.models())
    assert len(told_of) == len(NAMES) - 1 + len(artifacts.models())
    seen = {one["name"]: one["seen"] for one in told["checks"]}
    assert "FACECLOAK_SINK" in seen["settings"]
    assert "10 of 10 frames went through, 10 cloaked and 0 raw" in seen["self-test"]
    assert not err


@pytest.mark.skipif(
    bool(list(Path("/dev").glob("video*"))) or platform.system() != "Linux",
    reason="this machine has a camera",
)
def test_a_machine_without_camera_and_driver_is_a_readable_story(monkeypatch, capfd):
    monkeypatch.setattr(clinic, "self_test", lambda _machine: iter(()))
    assert cli.main(["doctor"]) == 3
    out, err = capfd.readouterr()
    assert not err
    lines = out.splitlines()
    assert "light goes on" in lines[1]
    driver = lines.index("FAULT  driver        The driver v4l2loopback is not loaded.")
    assert lines[driver + 1].startswith(" " * 21 + "-> Run: facecloak camera install --apply")
    assert "FAULT  camera        There is no camera /dev/video0. Listed: none." in lines
    assert lines[-1] == "2 faults (driver, camera), 3 warnings."


# Exit codes, and that no fault hides another.


@pytest.fixture
def healthy(root, monkeypatch):
    """A machine where all is well; the self-test, which has tests of its own, is left out."""
    if sys.platform != "linux":
        pytest.skip("speaks of /proc")
    has_driver(root)
    has_label(root)
    listed(monkeypatch, WEBCAM)
    camera_that(monkeypatch, gives=(1280, 720))
    monkeypatch.setattr(clinic, "self_test", lambda _machine: iter(()))

    def examine(file=root / "none.toml", **environment):
        return list(clinic.doctor({}, environment, file, root=root))

    return examine


def test_where_all_is_well_nothing_has_to_be_done(healthy):
    found = healthy()
    assert {check.state for check in found} == {"ok"}
    assert not any(check.remedy for check in found)
    assert clinic.exit_code(found) == 0
    assert clinic.summary(found) == "No fault, 0 warnings."


def test_settings_that_cannot_be_used_are_told_and_the_rest_goes_on(healthy, tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text('strength = 9\nperturbation = "nonesuch"\n')
    found = healthy(file)
    first = found[0]
    assert (first.name, first.state) == ("settings", "fault")
    assert "strength must be within 0.25 to 2" in first.seen
    assert "defaults" in first.remedy
    assert {check.state for check in found[1:]} == {"ok"}
    assert clinic.exit_code(found) == 2


def test_a_settings_file_is_named_and_a_folder_in_its_place_too(healthy, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("strength = 0.7\n")
    assert healthy(file)[0].seen == f"{file} can be used."
    assert healthy(tmp_path)[0].state == "warning"


def test_the_gravest_class_is_the_exit_code(healthy, tmp_path, monkeypatch):
    shutil.copytree(artifacts.folder("models"), tmp_path / "models")
    (tmp_path / "models/a.onnx").write_bytes(b"no model")
    monkeypatch.setattr(
        artifacts, "folder", lambda kind: tmp_path / kind if kind == "models" else SHIPPED
    )
    camera_that(monkeypatch, raises=SourceUnavailable("It is gone.", "Connect it."))
    found = healthy()
    assert clinic.exit_code(found) == 4
    assert clinic.summary(found) == "2 faults (camera, model), 0 warnings."


@pytest.mark.parametrize("raised", [OSError("disk"), RuntimeError("odd"), ValueError("value")])
def test_a_check_that_fails_itself_is_a_fault_and_hides_nothing(healthy, monkeypatch, raised):
    def caps(_machine):
        raise raised

    monkeypatch.setattr(checks, "caps", caps)
    found = healthy()
    (broken,) = (check for check in found if check.state == "fault")
    assert broken.name == "caps"
    assert str(raised) in broken.seen
    assert "--debug" in broken.remedy
    assert [check.name for check in found if check is not broken][-1] == "providers"
    assert clinic.exit_code(found) == 3


def test_the_exit_code_and_the_remedies_reach_the_user(monkeypatch, capfd):
    found = [
        Check("driver", "fault", "It is\nnot there.", "Load it.", 3),
        Check("label", "warning", "Not checked."),
    ]
    monkeypatch.setattr(clinic, "doctor", lambda *_, **__: iter(found))
    assert cli.main(["doctor", "--no-camera"]) == 3
    out, err = capfd.readouterr()
    assert out.splitlines()[1:] == [
        "FAULT  driver        It is not there.",
        "                     -> Load it.",
        "warn   label         Not checked.",
        "1 fault (driver), 1 warning.",
    ]
    assert "light" not in out
    assert not err


# The virtual camera.


def test_a_driver_that_is_not_loaded_is_no_fault_where_nothing_needs_it(root):
    write(root, "etc/os-release", "ID=debian\n")
    for sink, state in (("virtual", "fault"), ("/dev/video9", "fault"), ("preview", "warning")):
        check = only(checks.driver(Machine(settings=Settings(sink=sink), root=root)))
        assert (check.state, check.remedy) == (state, "Run: facecloak camera install --apply")


def test_secure_boot_is_part_of_the_remedy(root):
    write(root, "etc/os-release", "ID=debian\n")
    boot = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    write(root, boot, "\6\0\0\0\1")
    check = only(checks.driver(Machine(settings=Settings(), root=root)))
    assert "Enroll MOK" in check.remedy


def test_the_version_of_the_driver_is_told(root):
    has_driver(root)
    seen = only(checks.driver(Machine(settings=Settings(), root=root))).seen
    assert seen == "The driver v4l2loopback 0.12.7 is loaded."


def test_the_label_must_be_exactly_ours(root):
    machine = Machine(settings=Settings(), root=root)
    assert only(checks.label(machine)).seen == "Not checked: the driver is not loaded."
    has_driver(root)
    has_label(root, "FaceCloak camera")
    check = only(checks.label(machine))
    assert (check.state, check.exit_code) == ("fault", 3)
    assert "there is FaceCloak camera" in check.seen
    assert "facecloak camera install --apply" in check.remedy
    has_label(root)
    assert only(checks.label(machine)).seen == f'"{LABEL}" is /dev/video9.'


def test_a_device_that_the_settings_name_may_be_called_otherwise(root):
    has_label(root, "OBS Cam")
    check = only(checks.label(Machine(settings=Settings(sink="/dev/video9"), root=root)))
    assert check.state == "warning"
    assert 'Pick "OBS Cam"' in check.remedy
    check = only(checks.label(Machine(settings=Settings(sink="/dev/video8"), root=root)))
    assert check.state == "fault"
    assert "There is no /dev/video8" in check.seen


@pytest.mark.parametrize(("option", "state"), [("Y,N", "ok"), ("N,N", "fault"), ("0", "fault")])
def test_caps_are_read_from_sysfs_where_the_device_cannot_be_asked(root, option, state):
    has_driver(root, option)
    has_label(root)
    check = only(checks.caps(Machine(settings=Settings(), root=root)))
    assert check.state == state
    assert state == "ok" or "/etc/modprobe.d" in check.remedy
    write(root, "etc/modprobe.d/zz-facecloak.conf", "")  # it was us
    check = only(checks.caps(Machine(settings=Settings(), root=root)))
    assert state == "ok" or check.remedy.startswith("Run: facecloak camera remove --apply")


def test_the_device_itself_is_believed_more_than_sysfs(root, monkeypatch):
    has_driver(root, "Y")
    has_label(root)
    machine = Machine(settings=Settings(), root=root)
    for exclusive, state in ((True, "ok"), (False, "fault")):
        monkeypatch.setattr(checks.loopback, "exclusive", lambda _device, told=exclusive: told)
        assert only(checks.caps(machine)).state == state

    def forbidden(_device):
        raise PermissionError

    monkeypatch.setattr(checks.loopback, "exclusive", forbidden)
    assert "usermod -aG video" in only(checks.caps(machine)).remedy


@pytest.mark.skipif(platform.system() != "Linux", reason="speaks of /proc")
def test_who_reads_is_named_and_that_not_all_are_seen(root):
    machine = Machine(settings=Settings(), root=root)
    assert only(checks.readers(machine)).state == "warning"
    has_label(root)
    assert "by nobody; programs of other users" in only(checks.readers(machine)).seen
    has_open(root, 71, "zoom", "/dev/video9")
    has_open(root, 72, "firefox", "/dev/video9")
    seen = only(checks.readers(machine)).seen
    assert "zoom (71)" in seen
    assert "firefox (72)" in seen


@pytest.mark.parametrize("system", ["Windows", "Darwin"])
def test_elsewhere_the_listing_tells_of_the_virtual_camera(root, monkeypatch, system):
    monkeypatch.setattr(platform, "system", lambda: system)
    machine = Machine(settings=Settings(), root=root)
    listed(monkeypatch)
    missing = only(checks.driver(machine))
    assert missing.state == "fault"
    assert "OBS" in missing.remedy
    assert only(checks.label(machine)).state == "warning"
    listed(monkeypatch, WEBCAM, Camera(1, "OBS Virtual Camera", ""))
    assert only(checks.driver(machine)).state == "ok"
    assert 'Pick "OBS Virtual Camera"' in only(checks.label(machine)).remedy
    listed(monkeypatch, Camera(1, "OBS Virtual Camera", ""), Camera(2, LABEL, ""))
    assert only(checks.label(machine)).state == "ok"
    assert only(checks.caps(machine)).state == only(checks.readers(machine)).state == "ok"


# The camera.


def test_a_camera_that_gives_pictures_is_told_with_their_size(root, monkeypatch):
    listed(monkeypatch, WEBCAM, Camera(9, LABEL, "/dev/video9"))
    camera_that(monkeypatch, gives=(640, 480))
    check = only(checks.camera(Machine(settings=Settings(), root=root)))
    assert check.seen == (
        "Integrated Camera gives 640x480, not the size asked for, 30 frames a second. "
        "Listed: 0 (Integrated Camera)."
    )


@pytest.mark.skipif(platform.system() != "Linux", reason="speaks of /proc")
def test_who_has_the_camera_is_named_and_we_may_be_it_ourselves(root, monkeypatch):
    listed(monkeypatch, WEBCAM)
    camera_that(monkeypatch, raises=SourceUnavailable("It is busy.", "Close what uses it."))
    machine = Machine(settings=Settings(), root=root)
    check = only(checks.camera(machine))
    assert (check.state, check.remedy) == ("fault", "Close what uses it.")
    has_open(root, 50, "facecloak", "/dev/video0")
    assert only(checks.camera(machine)).state == "warning"
    has_open(root, 51, "cheese", "/dev/video0")
    check = only(checks.camera(machine))
    assert "cheese (51)" in check.seen
    assert (check.state, check.exit_code) == ("fault", 3)


def test_without_leave_no_camera_is_opened(root, monkeypatch):
    def opened(*_, **__):
        pytest.fail("the light went on")

    monkeypatch.setattr(checks, "CameraSource", opened)
    machine = Machine(settings=Settings(), root=root, open_camera=False)
    listed(monkeypatch, WEBCAM)
    assert "not opened (--no-camera)" in only(checks.camera(machine)).seen
    listed(monkeypatch)
    check = only(checks.camera(machine))
    assert (check.state, check.seen) == ("fault", "There is no camera 0. Listed: none.")


def test_our_own_picture_is_no_source(root, monkeypatch):
    monkeypatch.setattr(checks, "CameraSource", lambda *_, **__: pytest.fail("it was opened"))
    listed(monkeypatch, Camera(9, LABEL, "/dev/video9"))
    for source in ("9", "/dev/video9"):
        check = only(checks.camera(Machine(settings=Settings(source=source), root=root)))
        assert check.state == "fault"
        assert f"{LABEL} itself" in check.seen


def test_a_source_that_is_no_camera_must_be_there(root, monkeypatch):
    listed(monkeypatch)
    write(root, "clip.mp4", "")
    for source, state in (("demo", "ok"), (str(root / "clip.mp4"), "ok"), ("gone.mp4", "fault")):
        check = only(checks.camera(Machine(settings=Settings(source=source), root=root)))
        assert check.state == state


# Models, perturbation, providers.


def test_a_flipped_byte_is_a_fault_of_that_model_only(tmp_path, monkeypatch):
    shipped = next(path for path in artifacts.models() if path.stem == "resnet14")
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
        eps=4.0, method="t", seed=0, datasets=(), victims=(), format=3, answers=("happy", "sad"),
        selector="ResNet14",
    )  # fmt: skip
    path = tmp_path / "b.safetensors"
    members = {name: np.ones((2, 2), np.float32) for name in ("any", "happy", "sad")}
    bank.Bank(header, {name: Perturbation(header, one) for name, one in members.items()}).save(path)
    check = only(clinic.pattern(Machine(settings=Settings(perturbation=str(path)))))
    assert check.state == "ok"
    assert "holds 3 members, one of which ResNet14 chooses, reaches 4 levels" in check.seen
    single = tmp_path / "single.safetensors"
    bank.load(path).alone("happy").save(single)
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
    assert ("libraries do not load" in check.seen) == (state != "ok")
    assert bool(check.remedy) == (state != "ok")


# The self-test on pipelines that do not work.


def self_test(**chosen):
    return only(clinic.self_test(Machine(settings=Settings(**chosen))))


def test_a_pipeline_that_finds_no_face_is_a_fault(fakes):
    fakes(lambda _frame: Faces())
    check = self_test()
    assert check.state == "fault"
    assert "10 of 10 frames went through, 0 cloaked and 0 raw" in check.seen


def test_a_raw_frame_is_seen_whatever_the_pipeline_calls_it(monkeypatch):
    class Leaky:
        times = StageTimes()

        def protect(self, frame):
            return Protected(frame, Output.CLOAKED, Faces(), ())

        def close(self):
            pass

    class Made:
        protector = Leaky()

    monkeypatch.setattr(app, "protection", lambda _settings, *, live: Made())
    check = self_test()
    assert check.state == "fault"
    assert "10 raw" in check.seen
    assert "Do not use" in check.remedy


def test_a_slate_that_the_user_asked_for_is_only_a_warning(fakes):
    fakes(lambda _frame: Faces())
    check = self_test(unfooled="shield")
    assert check.state == "warning"
    assert "--strength" in check.remedy


def test_settings_that_the_pipeline_refuses_keep_their_class(tmp_path):
    wrong = {"perturbation": "nonesuch", "source": "demo"}
    *_, last = clinic.doctor(wrong, {"FACECLOAK_SINK": "null"}, tmp_path / "none.toml")
    assert (last.name, last.state, last.exit_code) == ("self-test", "fault", 4)
    assert "nonesuch" in last.seen
