/* PCM port: a wire (a modem's serial speech port, a pty, a socket, a sound card) as a port of the conference bridge.
 *
 * The wire is read and written without blocking inside the bridge's own turn: no thread, no ioqueue. An elastic buffer
 * each way absorbs jitter and the difference of two clocks. Towards a modem only as much is written as was read: its
 * clock rules both ways, and the kernel never becomes a buffer of seconds. A modem that says nothing for 60 ms is
 * written to by our clock until it speaks.
 *
 * Get, put and destroy run on the clock thread. Counters are written there and read anywhere: a torn count is harmless.
 */
#include "centralka.h"
#include <errno.h>
#include <pthread.h>

enum {
    PORTS = 64,
    MOST_TURNS_READ = 16,           /* reads in one turn of the bridge: a peer that floods cannot hold its clock */
    QUIET_TURNS = 3,                /* nothing was read for so long: our clock writes */
    MOST_CREDIT = 50,               /* frames */
    MOST_BURST = 5,                 /* frames that are written at once */
    TARGET = 2,                     /* frames that wait towards the modem */
};

typedef struct pcm_port {
    pjmedia_port base;
    pj_pool_t *pool;
    wire *wire;
    pjmedia_port *tones;            /* what is played in place of the bridge: digits, a test tone */
    int index, slot;
    unsigned frame, keep;
    elastic rx, tx;
    ears ears;
    double sound_out;
    int heard, fresh, quiet_turns;  /* heard: somebody listened in this turn; fresh: samples were read in it */
    int paused;                     /* by the loop: the modem takes nothing now */
    long credit;                    /* samples read that were not answered with as many written */
    long ahead;                     /* frames written by our clock */
    int stuck;                      /* and not all were taken: the modem does not play them */
    ck_pcm_counters count;
} pcm_port;

static pthread_mutex_t pcm_lock = PTHREAD_MUTEX_INITIALIZER;   /* guards the table, not the ports */
static pcm_port *pcm_table[PORTS];

/* ---- from the line ------------------------------------------------------------------------------------------------ */

static void speaks_again(pcm_port *p)
{
    if (p->ahead)
        p->credit = p->stuck ? -PJ_MIN(p->ahead, 2 * MOST_CREDIT) * (long)p->frame : 0;
    p->ahead = p->stuck = p->quiet_turns = 0;
}

static void read_all(pcm_port *p)
{
    pj_int16_t samples[CK_MOST_FRAME];
    long realigned = p->wire->realigned;
    int n;

    for (int turn = 0; turn < MOST_TURNS_READ; turn++) {
        n = p->wire->take(p->wire, samples, CK_MOST_FRAME);
        if (n <= 0)
            return;
        if (!p->fresh++)
            speaks_again(p);
        ears_hear(&p->ears, samples, n);
        for (int i = 0; i < n; i++)
            elastic_put(&p->rx, samples[i]);
        p->credit += n;
        if (p->wire->realigned != realigned)
            elastic_forget(&p->rx);                            /* all noise */
        realigned = p->wire->realigned;
        p->count.overflowed += elastic_trim(&p->rx, p->rx.size - CK_MOST_FRAME);
    }
}

static pj_status_t pcm_get(pjmedia_port *port, pjmedia_frame *frame)
{
    pcm_port *p = (pcm_port *)port;
    int level;

    frame->type = PJMEDIA_FRAME_TYPE_AUDIO;
    frame->size = 2 * p->frame;
    p->heard = 1;
    p->count.get_frames++;
    read_all(p);
    level = (int)elastic_level(&p->rx);
    if (p->rx.primed) {
        p->count.level_min = PJ_MIN(p->count.level_min, level);
        p->count.level_max = PJ_MAX(p->count.level_max, level);
    }
    elastic_get(&p->rx, frame->buf);
    return PJ_SUCCESS;
}

/* ---- towards the line --------------------------------------------------------------------------------------------- */

static int give(pcm_port *p, int frames)                       /* 1: taken */
{
    pj_int16_t samples[MOST_BURST * CK_MOST_FRAME];

    for (int i = 0; i < frames; i++)
        p->count.fillers += !elastic_get(&p->tx, samples + i * (int)p->frame);
    if (p->wire->give(p->wire, samples, frames * (int)p->frame))
        return 1;
    p->count.unwritten += frames;
    return 0;
}

static void write_as_read(pcm_port *p)
{
    long frame = p->frame, burst = frame * p->wire->burst;

    p->credit = PJ_MIN(p->credit, MOST_CREDIT * frame);
    for (; p->credit >= burst; p->credit -= burst)
        if (!give(p, p->wire->burst))
            return;
}

static void write_by_our_clock(pcm_port *p)
{
    p->ahead++;
    p->credit = 0;
    p->count.own_clock++;
    if (!give(p, 1))
        p->stuck = 1;
}

