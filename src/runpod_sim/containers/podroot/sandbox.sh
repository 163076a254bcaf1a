#!/bin/sh
# usage: unshare [--user --map-root-user] --mount --uts --ipc --pid --fork --kill-child \
#            sandbox.sh POD_DIR HOSTNAME [MOUNT_PATH SOURCE_DIR]... -- COMMAND...
# Makes the pod's root from the machine's system folders, without its users' files. Prints its process id on the machine
# as the first line, then becomes the pod's PID 1 with the environment that it was started with.
set -eu
pod_search_path=$PATH
PATH=/usr/sbin:/usr/bin:/sbin:/bin
chroot=$(command -v chroot)
# The old /proc is the machine's, so this is the process id outside.
read -r machine_pid rest </proc/self/stat
pod=$1 host_name=$2
shift 2
root=$pod/disk

# A system folder with the pod's own changes on top; where the machine cannot stack folders, read-only.
layer() {
  mkdir -p "$root/$1" "$pod/upper/$1" "$pod/work/$1"
  if mount -t overlay overlay -o "userxattr,lowerdir=/$1,upperdir=$pod/upper/$1,workdir=$pod/work/$1" "$root/$1" 2>/dev/null
  then return; fi
  mount --bind "/$1" "$root/$1"
  # An ordinary user may not change a mount's flags, and cannot write there anyway.
  mount -o remount,bind,ro "$root/$1" 2>/dev/null || :
}

device() {
  : >"$root/dev/$1"
  mount --bind "/dev/$1" "$root/dev/$1"
}

# What a container engine mounts over single files is not seen by an overlay.
mkdir -p "$pod/upper/etc"
for name in hosts resolv.conf; do
  [ ! -e "/etc/$name" ] || [ -e "$pod/upper/etc/$name" ] || cat "/etc/$name" >"$pod/upper/etc/$name"
done
for name in bin sbin lib lib32 lib64 libx32 usr etc opt var; do
  if [ -L "/$name" ]; then
    [ -L "$root/$name" ] || ln -s "$(readlink "/$name")" "$root/$name"
  elif [ -d "/$name" ]; then
    layer "$name"
  fi
done
mkdir -p "$root/root" "$root/home" "$root/tmp" "$root/run" "$root/proc" "$root/dev" "$root/sys" "$root/workspace"
chmod 1777 "$root/tmp"
chmod 700 "$root/root"

mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do device "$name"; done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mount --rbind /sys "$root/sys"
mount --bind "$pod/sbin" "$root/usr/local/sbin"
while [ "$1" != -- ]; do
  mkdir -p "$root$1" "$2"
  mount --bind "$2" "$root$1"
  shift 2
done
shift
mount -t proc proc "$root/proc"
hostname "$host_name" 2>/dev/null || :

echo "$machine_pid"
PATH=$pod_search_path
exec "$chroot" "$root" "$@"
