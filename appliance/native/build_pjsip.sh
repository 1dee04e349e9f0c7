#!/bin/bash
# Build PJSIP and its Python binding twice (release, and with assertions for the tests) into the user's cache.
#
#   build_pjsip.sh PYTHON        prints the folder that holds release/ and assert/ as its last line
#
# The source is, in this order: the tarball in PJPROJECT_TARBALL, the one in the cache, the component `pjproject` of
# Debian's source package `asterisk`, fetched with a private apt state so that the machine's own lists stay as they are.
# No exact version is demanded: the archive moves on. The result is tried before it is used.
set -euo pipefail

PYTHON=${1:-/usr/bin/python3}
HERE=$(cd "$(dirname "$0")" && pwd)
CACHE=${CENTRALKA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/centralka}
SOURCES=$CACHE/sources
mkdir -p "$SOURCES" "$CACHE/pjsip"

say() { printf '%s\n' "$*" >&2; }
step() { say "  $(printf '%4d s' $((SECONDS - BEGAN)))  $*"; }
fail() { say ""; say "PJSIP could not be built: $*"; exit 1; }
BEGAN=$SECONDS

# ---- packages ------------------------------------------------------------------------------------------------------

NEEDED="build-essential dpkg-dev pkg-config swig python3-dev python3-venv libasound2-dev libopus-dev libssl-dev
  libgsm1-dev libspeex-dev libspeexdsp-dev libsrtp2-dev uuid-dev xz-utils"

missing_packages() {
  local package
  for package in $NEEDED; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
  done
}

# ---- source --------------------------------------------------------------------------------------------------------

private_apt() { APT_CONFIG=$APT_DIR/apt.conf apt-get -q "$@"; }

prepare_apt() {
  APT_DIR=$CACHE/apt
  mkdir -p "$APT_DIR/lists/partial" "$APT_DIR/cache/archives/partial"
  local codename mirror
  codename=$(. /etc/os-release; echo "$VERSION_CODENAME")
  mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk -v c="$codename" '$1 == c { print $2; exit }')
  [ -n "$mirror" ] || fail "apt knows no Debian mirror here. Run apt-get update, or set PJPROJECT_TARBALL."
  echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" > "$APT_DIR/sources.list"
  : > "$APT_DIR/status"
  cat > "$APT_DIR/apt.conf" <<CONF
Dir::State "$APT_DIR"; Dir::State::lists "$APT_DIR/lists"; Dir::State::status "$APT_DIR/status";
Dir::Cache "$APT_DIR/cache"; Dir::Etc::SourceList "$APT_DIR/sources.list"; Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null"; Dir::Etc::PreferencesParts "/dev/null"; APT::Sandbox::User "root";
CONF
}

update_apt() {
  private_apt update > "$CACHE/apt.log" 2>&1 && ! grep -q '^E:' "$CACHE/apt.log" && return
  if grep -qi 'expired\|not valid anymore' "$CACHE/apt.log"; then
    say "  The archive's index is older than its own date of expiry. Signatures and sums still hold; going on with it."
    private_apt -o Acquire::Check-Valid-Until=false update > "$CACHE/apt.log" 2>&1 && return
  fi
  return 1
}

fetch() {
  prepare_apt
  update_apt || { sed 's/^/    /' "$CACHE/apt.log" >&2; return 1; }
  local listed
  listed=$(private_apt source --only-source --print-uris asterisk 2>/dev/null | grep -- 'orig-Xpjproject.tar' | grep -v '\.asc' || true)
  [ -n "$listed" ] || return 1
  (cd "$SOURCES" && private_apt source --only-source --download-only asterisk >> "$CACHE/apt.log" 2>&1) || return 1
  local dsc tarball
  dsc=$(ls -t "$SOURCES"/asterisk_*.dsc | head -1)
  tarball=$(cached_tarball)
  if [ -e /usr/share/keyrings/debian-keyring.gpg ] && command -v gpgv > /dev/null; then
    gpgv -q --keyring /usr/share/keyrings/debian-keyring.gpg "$dsc" 2> "$CACHE/dsc.log" ||
      say "  The uploader's key is not in this machine's debian-keyring; apt's own check of the archive stands."
  fi
  (cd "$SOURCES" && sed -n '/^Checksums-Sha256:/,/^Files:/p' "$dsc" |
    awk -v f="$(basename "$tarball")" '$3 == f { print $1 "  " $3 }' | sha256sum -c --quiet -) || return 1
  find "$SOURCES" -name 'asterisk_*' ! -name '*Xpjproject*' -delete
}

cached_tarball() { find "$SOURCES" -name '*pjproject*.tar.*' ! -name '*.asc' -printf '%T@ %p\n' 2>/dev/null | sort -rn | head -1 | cut -d' ' -f2-; }

find_source() {
  if [ -n "${PJPROJECT_TARBALL:-}" ]; then
    [ -r "$PJPROJECT_TARBALL" ] || fail "PJPROJECT_TARBALL names $PJPROJECT_TARBALL, which cannot be read."
    TARBALL=$PJPROJECT_TARBALL
    return
  fi
  TARBALL=$(cached_tarball || true)
  [ -n "$TARBALL" ] && return
  step "fetching the source of PJSIP"
  fetch || true
  TARBALL=$(cached_tarball || true)
  [ -n "$TARBALL" ] || fail "its source could not be fetched from the Debian archive (see $CACHE/apt.log).
  Get a pjproject tarball (2.14 or later) elsewhere and run again with PJPROJECT_TARBALL=/path/to/it."
}

# ---- build ---------------------------------------------------------------------------------------------------------

LIBS="-lpjsua2 -lpjsua -lpjsip-ua -lpjsip-simple -lpjsip -lpjmedia-codec -lpjmedia -lpjmedia-audiodev -lpjnath -lpjlib-util -lpj"

