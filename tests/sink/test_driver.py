import platform

import pytest

from facecloak.sink import driver
from facecloak.sink.loopback import LABEL


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """An empty Linux machine: a function that writes files under its root."""
    monkeypatch.setattr(platform, "system", lambda: "Linux")

    def write(path, content=""):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    write("etc/os-release", "ID=debian\n")
    return write


def commands(root):
    return [" ".join(step.command) for step in driver.install(root, release="6.1")]


def test_a_fresh_machine_needs_all_of_it_in_order(machine):
    root = machine("etc/hostname", "fresh\n")
    assert commands(root) == [
        "apt-get install -y v4l2loopback-dkms",
        "tee /etc/modprobe.d/zz-facecloak.conf",
        "tee /etc/modules-load.d/facecloak.conf",
        "modprobe v4l2loopback",
    ]
    named = driver.install(root, release="6.1")[1]
    assert named.text == (f'options v4l2loopback devices=1 exclusive_caps=1 card_label="{LABEL}"\n')


def test_a_machine_with_the_driver_installs_no_package_and_restarts_a_running_one(machine):
    machine("lib/modules/6.1/modules.dep", "updates/dkms/v4l2loopback.ko.xz: kernel/videodev.ko\n")
    root = machine("sys/module/v4l2loopback/refcnt", "0")
    assert commands(root)[0].startswith("tee")
    assert commands(root)[-2:] == ["modprobe --remove v4l2loopback", "modprobe v4l2loopback"]


def test_where_the_camera_is_there_is_nothing_to_do(machine):
    root = machine("sys/class/video4linux/video9/name", f"{LABEL}\n")
    assert driver.install(root, release="6.1") == []


@pytest.mark.parametrize(
    ("release", "manager"),
    [
        ("ID=ubuntu\nID_LIKE=debian\n", "apt-get"),
        ("ID=fedora\n", "dnf"),
        ('ID=rocky\nID_LIKE="rhel centos fedora"\n', "dnf"),
        ("ID=arch\n", "pacman"),
        ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', "zypper"),
        ("ID=solaris\n", ""),
    ],
)
def test_each_distribution_has_its_own_package_manager(machine, release, manager):
    first = driver.install(machine("etc/os-release", release), release="6.1")[0]
    assert "v4l2loopback" in first.why
    assert (first.command[0] if first.command else "") == manager


@pytest.mark.parametrize(("state", "told"), [(b"\6\0\0\0\1", True), (b"\6\0\0\0\0", False)])
def test_secure_boot_is_told(machine, state, told):
    root = machine(
        "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", state
    )
    whys = " ".join(step.why for step in driver.install(root, release="6.1"))
    assert ("Enroll MOK" in whys) == told


@pytest.mark.parametrize(
    ("theirs", "line"),
    [
        (
            'options v4l2loopback devices=1 video_nr=10 card_label="OBS Cam" exclusive_caps=1',
            f'devices=2 video_nr=10,-1 exclusive_caps=1,1 card_label="OBS Cam,{LABEL}"',
        ),
        (
            "options v4l2loopback devices=2",
            "devices=3 video_nr=-1,-1,-1 exclusive_caps=0,0,1 "
            f'card_label="Dummy video device (0),Dummy video device (1),{LABEL}"',
        ),
        (
            "# options v4l2loopback devices=4\noptions uvcvideo nodrop=1",
            f'devices=1 exclusive_caps=1 card_label="{LABEL}"',
        ),
    ],
)
def test_the_cameras_of_other_programs_stay(machine, theirs, line):
    root = machine("etc/modprobe.d/obs.conf", theirs + "\n")
    machine("etc/modprobe.d/zz-facecloak.conf", "options v4l2loopback devices=9\n")  # ours, old
    (named,) = (step for step in driver.install(root, release="6.1") if "zz-" in step.shell)
    assert named.text == f"options v4l2loopback {line}\n"


def test_a_step_can_be_pasted_into_a_shell(machine):
    named = driver.install(machine("etc/hostname"), release="6.1")[1]
    assert named.shell == (
        "printf '%s\\n' 'options v4l2loopback devices=1 exclusive_caps=1 "
        f'card_label="{LABEL}"\' | sudo tee /etc/modprobe.d/zz-facecloak.conf >/dev/null'
    )


def test_removing_undoes_what_was_written_and_nothing_else(machine):
    root = machine("sys/module/v4l2loopback/refcnt", "0")
    assert driver.remove(root) == []  # the driver of somebody else
    machine("etc/modprobe.d/zz-facecloak.conf")
    machine("etc/modules-load.d/facecloak.conf")
    assert [" ".join(step.command) for step in driver.remove(root)] == [
        "rm /etc/modprobe.d/zz-facecloak.conf /etc/modules-load.d/facecloak.conf",
        "modprobe --remove v4l2loopback",
    ]


@pytest.mark.parametrize(("system", "word"), [("Windows", "regsvr32"), ("Darwin", "OBS")])
def test_elsewhere_a_person_has_to_act(monkeypatch, system, word):
    monkeypatch.setattr(platform, "system", lambda: system)
    steps = driver.install()
    assert any(word in step.why for step in steps)
    assert not any(step.command for step in steps)
    assert driver.remove() == []
