/* PCM port: a descriptor (a modem's serial audio, a pty, a socket) as a port of the conference bridge.
 *
 * The descriptor is read without blocking inside the bridge's own turn: no thread, no ioqueue. Towards the bridge an
 * elastic buffer absorbs jitter and the difference of two clocks: filled to a target of some frames before the first
 * sound, then watched by its lowest level of one second; too much is faded away by laying two frames over each other,
 * too little is filled by one made of its neighbours. Towards a modem only as much is written as was read: its clock
 * rules both ways, and the kernel never becomes a buffer of seconds.
 *
 * Get, put and destroy run on the clock thread. Counters are written there and read anywhere: a torn count is harmless.
 */
#include "centralka.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum {
    PORTS = 64,
    RING = 4096,                    /* samples, a power of two: half a second */
    WINDOW = 50,                    /* turns between two looks at the lowest level: one second */
    FADES = 2,                      /* starved: repeat the last frame so often, at half the strength each time */
    TX_HIGH = 6 * CK_FRAME,         /* waiting towards the descriptor: above it the oldest frame goes */
    MOST_CREDIT = 50 * CK_FRAME,
    SOCKET_BUFFER = 4096,           /* bytes the kernel may hold towards a slow reader, where it can be told */
};

typedef struct ring { pj_int16_t at[RING]; unsigned head, tail; } ring;

typedef struct pcm_port {
    pjmedia_port base;
    pj_pool_t *pool;
    int fd, index, closed, follow;
    ring rx, tx;
    unsigned target, low, high;     /* samples: fill to, insert under, remove over */
    unsigned window_turns, window_lowest;
    int primed, fades, heard;       /* heard: somebody listened in this turn */
    long credit;                    /* samples read that were not answered with as many written */
    pj_int16_t last[CK_FRAME];
    unsigned char odd_byte, rest[CK_FRAME_BYTES];
    int has_odd, rest_length, rest_at;
    ck_pcm_counters count;
} pcm_port;

static pthread_mutex_t pcm_lock = PTHREAD_MUTEX_INITIALIZER;   /* guards the table, not the ports */
static pcm_port *pcm_table[PORTS];

/* ---- ring ------------------------------------------------------------------------------------------------------- */

static unsigned ring_level(const ring *r) { return r->tail - r->head; }
static pj_int16_t ring_peek(const ring *r, unsigned i) { return r->at[(r->head + i) & (RING - 1)]; }

static void ring_get(ring *r, pj_int16_t *out, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        out[i] = ring_peek(r, i);
    r->head += n;
}

static void ring_put(ring *r, pj_int16_t sample) { r->at[r->tail++ & (RING - 1)] = sample; }

static unsigned ring_trim(ring *r, unsigned most)              /* throw the oldest away; how many */
{
    unsigned level = ring_level(r), over = level > most ? level - most : 0;
    r->head += over;
    return over;
}

/* ---- descriptor --------------------------------------------------------------------------------------------------- */

static void note_error(pcm_port *p)
{
    if (errno != EAGAIN && errno != EINTR)
        p->closed = errno;
}

static void read_all(pcm_port *p)
{
    unsigned char chunk[4096 + 1];

    while (!p->closed) {
        int kept = p->has_odd;
        ssize_t n, whole;

        chunk[0] = p->odd_byte;
        n = read(p->fd, chunk + kept, sizeof chunk - 1);
        if (n == 0)
            p->closed = 1;
        if (n < 0)
            note_error(p);
        if (n <= 0)
            return;
        p->count.in_bytes += n;
        whole = (n + kept) / 2;
        for (ssize_t i = 0; i < whole; i++)
            ring_put(&p->rx, (pj_int16_t)(chunk[2 * i] | chunk[2 * i + 1] << 8));
        p->has_odd = (n + kept) & 1;
        p->odd_byte = chunk[2 * whole];
        p->credit += whole;
        p->count.overflowed += ring_trim(&p->rx, RING - 2 * CK_FRAME);
        if (n < (ssize_t)sizeof chunk - 1)
            return;
    }
}

static int write_rest(pcm_port *p)                             /* 1: nothing is left over */
{
    ssize_t n;

    if (!p->rest_length)
        return 1;
    n = write(p->fd, p->rest + p->rest_at, p->rest_length);
    if (n < 0) {
        note_error(p);
        return 0;
    }
    p->count.out_bytes += n;
    p->rest_at += n;
    p->rest_length -= n;
    return !p->rest_length;
}

