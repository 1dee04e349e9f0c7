"""Compile the C beside pjsua2 into a Python module, `_centralka_native`.

    python build_native.py PREFIX      prints the folder that holds the module

PREFIX is a build of PJSIP (`release` or `assert`). The result is kept beside it under a hash of our sources, so that
two versions of the appliance share one PJSIP. Warnings are errors.
"""

import hashlib
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
SOURCES = (
    "centralka.h",
    "resolve.c",
    "hook.c",
    "elastic.c",
    "ears.c",
    "wire.c",
    "pcm.c",
    "sound_card.c",
    "bridge.c",
    "recorder.c",
)
LIBRARIES = ("pjsua", "pjsip-ua", "pjsip-simple", "pjsip", "pjmedia", "pjnath", "pjlib-util", "pj", "asound")

DECLARATIONS = """
extern "Python" int ck_on_request(void *, char *, int, char *, int, char *, size_t);
extern "Python" void ck_on_dropped(char *, int, char *, int);
extern "Python" void ck_on_answer(long, int);
extern "Python" void ck_on_name(char *);
int ck_hook_install(void);
void ck_providers(const char *list);
int ck_server(const char *name, const char *address, int port);
int ck_respond(void *request, int code, const char *headers, int stateful);
void ck_to_tag(void *request, const char *tag);
int ck_account_route(int account, const char *route);
int ck_send_options(const char *target, const char *route, const char *from, int account, long token);
int ck_send_notify(const char *target, const char *route, const char *from, const char *from_tag, const char *to,
                   const char *to_tag, const char *contact, const char *call_id, int cseq, const char *headers,
                   const char *subtype, const char *body, long token);
void ck_quiet(int level);

typedef struct ck_pcm_counters {
    long in_bytes, out_bytes, get_frames, put_frames, starved, priming, inserted, removed, overflowed, idle_trimmed,
        unwritten, fillers, partial, tx_inserted, tx_removed, realigned, own_clock;
    int level, level_min, level_max, tx_level, closed, paused, slot, rate, sound_in, sound_out;
} ck_pcm_counters;
typedef struct ck_probe {
    long blocks, silent, tone, noisy, jumps;
    int first_ms;
    double best;
} ck_probe;
int ck_pcm_open(int fd, int rate, int burst, int keep, int *slot);
int ck_card_open(const char *name, int keep, int *slot);
int ck_pcm_close(int id, int slot);
int ck_pcm_read(int id, int slot, ck_pcm_counters *out);
int ck_pcm_flow(int id, int slot, int go);
int ck_pcm_digits(int id, int slot, char *out, int most);
int ck_pcm_probe(int id, int slot, int hertz);
int ck_pcm_probed(int id, int slot, ck_probe *out);
int ck_pcm_tone(int id, int slot, int hertz, int milliseconds, int level);
int ck_pcm_dial(int id, int slot, const char *digits);

int ck_connect(int from, int to);
int ck_disconnect(int from, int to);
int ck_ports(void);
int ck_level(int slot, unsigned *tx, unsigned *rx);
int ck_play(const char *paths, int slot, int loop);
int ck_play_finished(int id);
int ck_play_stop(int id);

int ck_record_open(const char *path, int sides, int longest, int silence, int *slots);
int ck_record_pause(int id, int on);
int ck_record_length(int id);
int ck_record_stop(int id);
int ck_record_done(int id, int *length, int *error);
int ck_record_close(int id);
"""


def build(prefix: Path) -> Path:
    """Compile unless it is there already. Raises subprocess.CalledProcessError or cffi's VerificationError."""
    sources = [HERE / name for name in SOURCES]
    return compiled(prefix, "_centralka_native", DECLARATIONS, sources, [Path(__file__)])


def compiled(prefix: Path, name: str, declarations: str, sources: list[Path], also: list[Path]) -> Path:
    """The folder with the module `name`, made of C sources; `also`: other files it is made anew for when they change.
    Raises as `build`."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in (*sources, *also)))
    folder = prefix / "native" / digest.hexdigest()[:16]
    module = folder / f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
    if module.exists():
        return folder
    flags = subprocess.run(
        ["pkg-config", "--cflags", "libpjproject"],
        env={**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    ffi = FFI()
    ffi.cdef(declarations)
    ffi.set_source(
        name,
        "".join(f'#include "{path}"\n' for path in sources),
        include_dirs=[str(prefix / "include")],
        library_dirs=[str(prefix / "lib")],
        libraries=list(LIBRARIES),
        # cffi's own part of the file casts functions and leaves parameters unused
        extra_compile_args=[f for f in flags if f.startswith("-D")]
        + ["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-cast-function-type"],
        extra_link_args=["-Wl,--disable-new-dtags,-rpath,$ORIGIN/../../site/pjsua2.libs"],
    )
    folder.mkdir(parents=True, exist_ok=True)
    work = folder / f"work.{os.getpid()}"
    made = Path(ffi.compile(tmpdir=str(work), target=f"{name}.*", verbose=False))
    os.replace(made, module)
    subprocess.run(["rm", "-rf", str(work)], check=True)
    return folder


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(sys.argv[1]).resolve())}\n")