/* What goes to the line in this turn: tones of ours before the bridge's sound. */
static const pj_int16_t *what_to_say(pcm_port *p, pjmedia_frame *frame, pj_int16_t *room)
{
    pjmedia_frame own = { .buf = room, .size = 2 * p->frame };
    int is_audio = frame->type == PJMEDIA_FRAME_TYPE_AUDIO && frame->buf && frame->size == 2 * p->frame;

    if (p->tones && pjmedia_tonegen_is_busy(p->tones) && pjmedia_port_get_frame(p->tones, &own) == PJ_SUCCESS
        && own.type == PJMEDIA_FRAME_TYPE_AUDIO)
        return room;
    if (is_audio)
        return frame->buf;
    memset(room, 0, 2 * p->frame);
    return room;
}

static pj_status_t pcm_put(pjmedia_port *port, pjmedia_frame *frame)
{
    pcm_port *p = (pcm_port *)port;
    pj_int16_t room[CK_MOST_FRAME];
    const pj_int16_t *samples = what_to_say(p, frame, room);

    p->count.put_frames++;
    if (!p->heard) {                                           /* get did not run: keep the newest, or old speech waits */
        read_all(p);
        p->count.idle_trimmed += elastic_trim(&p->rx, p->rx.prime_at);
        p->rx.primed = 0;
    }
    p->quiet_turns = p->fresh ? 0 : PJ_MIN(p->quiet_turns + 1, QUIET_TURNS);
    p->heard = p->fresh = 0;
    p->sound_out = loudness(p->sound_out, samples, (int)p->frame, p->wire->rate);
    for (unsigned i = 0; i < p->frame; i++)
        elastic_put(&p->tx, samples[i]);
    p->count.overflowed += elastic_trim(&p->tx, p->tx.size - CK_MOST_FRAME);
    if (p->paused || p->wire->closed) {
        elastic_trim(&p->tx, p->tx.prime_at);
        p->credit = 0;
    } else if (p->quiet_turns < QUIET_TURNS) {
        write_as_read(p);
    } else {
        write_by_our_clock(p);
    }
    return PJ_SUCCESS;
}

/* ---- life --------------------------------------------------------------------------------------------------------- */

static pj_status_t pcm_destroy(pjmedia_port *port)             /* the last reference is gone */
{
    pcm_port *p = (pcm_port *)port;

    pthread_mutex_lock(&pcm_lock);
    if (pcm_table[p->index] == p)
        pcm_table[p->index] = NULL;
    pthread_mutex_unlock(&pcm_lock);
    p->wire->close(p->wire);
    if (p->tones)
        pjmedia_port_destroy(p->tones);
    pj_pool_release(p->pool);
    return PJ_SUCCESS;
}

static int pcm_enter(pcm_port *p)                              /* a place in the table, or -EMFILE */
{
    int index = 0;

    pthread_mutex_lock(&pcm_lock);
    while (index < PORTS && pcm_table[index])
        index++;
    if (index < PORTS)
        pcm_table[p->index = index] = p;
    pthread_mutex_unlock(&pcm_lock);
    return index < PORTS ? index : -EMFILE;
}

/* A port that no bridge has yet. It owns the wire. `keep`: frames that wait at the least. */
static pcm_port *pcm_make(pj_pool_t *pool, wire *wire, int keep)
{
    pcm_port *p = PJ_POOL_ZALLOC_T(pool, pcm_port);
    pj_str_t name = { "pcm", 3 };
    unsigned size = 4096;                                      /* half a second */

    while (size < (unsigned)wire->rate / 2)
        size *= 2;
    p->pool = pool;
    p->wire = wire;
    p->frame = (unsigned)wire->rate / 50;
    p->index = -1;
    elastic_init(&p->rx, pj_pool_alloc(pool, 2 * size), size, p->frame, (unsigned)keep, 1);
    elastic_init(&p->tx, pj_pool_alloc(pool, 2 * size), size, p->frame, TARGET, (unsigned)wire->burst);
    ears_init(&p->ears, wire->rate);
    p->count.level_min = (int)size;
    pjmedia_port_info_init(&p->base.info, &name, PJMEDIA_SIG_CLASS_APP('P', 'C', 'M'), (unsigned)wire->rate, 1, 16,
                           p->frame);
    p->base.get_frame = &pcm_get;
    p->base.put_frame = &pcm_put;
    p->base.on_destroy = &pcm_destroy;                         /* before the group lock takes it over */
    pjmedia_tonegen_create(pool, (unsigned)wire->rate, 1, p->frame, 16, 0, &p->tones);
    return p;
}

/* Puts a wire into the bridge and owns it from here on, whatever comes back: the id of the port, or an error. */
static int pcm_open(pj_pool_t *pool, wire *wire, int keep, int *slot)
{
    pcm_port *p = pcm_make(pool, wire, keep);
    int entered = pcm_enter(p);

    if (entered < 0 || pjmedia_port_init_grp_lock(&p->base, pool, NULL) != PJ_SUCCESS) {
        if (entered < 0)
            p->index = 0;                                      /* another's: it stays */
        pcm_destroy(&p->base);
        return entered < 0 ? entered : -EIO;
    }
    if (pjsua_conf_add_port(pool, &p->base, slot) != PJ_SUCCESS) {
        pjmedia_port_destroy(&p->base);
        return -EIO;
    }
    p->slot = *slot;
    return entered;
}

