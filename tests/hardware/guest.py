"""A Linux guest with real camera drivers, on the file system of this machine.

User Mode Linux is a kernel that runs as an ordinary program: no KVM, no root, no disk image. The
guest sees this machine's files, writes to memory, and shares one folder. It needs the Debian
packages busybox-static and kmod.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

FOLDER_VARIABLE = "FACECLOAK_UML"
"""Names the folder of a prebuilt guest: the kernel `linux`, and its `lib/modules`."""

HERE = Path(__file__).parent

_BOOT = """#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o size=75% tmpfs /mnt
mkdir /mnt/changes /mnt/scratch /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/changes,workdir=/mnt/scratch overlay /mnt/root
for each in proc sys dev; do mount --rbind /$each /mnt/root/$each; done
mkdir -p /mnt/root{shared} /mnt/root/lib/modules
mount -t hostfs -o {shared} shared /mnt/root{shared}
mount -t hostfs -o {modules} modules /mnt/root/lib/modules
exec chroot /mnt/root /bin/sh {shared}/inside.sh
"""
_INSIDE = """mkdir -p /dev/shm /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t devpts devpts /dev/pts
ip link set lo up 2>/dev/null
export HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
echo 3 >/proc/sys/kernel/printk
cd {shared}
sh -e command.sh >said 2>&1 </dev/null
echo $? >status
busybox poweroff -f
"""


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit status, None if the guest never said, and its output."""

    status: int | None
    said: str


@dataclass(frozen=True)
class Guest:
    """Boots for each command and forgets everything but the shared folder.

    Attributes:
        folder: of the kernel and its modules.
        memory_mb: of the guest.
    """

    folder: Path
    memory_mb: int = 3072

    def run(
        self, commands: list[list[str]], *, timeout_s: float, folder: Path | None = None
    ) -> Outcome:
        """Run commands as root, one after the other, until one fails.

        Args:
            commands: each a program and its arguments.
            timeout_s: when the guest is switched off.
            folder: where they run, shared with the guest under its own name; one that is forgotten,
                if not given.
        """
        with tempfile.TemporaryDirectory(prefix="facecloak-guest-") as name:
            shared = folder or Path(name)
            places = {"shared": shared, "modules": self.folder / "lib/modules"}
            (shared / "command.sh").write_text("\n".join(map(shlex.join, commands)) + "\n")
            (shared / "inside.sh").write_text(_INSIDE.format(**places))
            boot = shared / "boot.sh"
            boot.write_text(_BOOT.format(**places))
            boot.chmod(0o755)
            kernel = subprocess.Popen(
                [
                    self.folder / "linux",
                    f"mem={self.memory_mb}M",
                    *("root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet"),
                    *("con=null", "con0=null,fd:2", "ssl=null"),
                    f"init={boot}",
                    f"uml_dir={shared}/",
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"TMPDIR": "/dev/shm"} | _preloaded(shared),  # noqa: S108 - its memory
                start_new_session=True,
            )
            try:
                kernel.wait(timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(kernel.pid, signal.SIGKILL)
                kernel.wait()
            said, status = shared / "said", shared / "status"
            return Outcome(
                int(status.read_text()) if status.is_file() else None,
                said.read_text(errors="replace") if said.is_file() else "",
            )


def python(*arguments: object) -> list[str]:
    """A command of the guest: this Python, with this repository."""
    return ["env", f"PYTHONPATH={HERE.parent.parent}", sys.executable, *map(str, arguments)]


def _preloaded(folder: Path) -> dict[str, str]:
    """What the kernel's environment needs on this processor; see xstate.c."""
    if "amx_tile" not in Path("/proc/cpuinfo").read_text():
        return {}
    library = folder / "xstate.so"
    source = HERE / "xstate.c"
    compiler = shutil.which("cc") or "cc"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}
