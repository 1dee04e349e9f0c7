#!/bin/bash
# Puts the appliance on a Raspberry Pi (or any Debian machine) as three services, from this checkout. Root.
# Safe to call again: it brings the installed appliance up to this checkout and keeps its data.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "The services are installed by root: sudo make install"; exit 1; }
TARGET=/opt/centralka

echo "== Debian packages, PJSIP and Python packages (once, some minutes)"
mkdir -p "$TARGET"
git archive --format=tar HEAD 2> /dev/null | tar x -C "$TARGET" || cp -a appliance webui sounds systemd firmware setup.py \
  constraints.txt pyproject.toml README.md bootstrap.sh Makefile "$TARGET/"
(cd "$TARGET" && ./bootstrap.sh run)

echo "== users, folders, prompts"
install -m 0644 systemd/centralka.sysusers /usr/lib/sysusers.d/centralka.conf
install -m 0644 systemd/centralka.tmpfiles /usr/lib/tmpfiles.d/centralka.conf
systemd-sysusers /usr/lib/sysusers.d/centralka.conf
systemd-tmpfiles --create /usr/lib/tmpfiles.d/centralka.conf
CACHE=${CENTRALKA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/centralka}
mkdir -p /usr/share/centralka /opt/centralka/pjsip
cp -a "$CACHE/sounds" /usr/share/centralka/
# the services cannot read root's cache: PJSIP and the native part move beside the appliance
SITE=$("$TARGET/.venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
BUILT=$(dirname "$(head -1 "$SITE/centralka-native.pth")")
rm -rf /opt/centralka/pjsip/release
cp -a "$BUILT" /opt/centralka/pjsip/release
sed -i "s#^$BUILT#/opt/centralka/pjsip/release#" "$SITE/centralka-native.pth"

echo "== services"
install -m 0644 systemd/centralka-exchange.service systemd/centralka-worker.service systemd/centralka-web.service \
  /etc/systemd/system/
install -D -m 0644 systemd/journald-centralka.conf /etc/systemd/journald.conf.d/centralka.conf
install -D -m 0644 systemd/watchdog-centralka.conf /etc/systemd/system.conf.d/centralka-watchdog.conf
install -m 0644 firmware/pi/60-centralka.rules /etc/udev/rules.d/60-centralka.rules
ln -sf "$TARGET/.venv/bin/centralka" /usr/local/bin/centralka
if [ -d /run/systemd/system ]; then
  udevadm control --reload || true
  systemctl daemon-reload
  systemctl enable --now centralka-exchange centralka-worker centralka-web
  TOKEN=/var/lib/centralka/first-start.token
  for _ in $(seq 50); do # the page makes it once the exchange answers
    [ -s "$TOKEN" ] || [ -e /var/lib/centralka/first-start.done ] && break
    sleep 0.2
  done
  ADDRESS=$(hostname -I | cut -d ' ' -f 1)
  echo "Centralka runs. Its page: https://${ADDRESS:-127.0.0.1}:8443/"
  echo "  (your browser will warn: the certificate is the box's own)"
  [ ! -s "$TOKEN" ] || echo "First sign-in, works once: https://${ADDRESS:-127.0.0.1}:8443/start?token=$(cat "$TOKEN")"
else
  echo "This machine has no running systemd: the services start at its next boot."
fi