static int write_frame(pcm_port *p, const pj_int16_t *frame)   /* 1: taken, perhaps with a rest; 0: it is full */
{
    ssize_t n;

    if (p->closed)
        return 1;
    if (!write_rest(p))
        return 0;
    n = write(p->fd, frame, CK_FRAME_BYTES);
    if (n < 0) {
        note_error(p);
        return 0;
    }
    p->count.out_bytes += n;
    if (n < CK_FRAME_BYTES) {
        p->count.partial++;
        p->rest_at = 0;
        p->rest_length = CK_FRAME_BYTES - (int)n;
        memcpy(p->rest, (const char *)frame + n, p->rest_length);
    }
    return 1;
}

/* ---- towards the bridge ------------------------------------------------------------------------------------------- */

static void new_window(pcm_port *p)
{
    p->window_turns = 0;
    p->window_lowest = ~0u;
}

static int prime(pcm_port *p)                                  /* 1: sound may begin */
{
    if (p->primed)
        return 1;
    if (ring_level(&p->rx) < p->target) {
        p->count.priming++;
        return 0;
    }
    ring_trim(&p->rx, p->target);
    p->primed = 1;
    p->fades = 0;
    new_window(p);
    return 1;
}

static void play_starved(pcm_port *p, pj_int16_t *out)
{
    p->count.starved++;
    if (p->fades++ >= FADES) {
        memset(p->last, 0, sizeof p->last);
        p->primed = 0;
    }
    for (int i = 0; i < CK_FRAME; i++)
        out[i] = p->last[i] /= 2;
}

static pj_int16_t blend(int from, int to, int i)               /* from the one to the other over a frame */
{
    return (pj_int16_t)((from * (CK_FRAME - i) + to * i) / CK_FRAME);
}

static void play_two_as_one(pcm_port *p, pj_int16_t *out)
{
    for (int i = 0; i < CK_FRAME; i++)
        out[i] = blend(ring_peek(&p->rx, i), ring_peek(&p->rx, CK_FRAME + i), i);
    p->rx.head += 2 * CK_FRAME;
    p->count.removed++;
    new_window(p);
}

static void play_one_more(pcm_port *p, pj_int16_t *out)        /* between the last and the next, the next stays */
{
    for (int i = 0; i < CK_FRAME; i++)
        out[i] = blend(ring_peek(&p->rx, i), p->last[i], i);
    p->count.inserted++;
    new_window(p);
}

static void play_next(pcm_port *p, pj_int16_t *out)
{
    unsigned level = ring_level(&p->rx);

    p->fades = 0;
    if (level < p->window_lowest)
        p->window_lowest = level;
    if (++p->window_turns >= WINDOW || level > p->high + 4 * CK_FRAME) {
        if (p->window_lowest > p->high && level >= 2 * CK_FRAME) {
            play_two_as_one(p, out);
            return;
        }
        if (p->window_lowest < p->low) {
            play_one_more(p, out);
            return;
        }
        new_window(p);
    }
    ring_get(&p->rx, out, CK_FRAME);
}

static pj_status_t pcm_get(pjmedia_port *port, pjmedia_frame *frame)
{
    pcm_port *p = (pcm_port *)port;
    pj_int16_t *out = frame->buf;
    int level;

    frame->type = PJMEDIA_FRAME_TYPE_AUDIO;
    frame->size = CK_FRAME_BYTES;
    p->heard = 1;
    p->count.get_frames++;
    read_all(p);
    if (!prime(p)) {
        memset(out, 0, CK_FRAME_BYTES);
        return PJ_SUCCESS;
    }
    level = (int)ring_level(&p->rx);
    p->count.level_min = PJ_MIN(p->count.level_min, level);
    p->count.level_max = PJ_MAX(p->count.level_max, level);
    if (level < CK_FRAME) {
        play_starved(p, out);
        return PJ_SUCCESS;
    }
    play_next(p, out);
    memcpy(p->last, out, CK_FRAME_BYTES);
    return PJ_SUCCESS;
}

/* ---- towards the descriptor --------------------------------------------------------------------------------------- */

static void write_as_read(pcm_port *p)
{
    pj_int16_t frame[CK_FRAME];

    p->credit = PJ_MIN(p->credit, MOST_CREDIT);
    for (; p->credit >= CK_FRAME; p->credit -= CK_FRAME) {
        if (ring_level(&p->tx) >= CK_FRAME) {
            ring_get(&p->tx, frame, CK_FRAME);
        } else {
            memset(frame, 0, sizeof frame);
            p->count.fillers++;
        }
        if (!write_frame(p, frame)) {
            p->count.unwritten++;
            return;
        }
    }
}

