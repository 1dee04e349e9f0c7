/* The native part beside pjsua2: what Python may not do (audio) or pjsua2 does not offer (seeing requests first).
 *
 * Every function is called on the loop thread, the one that runs libHandleEvents, and returns 0 or an id, or a negative
 * errno or pj status. The clock thread of the bridge runs the get and put functions of ports and their destruction.
 */
#ifndef CENTRALKA_H
#define CENTRALKA_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pjsua-lib/pjsua.h>
#include <pjsua-lib/pjsua_internal.h>

enum { CK_FRAME = 160, CK_FRAME_BYTES = 2 * CK_FRAME };  /* 20 ms at 8 kHz, mono, signed 16-bit, little-endian */

/* hook.c: implemented in Python, called on the loop thread */
static int ck_on_request(void *rdata, char *text, int length, char *source, int port, char *transport, size_t flow);
static void ck_on_dropped(char *data, int length, char *source, int port);
static void ck_on_answer(long token, int code);

/* pcm.c */
typedef struct ck_pcm_counters {
    long in_bytes, out_bytes;          /* read from and written to the descriptor */
    long get_frames, put_frames;       /* turns of the bridge */
    long starved, priming;             /* towards the bridge: nothing to play; waiting for the target level */
    long inserted, removed;            /* frames made up or faded away to follow the peer's clock */
    long overflowed, idle_trimmed;     /* samples thrown away: ring full; nobody listened */
    long unwritten, fillers, partial;  /* towards the descriptor: full; silence in place of speech; partial writes */
    int level, level_min, level_max;   /* samples waiting towards the bridge */
    int tx_level;                      /* samples waiting towards the descriptor */
    int closed;                        /* 0; 1 end of file; else errno */
    int slot;
} ck_pcm_counters;

#endif
