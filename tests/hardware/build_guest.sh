#!/usr/bin/env bash
# Builds the guest of guest.py from Debian 12's source packages: User Mode Linux, vivid (a webcam
# that draws its own pictures) and v4l2loopback.
#
#   build_guest.sh FOLDER [SCRATCH]
#
# FOLDER gets `linux` and `lib/modules`, SCRATCH (a new folder under /var/tmp by default, removed at
# the end) takes 2 GB. Each step that is done already is left out, so a build that was broken off
# goes on where it stopped if it is given the same SCRATCH. Needs Debian 12 and its packages
# build-essential flex bison bc xz-utils kmod.
set -euo pipefail

if (($# < 1 || $# > 2)); then
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
fi
PATH=$PATH:/usr/sbin:/sbin
for tool in gcc make flex bison bc xz depmod dpkg-deb; do
    type "$tool" >/dev/null || { echo "$tool is missing" >&2; exit 1; }
done
folder=$(realpath -m "$1")
if [[ ${2:-} ]]; then
    scratch=$(realpath -m "$2")
else
    scratch=$(mktemp -d -p /var/tmp facecloak-guest-XXXXXX)
    trap 'rm -rf "$scratch"' EXIT
fi
mkdir -p "$folder" "$scratch/packages" "$scratch/objects"
source=$scratch/source objects=$scratch/objects

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }

package() { # NAME: unpacks it, without installing it, into $scratch/packages/NAME
    [[ -d $scratch/packages/$1 ]] && return
    say "download $1"
    (cd "$scratch/packages" && apt-get -qq download "$1" && dpkg-deb -x "$1"_*.deb "$1.part" && mv "$1.part" "$1")
}

kernel() { make --silent -C "$source" ARCH=um O="$objects" -j "$(nproc)" "$@"; }

package linux-source-6.1
package v4l2loopback-dkms
if [[ ! -d $source ]]; then
    say "unpack the kernel"
    mkdir -p "$source.part"
    tar -xJf "$scratch"/packages/linux-source-6.1/usr/src/linux-source-6.1.tar.xz \
        -C "$source.part" --strip-components=1 --exclude='*/Documentation/*.rst' --exclude='*/tools/testing'
    mv "$source.part" "$source"
fi

# Everything that is not named here is off.
cat >"$scratch/wanted" <<'OPTIONS'
# The machine: 64 bits, modules, scripts and programs, and timers that sleep.
CONFIG_64BIT=y
CONFIG_MODULES=y
CONFIG_MODULE_UNLOAD=y
CONFIG_BINFMT_ELF=y
CONFIG_BINFMT_SCRIPT=y
CONFIG_HIGH_RES_TIMERS=y
CONFIG_NO_HZ_IDLE=y
CONFIG_PRINTK=y
CONFIG_BUG=y
CONFIG_MULTIUSER=y
# What Python, ONNX Runtime and Chromium ask of a kernel.
CONFIG_FUTEX=y
CONFIG_EPOLL=y
CONFIG_EVENTFD=y
CONFIG_SIGNALFD=y
CONFIG_TIMERFD=y
CONFIG_POSIX_TIMERS=y
CONFIG_FILE_LOCKING=y
CONFIG_ADVISE_SYSCALLS=y
CONFIG_MEMBARRIER=y
CONFIG_SYSVIPC=y
CONFIG_SHMEM=y
CONFIG_INOTIFY_USER=y
CONFIG_HW_RANDOM=y
CONFIG_UML_RANDOM=y
CONFIG_NAMESPACES=y
CONFIG_USER_NS=y
CONFIG_PID_NS=y
CONFIG_NET_NS=y
# Network: this machine with itself.
CONFIG_NET=y
CONFIG_UNIX=y
CONFIG_INET=y
# Files: those of the host, changes in memory.
CONFIG_BLOCK=y
CONFIG_HOSTFS=y
CONFIG_OVERLAY_FS=y
CONFIG_TMPFS=y
CONFIG_TMPFS_XATTR=y
CONFIG_PROC_FS=y
CONFIG_PROC_SYSCTL=y
CONFIG_SYSFS=y
CONFIG_DEVTMPFS=y
CONFIG_DEVTMPFS_MOUNT=y
# Terminals that lead nowhere.
CONFIG_TTY=y
CONFIG_UNIX98_PTYS=y
CONFIG_NULL_CHAN=y
CONFIG_SSL=y
CONFIG_STDERR_CONSOLE=y
# vivid wants memory for DMA, which User Mode Linux has on its PCI bus alone, and a frame buffer.
CONFIG_VIRTIO_MENU=y
CONFIG_VIRTIO_UML=y
CONFIG_UML_PCI_OVER_VIRTIO=y
CONFIG_FB=y
# Cameras.
CONFIG_MEDIA_SUPPORT=m
CONFIG_MEDIA_SUPPORT_FILTER=y
CONFIG_MEDIA_CAMERA_SUPPORT=y
CONFIG_MEDIA_TEST_SUPPORT=y
CONFIG_V4L_TEST_DRIVERS=y
CONFIG_VIDEO_VIVID=m
OPTIONS
say "configure"
kernel KCONFIG_ALLCONFIG="$scratch/wanted" allnoconfig
if lost=$(grep '^CONFIG' "$scratch/wanted" | grep -vxFf "$objects/.config"); then
    printf 'The kernel does not take:\n%s\n' "$lost" >&2
    exit 1
fi

say "build the kernel and vivid"
kernel linux modules
say "build v4l2loopback"
loopback=$(echo "$scratch"/packages/v4l2loopback-dkms/usr/src/v4l2loopback-*)
kernel M="$loopback" modules

say "install"
release=$(<"$objects/include/config/kernel.release")
modules=$folder/lib/modules/$release
kernel INSTALL_MOD_PATH="$folder" INSTALL_MOD_STRIP=1 modules_install
rm -f "$modules/build" "$modules/source" # they lead into the scratch folder
mkdir -p "$modules/extra"
strip --strip-debug -o "$modules/extra/v4l2loopback.ko" "$loopback/v4l2loopback.ko"
depmod -b "$folder" "$release"
strip -o "$folder/linux" "$objects/linux"
say "done: export FACECLOAK_UML=$folder"
