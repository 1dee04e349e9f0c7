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

enum {
    CK_FRAME = 160, CK_FRAME_BYTES = 2 * CK_FRAME,  /* 20 ms at 8 kHz, mono, signed 16-bit, little-endian */
    CK_MOST_RATE = 48000, CK_MOST_FRAME = CK_MOST_RATE / 50,
};

/* hook.c: implemented in Python, called on the loop thread */
static int ck_on_request(void *rdata, char *text, int length, char *source, int port, char *transport, size_t flow);
static void ck_on_dropped(char *data, int length, char *source, int port);
static void ck_on_answer(long token, int code);

/* resolve.c: implemented in Python; ck_server answers */
static void ck_on_name(char *name);

/* elastic.c: samples between two clocks */
typedef struct elastic {
    pj_int16_t *at;
    unsigned size, head, tail;         /* size is a power of two; head and tail only grow */
    unsigned frame, prime_at, low, high;   /* samples: a frame; fill to, insert under, remove over */
    unsigned window_turns, window_lowest;
    int primed, fades;
    pj_int16_t last[CK_MOST_FRAME];
    long starved, priming, inserted, removed;
} elastic;

/* ears.c: what a leg says, measured: level, digits, one tone that is looked for */
enum { CK_TONES = 8, CK_DIGITS = 32 };
typedef struct ck_probe {              /* of the tone that is looked for; blocks of 100 ms */
    long blocks, silent, tone, noisy, jumps;   /* all; under -60 dBFS; mostly the tone; as rough as noise; the tone broke */
    int first_ms;                      /* from the start until the tone was heard, -1: never */
    double best;                       /* mean square of the tone where it was strongest, full scale is 1 */
} ck_probe;

typedef struct mixer {                 /* eight tones, each turned to 0 Hz and summed; the compiler does them at once */
    float re[CK_TONES], im[CK_TONES], step_re[CK_TONES], step_im[CK_TONES], sum_re[CK_TONES], sum_im[CK_TONES];
} mixer;

typedef struct ears {
    int rate;
    double level;                      /* mean square of about 150 ms, full scale is 1 */
    mixer dtmf;                        /* four rows, four columns */
    int hop, filled;                   /* samples of half a window; taken so far */
    double energy, last_energy, last_re[CK_TONES], last_im[CK_TONES], before_re[CK_TONES], before_im[CK_TONES];
    int candidate, hits, misses, sounding;
    char digits[CK_DIGITS];
    unsigned put, got;                 /* put by the clock thread, got by the loop */
    int wanted, hertz;                 /* wanted by the loop; taken over by the clock thread */
    mixer looked_for;                  /* the first of its tones */
    int probe_filled;
    double probe_energy, probe_rough, probe_phase, probe_before;
    ck_probe probe;
} ears;

/* wire.c, sound_card.c: where the samples of a port come from and go to */
typedef struct wire wire;
struct wire {
    int rate;
    int closed;                        /* 0; 1 end of file; else errno */
    int burst;                         /* frames that are written at once */
    long in_bytes, out_bytes, partial, realigned;
    int (*take)(wire *, pj_int16_t *samples, int most);    /* how many were there, without waiting */
    int (*give)(wire *, const pj_int16_t *samples, int n); /* 1: taken; 0: it is full, or broken */
    void (*close)(wire *);
};

/* pcm.c */
typedef struct ck_pcm_counters {
    long in_bytes, out_bytes;          /* read from and written to the descriptor */
    long get_frames, put_frames;       /* turns of the bridge */
    long starved, priming;             /* towards the bridge: nothing to play; waiting for the target level */
    long inserted, removed;            /* frames made up or faded away to follow the peer's clock */
    long overflowed, idle_trimmed;     /* samples thrown away: ring full; nobody listened */
    long unwritten, fillers, partial;  /* towards the descriptor: full; silence in place of speech; partial writes */
    long tx_inserted, tx_removed;      /* as inserted and removed, the other way */
    long realigned, own_clock;         /* an octet was lost; frames written although nothing was read */
    int level, level_min, level_max;   /* samples waiting towards the bridge */
    int tx_level;                      /* samples waiting towards the descriptor */
    int closed;                        /* 0; 1 end of file; else errno */
    int paused;                        /* the modem said stop */
    int slot, rate;
    int sound_in, sound_out;           /* dBFS, -90 is silence: from the line, towards it */
} ck_pcm_counters;

#endif
