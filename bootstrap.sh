#!/bin/bash
# Sets up a machine and this checkout: Debian packages, PyPI packages, PJSIP, the native part, the spoken prompts.
#
#   bootstrap.sh run|test        `run` makes .venv (release), `test` makes .venv-test (assertions on, test tools)
#
# What is there already is left alone, so a second call takes about a second and needs no network. Everything that was
# fetched or built is kept in the user's cache folder. Called by make; safe to call at any time.
set -euo pipefail
cd "$(dirname "$0")"

MODE=${1:-run}
PYTHON=${PYTHON:-/usr/bin/python3}
CACHE=${CENTRALKA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/centralka}
WHEELS=$CACHE/wheels
export CENTRALKA_CACHE=$CACHE
case $MODE in
  run) VENV=.venv FLAVOUR=release EXTRA="" ;;
  test) VENV=.venv-test FLAVOUR=assert EXTRA="[test]" ;;
  *) echo "bootstrap.sh run|test" >&2; exit 2 ;;
esac
mkdir -p "$CACHE" "$WHEELS"
BEGAN=$SECONDS
step() { printf '%4d s  %s\n' $((SECONDS - BEGAN)) "$*"; }
fail() { printf '\nCentralka could not be set up: %s\n' "$*" >&2; exit 1; }

# ---- Debian packages -------------------------------------------------------------------------------------------------

BUILD="build-essential dpkg-dev pkg-config swig python3-dev python3-venv libasound2-dev libopus-dev libssl-dev libgsm1-dev
  libspeex-dev libspeexdsp-dev libsrtp2-dev uuid-dev xz-utils ca-certificates debian-keyring gpgv"
RUN="baresip-core espeak-ng sox libsox-fmt-mp3 mpg123 procps iproute2"
TEST="sip-tester tshark tcpdump chromium strace shellcheck openssl systemd udev fonts-dejavu-core"
DAEMONS="exim4-daemon-light exim4-base dovecot-core dovecot-imapd" # unpacked into the cache: no service starts on your machine

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing_of() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
  done
}

