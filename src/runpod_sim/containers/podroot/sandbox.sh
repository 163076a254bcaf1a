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

# The layers lack the programs with names like these: a character device 0/0 in the upper layer hides a file of the lower.
hide() {
  for folder in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
    if [ -L "$folder" ] || [ -L "${folder%/*}" ]; then continue; fi
    while read -r pattern; do
      for file in "$folder"/$pattern; do
        if [ ! -e "$file" ] && [ ! -L "$file" ]; then continue; fi
        mkdir -p "$pod/upper$folder"
        mknod "$pod/upper$file" c 0 0 2>/dev/null || :
      done
    done <"$pod/lacks"
  done
  # Else apt would say of them that they are installed. Packages that many need are left in: apt would mend those first.
  list=/var/lib/dpkg/status
  [ -e "$list" ] || return 0
  mkdir -p "$pod/upper${list%/*}"
  awk -v "lacks= $(tr '\n' ' ' <"$pod/lacks")" '
    BEGIN { RS = ""; ORS = "\n\n" }
    { name = $2 == "openssh-server" ? "sshd" : $2 }
    name == "git" || !index(lacks, " " name " ")
  ' "$list" >"$pod/upper$list" || rm -f "$pod/upper$list"
}

# What a container engine mounts over single files is not seen by an overlay.
mkdir -p "$pod/upper/etc"
for name in hosts resolv.conf; do
  [ ! -e "/etc/$name" ] || [ -e "$pod/upper/etc/$name" ] || cat "/etc/$name" >"$pod/upper/etc/$name"
done
if [ -e "$pod/lacks" ]; then
  hide
  # Only a new disk is as the image: what the pod installs later stays when its container starts again.
  rm "$pod/lacks"
fi
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
if [ -e "$pod/sbin/sshd" ] && [ -e "$root/usr/sbin/sshd" ]; then mount --bind "$pod/sbin/sshd" "$root/usr/sbin/sshd"; fi
while [ "$1" != -- ]; do
  mkdir -p "$root$1" "$2"
  mount --bind "$2" "$root$1"
  shift 2
done
shift
mount -t proc proc "$root/proc"
hostname "$host_name" 2>/dev/null || :

echo "$machine_pid"
# The simulator closes the input once the network is ready.
read -r rest || :
PATH=$pod_search_path
exec "$chroot" "$root" "$@" </dev/null