static int ck_pcm_open(int fd, int rate, int burst, int keep, int *slot)
{
    pj_pool_t *pool = pjsua_pool_create("ck-pcm", 32 * 1024, 16 * 1024);

    return pcm_open(pool, fd_wire_open(pool, fd, rate, PJ_MIN(PJ_MAX(burst, 1), MOST_BURST)), keep, slot);
}

/* ---- by id and slot, on the loop thread --------------------------------------------------------------------------- */

static pcm_port *pcm_find(int id, int slot)
{
    pcm_port *p = id >= 0 && id < PORTS ? pcm_table[id] : NULL;
    return p && p->slot == slot ? p : NULL;
}

/* The bridge lets go at its next turn; the descriptor is closed then. */
static int ck_pcm_close(int id, int slot)
{
    pcm_port *p = pcm_find(id, slot);

    if (!p)
        return -ENOENT;
    pjsua_conf_remove_port(slot);
    pjmedia_port_destroy(&p->base);                            /* our own reference */
    return 0;
}

static void pcm_count(pcm_port *p, ck_pcm_counters *out)
{
    *out = p->count;
    out->in_bytes = p->wire->in_bytes;
    out->out_bytes = p->wire->out_bytes;
    out->partial = p->wire->partial;
    out->realigned = p->wire->realigned;
    out->starved = p->rx.starved;
    out->priming = p->rx.priming;
    out->inserted = p->rx.inserted;
    out->removed = p->rx.removed;
    out->tx_inserted = p->tx.inserted;
    out->tx_removed = p->tx.removed;
    out->level = (int)elastic_level(&p->rx);
    out->tx_level = (int)elastic_level(&p->tx);
    out->closed = p->wire->closed;
    out->paused = p->paused;
    out->slot = p->slot;
    out->rate = p->wire->rate;
    out->sound_in = decibels(p->ears.level);
    out->sound_out = decibels(p->sound_out);
}

static int ck_pcm_read(int id, int slot, ck_pcm_counters *out)
{
    pcm_port *p;

    pthread_mutex_lock(&pcm_lock);
    p = pcm_find(id, slot);
    if (p)
        pcm_count(p, out);
    pthread_mutex_unlock(&pcm_lock);
    return p ? 0 : -ENOENT;
}

/* The modem's own flow control: 0 stops our writing, 1 lets it go on with what is newest. */
static int ck_pcm_flow(int id, int slot, int go)
{
    pcm_port *p = pcm_find(id, slot);

    if (p)
        p->paused = !go;
    return p ? 0 : -ENOENT;
}

static int ck_pcm_digits(int id, int slot, char *out, int most)
{
    pcm_port *p = pcm_find(id, slot);
    return p ? ears_digits(&p->ears, out, most) : 0;
}

/* Looks for a tone from now on; the counts begin anew. */
static int ck_pcm_probe(int id, int slot, int hertz)
{
    pcm_port *p = pcm_find(id, slot);

    if (p)
        __atomic_store_n(&p->ears.wanted, hertz, __ATOMIC_RELEASE);
    return p ? 0 : -ENOENT;
}

static int ck_pcm_probed(int id, int slot, ck_probe *out)
{
    pcm_port *p = pcm_find(id, slot);

    if (p)
        *out = p->ears.probe;
    return p ? 0 : -ENOENT;
}

/* Plays a tone to the line in place of the bridge's sound; level in per cent of full scale. */
static int ck_pcm_tone(int id, int slot, int hertz, int milliseconds, int level)
{
    pcm_port *p = pcm_find(id, slot);
    pjmedia_tone_desc tone = { .freq1 = (short)hertz, .on_msec = (short)milliseconds,
                               .volume = (short)(32767 * level / 100) };

    if (!p || !p->tones)
        return -ENOENT;
    pjmedia_tonegen_stop(p->tones);
    return pjmedia_tonegen_play(p->tones, 1, &tone, 0);
}

/* Plays digits to the line, one after the other: for modems whose own tones do not reach the far end. */
static int ck_pcm_dial(int id, int slot, const char *digits)
{
    pcm_port *p = pcm_find(id, slot);
    pjmedia_tone_digit tones[16];
    unsigned n = 0;

    for (; n < 16 && digits[n]; n++)
        tones[n] = (pjmedia_tone_digit){ .digit = digits[n], .on_msec = 120, .off_msec = 80, .volume = 8000 };
    if (!p || !p->tones)
        return -ENOENT;
    return pjmedia_tonegen_play_digits(p->tones, n, tones, 0);
}