static pj_status_t pcm_put(pjmedia_port *port, pjmedia_frame *frame)
{
    static const pj_int16_t silence[CK_FRAME];
    pcm_port *p = (pcm_port *)port;
    int is_audio = frame->type == PJMEDIA_FRAME_TYPE_AUDIO && frame->buf && frame->size == CK_FRAME_BYTES;
    const pj_int16_t *samples = is_audio ? frame->buf : silence;

    p->count.put_frames++;
    if (!p->heard) {                                           /* get did not run: keep the newest, or old speech waits */
        read_all(p);
        p->count.idle_trimmed += ring_trim(&p->rx, p->target);
        p->primed = 0;
    }
    p->heard = 0;
    if (!p->follow) {
        p->count.unwritten += !write_frame(p, samples);
        return PJ_SUCCESS;
    }
    for (int i = 0; i < CK_FRAME; i++)
        ring_put(&p->tx, samples[i]);
    if (ring_level(&p->tx) > TX_HIGH)
        p->count.unwritten += ring_trim(&p->tx, TX_HIGH) / CK_FRAME;
    write_as_read(p);
    return PJ_SUCCESS;
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

static pj_status_t pcm_destroy(pjmedia_port *port)             /* the last reference is gone */
{
    pcm_port *p = (pcm_port *)port;

    pthread_mutex_lock(&pcm_lock);
    if (pcm_table[p->index] == p)
        pcm_table[p->index] = NULL;
    pthread_mutex_unlock(&pcm_lock);
    tcflush(p->fd, TCOFLUSH);                                  /* the close of a stalled port waits for half a minute */
    close(p->fd);
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

static void prepare_descriptor(int fd)
{
    int size = SOCKET_BUFFER;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size); /* not a socket: no harm */
}

/* Puts `fd` into the bridge and owns it from here on, whatever comes back: the id of the port, or an error. */
static int ck_pcm_open(int fd, int follow, int target_frames, int *slot)
{
    pj_pool_t *pool = pjsua_pool_create("ck-pcm", sizeof(pcm_port) + 1024, 1024);
    pcm_port *p = PJ_POOL_ZALLOC_T(pool, pcm_port);
    pj_str_t name = { "pcm", 3 };
    int entered;

    p->pool = pool;
    p->fd = fd;
    p->follow = follow;
    p->target = target_frames * CK_FRAME;
    p->low = CK_FRAME + CK_FRAME / 2;
    p->high = p->target + CK_FRAME;
    p->count.level_min = RING;
    entered = pcm_enter(p);
    if (entered < 0) {
        close(fd);
        pj_pool_release(pool);
        return entered;
    }
    prepare_descriptor(fd);
    pjmedia_port_info_init(&p->base.info, &name, PJMEDIA_SIG_CLASS_APP('P', 'C', 'M'), 8000, 1, 16, CK_FRAME);
    p->base.get_frame = &pcm_get;
    p->base.put_frame = &pcm_put;
    p->base.on_destroy = &pcm_destroy;                         /* before the group lock takes it over */
    if (pjmedia_port_init_grp_lock(&p->base, pool, NULL) != PJ_SUCCESS) {
        pcm_destroy(&p->base);
        return -EIO;
    }
    if (pjsua_conf_add_port(pool, &p->base, slot) != PJ_SUCCESS) {
        pjmedia_port_destroy(&p->base);
        return -EIO;
    }
    p->count.slot = *slot;
    return entered;
}

static pcm_port *pcm_find(int id) { return id >= 0 && id < PORTS ? pcm_table[id] : NULL; }

/* The bridge lets go at its next turn; the descriptor is closed then. */
static int ck_pcm_close(int id, int slot)
{
    pcm_port *p = pcm_find(id);

    if (!p || p->count.slot != slot)
        return -ENOENT;
    pjsua_conf_remove_port(slot);
    pjmedia_port_destroy(&p->base);                            /* our own reference */
    return 0;
}

static int ck_pcm_read(int id, ck_pcm_counters *out)
{
    pcm_port *p;

    pthread_mutex_lock(&pcm_lock);
    p = pcm_find(id);
    if (p) {
        *out = p->count;
        out->level = (int)ring_level(&p->rx);
        out->tx_level = (int)ring_level(&p->tx);
        out->closed = p->closed;
    }
    pthread_mutex_unlock(&pcm_lock);
    return p ? 0 : -ENOENT;
}