unpack() {
  rm -rf "$WORK"; mkdir -p "$WORK/source"
  tar xf "$TARBALL" -C "$WORK/source" --strip-components=1
  # Debian removed this file from the source, the Makefile still lists it
  [ -e "$WORK/source/pjmedia/src/pjmedia-audiodev/bdimad_dev.c" ] || touch "$WORK/source/pjmedia/src/pjmedia-audiodev/bdimad_dev.c"
  cp "$HERE/config_site.h" "$WORK/source/pjlib/include/pj/config_site.h"
}

make_binding_source() {
  mkdir -p "$WORK/swig"
  (cd "$WORK/swig" && swig "-I$1/include" -w312 -threads -c++ -python -o pjsua2_wrap.cpp \
    "$WORK/source/pjsip-apps/src/swig/pjsua2.i" 2> swig.log) || { tail -5 "$WORK/swig/swig.log" >&2; fail "swig failed"; }
}

build_flavour() { # NAME CFLAGS
  local name=$1 flags=$2 prefix=$NEW/$1
  step "$name: configuring"
  (cd "$WORK/source" && ./configure --prefix="$prefix" --enable-shared --enable-epoll \
    --disable-video --disable-sdl --disable-ffmpeg --disable-v4l2 --disable-openh264 --disable-vpx --disable-libyuv \
    --disable-libwebrtc --disable-upnp --disable-ilbc-codec --disable-g7221-codec \
    --disable-resample --enable-speex-resample --with-external-gsm --with-external-speex --with-external-srtp \
    CFLAGS="$flags" > "$WORK/configure-$name.log" 2>&1) || { tail -5 "$WORK/configure-$name.log" >&2; fail "configure failed"; }
  step "$name: compiling (about a minute)"
  (cd "$WORK/source" && { [ "$name" = release ] || make clean; } && make dep && make -j2 && make install) \
    > "$WORK/make-$name.log" 2>&1 || { tail -15 "$WORK/make-$name.log" >&2; fail "make failed"; }
  [ -e "$WORK/swig/pjsua2_wrap.cpp" ] || make_binding_source "$prefix"
  step "$name: compiling the Python binding"
  local cflags suffix include
  cflags=$(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags libpjproject)
  suffix=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
  include=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("include"))')
  mkdir -p "$prefix/site/pjsua2.libs"
  # DT_RPATH, not RUNPATH: it is inherited by the libraries' own dependencies, so the tree can be moved
  # shellcheck disable=SC2086
  g++ -O1 -g0 -fPIC -shared -w $cflags -I"$include" "$WORK/swig/pjsua2_wrap.cpp" -o "$prefix/site/_pjsua2$suffix" \
    -L"$prefix/lib" $LIBS -Wl,--disable-new-dtags,-rpath,'$ORIGIN/pjsua2.libs' || fail "the binding did not compile"
  strip --strip-unneeded "$prefix/site/_pjsua2$suffix"
  cp "$WORK/swig/pjsua2.py" "$prefix/site/"
  local so
  for so in "$prefix"/lib/lib*.so.2; do
    cp -L "$so" "$prefix/site/pjsua2.libs/"
    [ "$name" = assert ] || strip --strip-unneeded "$prefix/site/pjsua2.libs/$(basename "$so")"
  done
  rm -f "$prefix"/lib/lib*.a
  try "$prefix/site"
}

try() { # the binding works, from another folder and with no environment variable, and has what we need
  (cd / && env -u LD_LIBRARY_PATH PYTHONPATH="$1" "$PYTHON" - > "$WORK/try.log" 2>&1 <<'PY'
import pjsua2 as pj
ep = pj.Endpoint()
ep.libCreate()
config = pj.EpConfig()
config.logConfig.level = config.logConfig.consoleLevel = 0
ep.libInit(config)
codecs = {c.codecId.split("/")[0] for c in ep.codecEnum2()}
missing = {"PCMA", "PCMU", "G722", "GSM", "speex", "opus"} - codecs
version = tuple(int(n) for n in ep.libVersion().full.split("-")[0].split(".")[:2])
assert version >= (2, 14), f"version {version} is too old, 2.14 is the least"
assert not missing, f"codecs missing: {missing}"
print("VERSION", ep.libVersion().full)
ep.libDestroy()
PY
  ) || { tail -3 "$WORK/try.log" >&2; fail "the finished library does not work"; }
}

main() {
  find_source
  local key
  key=$({ sha256sum < "$TARBALL"; cat "$HERE/config_site.h" "$HERE/build_pjsip.sh"; uname -m
    "$PYTHON" -c 'import sysconfig; print(sysconfig.get_config_var("SOABI"))'; } | sha256sum | cut -c1-16)
  RESULT=$CACHE/pjsip/$key
  if [ ! -e "$RESULT/complete" ]; then
    local missing
    missing=$(missing_packages)
    [ -z "$missing" ] || fail "these Debian packages are missing. Install them and run again:
  apt-get install --no-install-recommends $missing"
    say "Building PJSIP, once, in about four minutes (kept in $CACHE)."
    say "  source $(basename "$TARBALL"), sha256 $(sha256sum < "$TARBALL" | cut -d' ' -f1)"
    WORK=$CACHE/pjsip/work.$$ NEW=$RESULT
    rm -rf "$RESULT"; mkdir -p "$RESULT"
    trap 'rm -rf "$WORK"' EXIT
    unpack
    build_flavour release "-O2 -fPIC -DNDEBUG -g1"
    build_flavour assert "-O2 -fPIC -g1"
    touch "$RESULT/complete"
    step "done: PJSIP $(sed -n 's/^VERSION //p' "$WORK/try.log")"
  fi
  printf '%s\n' "$RESULT"
}

main
