#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=busybox
#
# The first process of the guest: modules, the host's root below the packages below memory, then guest.sh in there, then off.
bb=/bin/busybox
$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
$bb mount -t devtmpfs dev /dev
while read -r name; do
	$bb insmod "/modules/$name" 2>&1
done < /modules/order
$bb mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /host || echo "vm: the host's root cannot be mounted"
$bb mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 files /files || echo "vm: the packages cannot be mounted"
$bb mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 log /log || echo "vm: no folder for logs"
# shellcheck source=/dev/null
. /log/settings
$bb mount -t tmpfs memory /memory
$bb mkdir /memory/up /memory/work
$bb mount -t overlay -o "lowerdir=/files:/host,upperdir=/memory/up,workdir=/memory/work" over /over || echo "vm: no overlay"
for name in proc sys dev; do
	$bb mount --rbind /$name /over/$name
done
$bb mkdir -p /over/dev/pts /over/dev/shm
$bb mount -t devpts devpts /over/dev/pts
$bb mount -t tmpfs shm /over/dev/shm
$bb mount -t tmpfs run /over/run
$bb mkdir /over/run/vm-log
$bb mount --bind /log /over/run/vm-log
$bb ln -s /proc/self/fd /over/dev/fd
$bb ip link set lo up
# the laboratory has interfaces of these names
for number in 0 1; do
	$bb ip link set "eth$number" name "card$number"
done
$bb chroot /over /bin/bash "$VM_TREE/tests/vm/guest.sh"
$bb poweroff -f
