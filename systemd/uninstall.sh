#!/bin/bash
# Takes the appliance away. What it knows stays in /var/lib/centralka: settings, journal, recordings of prompts.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "The services are taken away by root: sudo make uninstall"; exit 1; }
if [ -d /run/systemd/system ]; then
  systemctl disable --now centralka-web centralka-worker centralka-exchange 2> /dev/null || true
fi
rm -f /etc/systemd/system/centralka-{exchange,worker,web}.service /etc/systemd/journald.conf.d/centralka.conf \
  /etc/systemd/system.conf.d/centralka-watchdog.conf /etc/udev/rules.d/60-centralka.rules \
  /usr/lib/sysusers.d/centralka.conf /usr/lib/tmpfiles.d/centralka.conf /usr/local/bin/centralka
rm -rf /opt/centralka /usr/share/centralka /run/centralka
[ -d /run/systemd/system ] && systemctl daemon-reload
echo "Centralka is off this machine. Its data is kept in /var/lib/centralka."
