#!/bin/sh
# Does the steps of an official image's start script in the same order, without those that make no difference here.
[ ! -f /pre_start.sh ] || bash /pre_start.sh
echo "Pod Started"
if [ -n "${PUBLIC_KEY:-}" ]; then
  echo "Setting up SSH..."
  mkdir -p /root/.ssh
  printf '%s\n' "$PUBLIC_KEY" >>/root/.ssh/authorized_keys
  chmod 700 /root/.ssh
  chmod 600 /root/.ssh/authorized_keys
  sshd
fi
echo "Exporting environment variables..."
tr '\0' '\n' </proc/1/environ | grep -E '^(RUNPOD_[A-Z_0-9]*|PATH|CUDA_[A-Z_]*)=' |
  sed -e "s/'/'\\\\''/g" -e "s/=/='/" -e "s/\$/'/" -e 's/^/export /' >/etc/rp_environment 2>/dev/null
# shellcheck disable=SC2016
hook='case $- in *i*) . /etc/rp_environment ;; esac'
# shellcheck disable=SC2016
[ -e /root/.profile ] || echo '[ -z "$BASH" ] || . /root/.bashrc' >/root/.profile
grep -qsF "$hook" /root/.bashrc || echo "$hook" >>/root/.bashrc
[ ! -f /post_start.sh ] || bash /post_start.sh
echo "Start script(s) finished, pod is ready to use."
# As a child, so that this shell stays PID 1 and buries orphans, as the official one does.
sleep infinity
