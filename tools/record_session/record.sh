#!/usr/bin/env bash
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Record demo/session.tar.xz: a Ray cluster of two nodes at work. See demo/README.md.
#
#   tools/record_session/record.sh [archive]
#
# Needs Linux, root or unprivileged user namespaces, util-linux, iproute2, xz, 12 GB of free memory, and
# Python 3.11 or 3.12 with venv (PYTHON=..., default python3). Ray comes from PyPI, into a folder that is
# removed at the end; RECORD_SESSION_WORK=<folder> keeps it for the next recording.
# Everything runs in namespaces of its own: only loopback, own process ids, own host names, own /tmp and /opt.
set -euo pipefail

readonly ray_version=2.60.0
readonly head_address=10.0.0.11 worker_address=10.0.0.12
readonly oom_margin_mib=4096 hog_limit_mib=10240

say() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*"; }

# The folders that the recorded paths name; $1 is the work folder outside.
mount_folders() {
  mount --bind "$1" /mnt
  mount --bind /mnt/opt /opt
  mount -t tmpfs tmpfs /tmp
  mount -t tmpfs -o size=1g tmpfs /dev/shm
}

# Nothing of the caller's environment reaches Ray.
neutral() {
  env -i PATH=/opt/ray/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8 TZ=UTC RAY_USAGE_STATS_ENABLED=0 \
    RAY_enable_export_api_write=1 RAY_ENABLE_RECORD_ACTOR_TASK_LOGGING=1 "$@"
}

install() {
  mount_folders "$1"
  local python=$2
  if [[ -d /opt/python ]]; then
    mount --bind "$("$python" -c 'import sys; print(sys.base_prefix)')" /opt/python
    python=/opt/python/bin/$(basename "$python")
  fi
  [[ -x /opt/ray/bin/ray ]] && return
  "$python" -m venv /opt/ray
  /opt/ray/bin/pip install --quiet "ray[default,serve,data,train]==$ray_version" tqdm
}

# One node: start Ray, wait for the file stop-<name>, stop Ray. The first process of its own process namespace.
node() {
  local name=$1 folder=$2
  shift 2
  hostname "$name"
  mount -t tmpfs tmpfs /tmp
  mkdir /tmp/ray
  mount --bind "/mnt/sessions/$folder" /tmp/ray
  mount -t tmpfs -o size=1g tmpfs /dev/shm
  cd /
  neutral "$@" >"/mnt/output/$folder.txt" 2>&1
  while [[ ! -e /mnt/stop-$folder ]]; do sleep 1; done
  neutral ray stop --grace-period 20 >>"/mnt/output/$folder.txt" 2>&1
}

start_node() {
  unshare --mount --uts --pid --fork --mount-proc --kill-child bash /opt/record/record.sh --node "$@" &
}

await_nodes() {
  for _ in {1..60}; do
    [[ $(neutral ray status --address "$head_address:6379" 2>/dev/null | grep -c ' node_') == "$1" ]] && return 0
    kill -0 "$2"
    sleep 1
  done
  echo "The cluster has not $1 nodes after 60 tries." >&2
  return 1
}

record() {
  mount_folders "$1"
  [[ -d /opt/python ]] && mount --bind "$2" /opt/python
  mount --bind /mnt/hosts /etc/hosts
  ip link set lo up
  ip address add "$head_address/32" dev lo
  ip address add "$worker_address/32" dev lo
  hostname ray-head
  ulimit -c 0
  cd /
  local common=(--num-cpus=4 --object-store-memory=104857600 --memory=2147483648)
  start_node ray-head head ray start --head --port=6379 --node-ip-address="$head_address" --temp-dir=/tmp/ray \
    --dashboard-host="$head_address" "${common[@]}"
  local head=$!
  await_nodes 1 "$head"
  # The share of memory in use now, and a margin: what load_archive goes beyond.
  local threshold
  threshold=$(awk -v margin="$oom_margin_mib" '/^MemTotal/ {all = $2} /^MemAvailable/ {free = $2}
    END {printf "%.4f", (all - free + margin * 1024) / all}' /proc/meminfo)
  start_node ray-worker-1 worker-1 env RAY_memory_usage_threshold="$threshold" ray start \
    --address="$head_address:6379" \
    --node-ip-address="$worker_address" --resources='{"edge": 8}' "${common[@]}"
  local worker=$!
  await_nodes 2 "$worker"
  say "two nodes are up; memory threshold of worker-1: $threshold"
  neutral python /opt/record/drive.py "http://$head_address:8265" "$hog_limit_mib"
  touch /mnt/stop-worker-1
  wait "$worker"
  sleep 6
  touch /mnt/stop-head
  wait "$head"
}

main() {
  local here archive work python base user=()
  here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  archive=$(realpath "${1:-$here/../../demo/session.tar.xz}")
  python=$(command -v "${PYTHON:-python3}")
  base=$("$python" -c 'import sys; print(sys.base_prefix)')
  work=${RECORD_SESSION_WORK:-$(mktemp -d /var/tmp/record_session.XXXXXX)}
  # shellcheck disable=SC2064
  [[ -n ${RECORD_SESSION_WORK:-} ]] || trap "rm -rf '$work'" EXIT
  [[ $EUID == 0 ]] || user=(--map-root-user)

  rm -rf "$work"/{sessions,output,stop-*,opt/app,opt/record}
  mkdir -p "$work"/{sessions/head,sessions/worker-1,output,opt/ray,opt/app,opt/record}
  [[ $base == /usr ]] || mkdir -p "$work/opt/python"
  cp "$here/record.sh" "$here/drive.py" "$work/opt/record"
  cp "$here"/workloads/*.py "$work/opt/app"
  printf '127.0.0.1 localhost\n%s ray-head\n%s ray-worker-1\n' "$head_address" "$worker_address" >"$work/hosts"

  say "install Ray $ray_version"
  unshare "${user[@]}" --mount bash "$here/record.sh" --install "$work" "$python"
  say "record"
  unshare "${user[@]}" --mount --net --uts --ipc --pid --fork --mount-proc --kill-child \
    bash "$work/opt/record/record.sh" --record "$work" "$base"
  say "pack"
  (cd "$work/sessions" && find . -path './*/session_[0-9]*/logs/*' -type f -printf '%P\0' |
    LC_ALL=C sort -z |
    tar --create --null --no-recursion --files-from=- --format=pax --pax-option=delete=atime,delete=ctime \
      --owner=0 --group=0 --numeric-owner --mode=u=rw,go=r) | xz -9e >"$archive.new"
  "$python" "$here/check.py" "$archive.new" --absent "$(hostname)" "$here" "$work" "$HOME" "$base"
  mv "$archive.new" "$archive"
  say "wrote $archive"
}

case ${1:-} in
  --install) install "${@:2}" ;;
  --record) record "${@:2}" ;;
  --node) node "${@:2}" ;;
  *) main "$@" ;;
esac
