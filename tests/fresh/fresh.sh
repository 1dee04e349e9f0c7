#!/bin/bash
# The way of a newcomer, in bare systems: Debian 12 and 13 as debootstrap makes them, with git, make and ca-certificates
# and nothing else, an empty home and nobody's cache. Needs root and a network; about ten minutes each.
#
#   tests/fresh/fresh.sh [bookworm] [trixie]
#
# The end of `make start` is tried first as a person would, with the demo phone; then the tools of the tests are installed
# and tests/fresh/walk.py goes the whole way: speech both ways, the mailbox, a capture of the wire, closing time.
set -euo pipefail
cd "$(dirname "$0")/../.."
ROOT=$PWD
[ "$(id -u)" = 0 ] || { echo "make fresh builds whole systems: run it as root."; exit 1; }
command -v debootstrap > /dev/null || apt-get -qq install -y --no-install-recommends debootstrap > /dev/null
WHERE=${FRESH_DIR:-$(mktemp -d /var/tmp/centralka-fresh.XXXXXX)}
SYSTEMS=("${@:-}")
[ -n "${SYSTEMS[0]}" ] || SYSTEMS=(bookworm trixie)
step() { printf '%4d s  %s\n' $SECONDS "$*"; }

mirror() { # of this machine's own configuration
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/\?$' | head -1
}

give() { # this machine's certificates, and how its apt and pip are told to work: nothing else
  local dir=$1 file
  cp -a /usr/local/share/ca-certificates/. "$dir/usr/local/share/ca-certificates/" 2> /dev/null || true
  chroot "$dir" update-ca-certificates > /dev/null 2>&1
  for file in /etc/pip.conf /etc/apt/apt.conf.d/*proxy*; do
    [ -e "$file" ] && cp "$file" "$dir$file"
  done
  cp /etc/resolv.conf "$dir/etc/resolv.conf"
  cp /etc/hosts "$dir/etc/hosts"
}

inside() { # NAME COMMAND: in the system, with an empty environment but for what reaches the network
  local dir=$1
  shift
  # shellcheck disable=SC2046
  env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    $(env | grep -iE '^(https?_proxy|no_proxy|PIP_[A-Z_]+)=' | grep -v ' ' || true) \
    chroot "$dir" /bin/bash -c "$*"
}

prepare() {
  local name=$1 dir=$2
  step "$name: a bare system"
  debootstrap --variant=minbase --include=git,make,ca-certificates "$name" "$dir" "$(mirror)" > "$dir.log" 2>&1 ||
    { tail -5 "$dir.log"; exit 1; }
  mount -t proc proc "$dir/proc"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$dir/dev/pts"
  ln -sf pts/ptmx "$dir/dev/ptmx"
  mkdir -p "$dir/dev/shm" && mount -t tmpfs tmpfs "$dir/dev/shm"
  give "$dir"
  git clone -q "$ROOT" "$dir/root/centralka"
}

clean() {
  local dir=$1
  inside "$dir" "cd /root/centralka 2> /dev/null && make stop" > /dev/null 2>&1 || true
  umount "$dir/dev/shm" "$dir/dev/pts" "$dir/proc" 2> /dev/null || true
}

try() { # what a newcomer does, with the words that were printed
  local name=$1 dir=$2
  step "$name: make start"
  inside "$dir" "cd /root/centralka && ADDRESS=127.0.0.1 make start" | tee "$dir.said" | sed -u "s/^/        /" || return 1
  grep -q 'Centralka is running' "$dir.said" || { step "$name: it does not run"; return 1; }
  local page command
  page=$(grep -o 'http://[^ ]*/start?token=[^ ]*' "$dir.said" | head -1)
  command=$(grep -o '[^ ]*centralka virtual gsm0 call [+0-9]*' "$dir.said" | head -1)
  step "$name: the page answers, a call is answered, a message is mailed"
  inside "$dir" "cd /root/centralka && .venv/bin/python - '$page'" << 'PY'
import sys, urllib.request
answer = urllib.request.urlopen(sys.argv[1], timeout=10)
assert answer.status == 200 and "<h1" in answer.read().decode(), answer.status
PY
  [ $? = 0 ] || { step "$name: the page does not answer"; return 1; }
  inside "$dir" "cd /root/centralka && until .venv/bin/centralka status | grep -q 'phone 101 .*free'; do sleep 0.2; done
    until .venv/bin/centralka status | grep -q 'gsm0 .*up '; do sleep 0.2; done
    $command && sleep 2 && .venv/bin/centralka virtual phone0 answer && sleep 2 &&
    .venv/bin/centralka status | grep talking && .venv/bin/centralka virtual gsm0 hang-up && sleep 1 &&
    .venv/bin/centralka call && .venv/bin/centralka virtual gsm0 sms +48600100200 Hello && sleep 3 &&
    .venv/bin/centralka virtual mail | grep -A1 'SMS from' && make stop && SECONDS=0 &&
    ADDRESS=127.0.0.1 make start > /dev/null && echo the second start took \$SECONDS s" | sed -u "s/^/        /" || return 1
  step "$name: speech both ways, the mailbox, the wire, closing time"
  cp "$dir.said" "$dir/root/said"
  inside "$dir" "cd /root/centralka && ./bootstrap.sh test && .venv-test/bin/python -m tests.fresh.walk /root/said &&
    make stop" | sed -u "s/^/        /"
}

failed=0
for name in "${SYSTEMS[@]}"; do
  dir=$WHERE/$name
  mkdir -p "$dir"
  trap 'clean "$dir"' EXIT
  prepare "$name" "$dir"
  if try "$name" "$dir"; then step "$name: good"; else step "$name: NOT good"; failed=1; fi
  clean "$dir"
  trap - EXIT
  [ "$failed" = 0 ] && rm -rf "$dir"
done
exit $failed