install_packages() {
  local wanted="$BUILD $RUN" missing
  [ "$MODE" = test ] && wanted="$wanted $TEST"
  # shellcheck disable=SC2086
  missing=$(missing_of $wanted)
  [ -z "$missing" ] && return
  [ "$(id -u)" = 0 ] || command -v sudo > /dev/null || fail "these Debian packages are missing, and you are not root and
  have no sudo. Let an administrator install them, then run this again:
    apt-get install --no-install-recommends $missing"
  step "installing from Debian: $missing"
  # shellcheck disable=SC2086
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $missing \
    > "$CACHE/packages.log" 2>&1; then
    as_root apt-get -q update >> "$CACHE/packages.log" 2>&1 || true
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $missing \
      >> "$CACHE/packages.log" 2>&1 ||
      { tail -15 "$CACHE/packages.log" >&2; fail "Debian packages could not be installed: $missing
  Is this machine online? The whole story is in $CACHE/packages.log."; }
  fi
}

unpack_daemons() {
  command -v exim4 > /dev/null && command -v dovecot > /dev/null && return
  [ -e "$CACHE/daemons/complete" ] && [ -e "$CACHE/daemons/root/usr/sbin/dovecot" ] && return
  step "fetching the mail servers of the tests (unpacked, not installed)"
  rm -rf "$CACHE/daemons"; mkdir -p "$CACHE/daemons/deb/partial" "$CACHE/daemons/root"
  # shellcheck disable=SC2086
  as_root apt-get -q install -y --no-install-recommends --download-only --reinstall \
    -o "Dir::Cache::archives=$CACHE/daemons/deb" $DAEMONS > "$CACHE/daemons.log" 2>&1 ||
    { tail -5 "$CACHE/daemons.log" >&2; fail "the packages $DAEMONS could not be fetched."; }
  local deb
  for deb in "$CACHE"/daemons/deb/exim4*.deb "$CACHE"/daemons/deb/dovecot*.deb; do dpkg-deb -x "$deb" "$CACHE/daemons/root"; done
  # the libraries it needs start no service: they are installed like any other
  local libraries=()
  for deb in "$CACHE"/daemons/deb/lib*.deb; do [ -e "$deb" ] && libraries+=("$(dpkg-deb -f "$deb" Package)"); done
  [ ${#libraries[@]} = 0 ] || as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
    -o "Dir::Cache::archives=$CACHE/daemons/deb" "${libraries[@]}" >> "$CACHE/daemons.log" 2>&1 ||
    { tail -5 "$CACHE/daemons.log" >&2; fail "the libraries of the mail servers could not be installed."; }
  # exim has this name compiled in and ends without it; its Debian package would make the same account
  getent passwd Debian-exim > /dev/null || as_root useradd --system --user-group --no-create-home \
    --home-dir /var/spool/exim4 --shell /usr/sbin/nologin Debian-exim
  "$CACHE/daemons/root/usr/sbin/exim4" -C /dev/null -bV > "$CACHE/daemons.log" 2>&1 || fail "the mail server of the tests does not start:
  see $CACHE/daemons.log"
  touch "$CACHE/daemons/complete"
}

# ---- PyPI --------------------------------------------------------------------------------------------------------------

make_venv() {
  local stamp
  stamp=$({ cat setup.py constraints.txt; "$PYTHON" -VV; pwd; } | sha256sum)
  [ -e "$VENV/.stamp" ] && [ "$(cat "$VENV/.stamp")" = "$stamp" ] && return
  step "Python packages into $VENV"
  rm -rf "$VENV"
  "$PYTHON" -m venv "$VENV" || fail "$PYTHON cannot make a virtual environment."
  local list
  list=$("$PYTHON" - "$EXTRA" <<'PY'
import ast, sys
lists = {n.targets[0].id: ast.literal_eval(n.value) for n in ast.parse(open("setup.py").read()).body
         if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)}
print(*lists["RUNTIME"], *(lists["TEST"] if sys.argv[1] else []), "setuptools", "wheel")
PY
)
  # shellcheck disable=SC2086
  install_wheels $list 2> /dev/null || {
    # shellcheck disable=SC2086
    "$VENV/bin/pip" --disable-pip-version-check wheel -qq -w "$WHEELS" -f "$WHEELS" -c constraints.txt $list ||
      fail "Python packages could not be fetched. Is this machine online?"
    # shellcheck disable=SC2086
    install_wheels $list || fail "the Python packages in $WHEELS do not fit together."
  }
  "$VENV/bin/pip" --disable-pip-version-check install -qq --no-index --no-build-isolation --no-deps -e . ||
    fail "this checkout could not be installed into $VENV."
  printf '%s' "$stamp" > "$VENV/.stamp"
}

install_wheels() {
  "$VENV/bin/pip" --disable-pip-version-check install -qq --no-index --find-links "$WHEELS" -c constraints.txt "$@"
}

# ---- PJSIP and the native part -----------------------------------------------------------------------------------------

make_native() {
  local built native site
  built=$(appliance/native/build_pjsip.sh "$PYTHON" | tail -1)
  [ -d "$built/$FLAVOUR/site" ] || fail "PJSIP is not where it was built: $built"
  native=$("$VENV/bin/python" appliance/native/build_native.py "$built/$FLAVOUR") ||
    fail "the native part (appliance/native/*.c) did not compile."
  site=$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  printf '%s\n%s\n' "$built/$FLAVOUR/site" "$native" > "$site/centralka-native.pth"
}

# ---- prompts and languages ---------------------------------------------------------------------------------------------

make_sounds() {
  "$VENV/bin/python" -m appliance.worker.speech render "$CACHE/sounds" > "$CACHE/sounds.log" 2>&1 ||
    { tail -5 "$CACHE/sounds.log" >&2; fail "the spoken prompts could not be made."; }
}

make_languages() {
  local po
  for po in webui/translations/*/LC_MESSAGES/messages.po; do
    if [ "$po" -nt "${po%.po}.mo" ]; then
      "$VENV/bin/python" -m webui.translate compile || fail "the catalogues of the languages could not be compiled."
      return
    fi
  done
}

# one set-up at a time: checkouts share the cache
exec 9> "$CACHE/lock"
flock -n 9 || { step "another set-up is at work; waiting for it"; flock 9; }
install_packages
[ "$MODE" = test ] && unpack_daemons
make_venv
make_native
make_sounds
make_languages
[ $((SECONDS - BEGAN)) -lt 5 ] || step "set up"
