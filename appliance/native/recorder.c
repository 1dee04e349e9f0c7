/* Recordings: one leg into a mono wav, two legs into a stereo one, 8 kHz, 16 bits.
 *
 * Each side is a port of the bridge that puts its frames into a ring; a thread of our own writes the rings to disk, so
 * that a slow card never holds the bridge's clock. Both rings are counted from the bridge's own time stamps: the sides
 * stay in step, and what a ring could not hold becomes silence of the same length. The sizes in the file's head are set
 * right once a second: a file that was cut off plays.
 *
 * open, pause, stop, state and close: loop thread. put: clock thread. All of the disk: the writer.
 */
#include "centralka.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    RECORDERS = 128,
    RING = 1 << 16,                 /* samples of a side: 8 s that a card may stall */
    MARGIN = 4 * CK_FRAME,          /* what the clock may put while the writer copies */
    WRITE_MS = 200,
    HEAD_EVERY = 5,                 /* turns of the writer */
    WAV_HEAD = 44,
    BLOCK = 1600,                   /* samples of a side that are written at once */
    TAIL = 8000,                    /* samples of the silence at the end that are kept */
};
enum { REC_STOPPED = 1, REC_LONGEST, REC_SILENCE, REC_FAILED };

static const double QUIET = 3.2e-5; /* mean square of -45 dBFS: nobody speaks */

typedef struct side {
    pjmedia_port base;
    pj_pool_t *pool;
    struct recorder *owner;
    int slot;
    pj_uint64_t began_at;           /* the bridge's time of the first frame, samples */
    atomic_int began;
    atomic_ulong head;              /* samples put; the writer's `tail` is in the recorder */
    pj_int16_t ring[RING];
} side;

typedef struct recorder {
    int sides;
    side *side[2];                  /* gone only once `done` */
    char *part, *path;
    int fd;
    unsigned long tail, skip[2], written, longest, silence, quiet;   /* samples */
    atomic_int paused, stop, done, holders;
    int error;                      /* errno; valid once done */
} recorder;

static pthread_mutex_t rec_lock = PTHREAD_MUTEX_INITIALIZER;   /* guards the table and the writer's being there */
static pthread_cond_t rec_more = PTHREAD_COND_INITIALIZER;
static recorder *rec_table[RECORDERS];
static pthread_t rec_thread;
static int rec_running;

static void rec_release(recorder *r)
{
    if (atomic_fetch_sub(&r->holders, 1) != 1)
        return;
    free(r->part);
    free(r->path);
    free(r);
}

/* ---- clock thread ---------------------------------------------------------------------------------------------------- */

static pj_status_t side_put(pjmedia_port *port, pjmedia_frame *frame)
{
    side *s = (side *)port;
    unsigned long head = atomic_load_explicit(&s->head, memory_order_relaxed);
    const pj_int16_t *in = frame->buf;
    int speaks = frame->type == PJMEDIA_FRAME_TYPE_AUDIO && frame->size == CK_FRAME_BYTES
        && !atomic_load_explicit(&s->owner->paused, memory_order_relaxed);

    if (!atomic_load_explicit(&s->began, memory_order_relaxed)) {
        s->began_at = frame->timestamp.u64;
        atomic_store_explicit(&s->began, 1, memory_order_release);
    }
    for (int i = 0; i < CK_FRAME; i++)
        s->ring[(head + (unsigned long)i) % RING] = speaks ? in[i] : 0;
    atomic_store_explicit(&s->head, head + CK_FRAME, memory_order_release);
    return PJ_SUCCESS;
}

static pj_status_t side_get(pjmedia_port *port, pjmedia_frame *frame)
{
    (void)port;
    frame->type = PJMEDIA_FRAME_TYPE_NONE;
    frame->size = 0;
    return PJ_SUCCESS;
}

static pj_status_t side_destroy(pjmedia_port *port)
{
    side *s = (side *)port;
    recorder *r = s->owner;

    pj_pool_release(s->pool);
    free(s);
    rec_release(r);
    return PJ_SUCCESS;
}

/* ---- the writer ------------------------------------------------------------------------------------------------------ */

static void put_four(unsigned char *at, unsigned long n)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(n >> 8 * i);
}

static void write_head(recorder *r)
{
    static const unsigned char form[WAV_HEAD] = "RIFF....WAVEfmt \20\0\0\0\1\0\0\0\100\37\0\0....\0\0\20\0data....";
    unsigned char head[WAV_HEAD];
    unsigned long size = r->written * 2 * (unsigned)r->sides;

    memcpy(head, form, WAV_HEAD);
    put_four(head + 4, size + WAV_HEAD - 8);
    head[22] = (unsigned char)r->sides;
    put_four(head + 28, 16000UL * (unsigned)r->sides);
    head[32] = (unsigned char)(2 * r->sides);
    put_four(head + 40, size);
    if (pwrite(r->fd, head, WAV_HEAD, 0) != WAV_HEAD)
        r->error = errno ? errno : EIO;
}

/* How many samples both sides have behind the last that was written; the side that began later is led by silence. */
static unsigned long waiting(recorder *r)
{
    unsigned long least = ~0UL;

    for (int i = 0; i < r->sides; i++)
        if (!atomic_load_explicit(&r->side[i]->began, memory_order_acquire))
            return 0;
    if (r->sides == 2 && r->tail == 0 && r->skip[0] == r->skip[1]) {
        pj_int64_t apart = (pj_int64_t)(r->side[0]->began_at - r->side[1]->began_at);
        if (apart > 0 && apart < 8000)
            r->skip[0] = (unsigned long)apart;
        if (apart < 0 && apart > -8000)
            r->skip[1] = (unsigned long)-apart;
    }
    for (int i = 0; i < r->sides; i++) {
        unsigned long head = atomic_load_explicit(&r->side[i]->head, memory_order_acquire) + r->skip[i];
        least = PJ_MIN(least, head);
    }
    return least - r->tail;
}

static pj_int16_t sample_of(recorder *r, int i, unsigned long at)
{
    side *s = r->side[i];
    unsigned long head = atomic_load_explicit(&s->head, memory_order_relaxed);

    if (at < r->skip[i])
        return 0;
    at -= r->skip[i];
    return head - at > RING - MARGIN ? 0 : s->ring[at % RING];
}

/* Counts the silence at the end of the first side. */
static void listen_to(recorder *r, const pj_int16_t *samples, unsigned n)
{
    double energy = 0;

    for (unsigned i = 0; i < n; i++) {
        double one = samples[i * (unsigned)r->sides] / 32768.0;
        energy += one * one;
    }
    r->quiet = energy / n < QUIET && !atomic_load(&r->paused) ? r->quiet + n : 0;
}

static void end(recorder *r, int why)
{
    int not_yet = 0;

    atomic_compare_exchange_strong(&r->stop, &not_yet, why);
}

static void write_block(recorder *r, unsigned n)
{
    pj_int16_t out[2 * BLOCK];
    size_t octets = n * 2 * (unsigned)r->sides;

    for (unsigned i = 0; i < n; i++)
        for (int k = 0; k < r->sides; k++)
            out[i * (unsigned)r->sides + (unsigned)k] = sample_of(r, k, r->tail + i);
    listen_to(r, out, n);
    errno = 0;
    if (pwrite(r->fd, out, octets, WAV_HEAD + (off_t)r->written * 2 * r->sides) != (ssize_t)octets)
        r->error = errno ? errno : ENOSPC;
    r->tail += n;
    r->written += n;
}

static void write_waiting(recorder *r)
{
    unsigned long left = waiting(r);

    while (left && !r->error && atomic_load(&r->stop) <= REC_STOPPED) {
        unsigned long n = PJ_MIN(left, (unsigned long)BLOCK);
        if (r->longest)
            n = PJ_MIN(n, r->longest - r->written);
        write_block(r, (unsigned)n);
        left -= n;
        if (r->longest && r->written >= r->longest)
            end(r, REC_LONGEST);
        if (r->silence && r->quiet >= r->silence)
            end(r, REC_SILENCE);
    }
}

static int sync_folder(const char *path)
{
    char folder[PATH_MAX];
    char *slash;
    int fd, error;

    snprintf(folder, sizeof folder, "%s", path);
    slash = strrchr(folder, '/');
    if (!slash)
        return 0;
    *slash = 0;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    error = fsync(fd) ? errno : 0;
    close(fd);
    return error;
}

/* Sets the head right, has it on disk and gives it its name. */
static void finish(recorder *r, int why)
{
    if (why == REC_SILENCE && r->quiet > TAIL)
        r->written -= PJ_MIN(r->written, r->quiet - TAIL);
    errno = 0;
    if (!r->error && ftruncate(r->fd, WAV_HEAD + (off_t)r->written * 2 * r->sides))
        r->error = errno;
    write_head(r);
    if ((fsync(r->fd) || rename(r->part, r->path)) && !r->error)
        r->error = errno;
    close(r->fd);
    r->fd = -1;
    if (!r->error)
        r->error = sync_folder(r->path);
    atomic_store_explicit(&r->done, r->error ? REC_FAILED : why, memory_order_release);
}

static void serve(recorder *r, int set_head)
{
    int why = atomic_load(&r->stop);

    if (atomic_load(&r->done))
        return;
    write_waiting(r);
    why = why ? why : atomic_load(&r->stop);
    if (why || r->error)
        finish(r, why ? why : REC_FAILED);
    else if (set_head)
        write_head(r);
}

static void *writer(void *unused)
{
    recorder *turn[RECORDERS];
    int count = 1;

    (void)unused;
    for (unsigned n = 0; count; n++) {
        struct timespec until;
        count = 0;
        pthread_mutex_lock(&rec_lock);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WRITE_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&rec_more, &rec_lock, &until);
        for (int i = 0; i < RECORDERS; i++)
            if (rec_table[i]) {
                turn[count++] = rec_table[i];
                atomic_fetch_add(&rec_table[i]->holders, 1);
            }
        if (!count)
            rec_running = 0;
        pthread_mutex_unlock(&rec_lock);
        for (int i = 0; i < count; i++) {
            serve(turn[i], n % HEAD_EVERY == 0);
            rec_release(turn[i]);
        }
    }
    return NULL;
}

/* ---- loop thread ----------------------------------------------------------------------------------------------------- */

static side *side_open(recorder *r)
{
    pj_str_t name = { "record", 6 };
    side *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->owner = r;
    s->pool = pjsua_pool_create("ck-rec", 2048, 1024);
    pjmedia_port_info_init(&s->base.info, &name, PJMEDIA_SIG_CLASS_APP('R', 'E', 'C'), 8000, 1, 16, CK_FRAME);
    s->base.get_frame = &side_get;
    s->base.put_frame = &side_put;
    s->base.on_destroy = &side_destroy;
    atomic_fetch_add(&r->holders, 1);
    if (pjmedia_port_init_grp_lock(&s->base, s->pool, NULL) != PJ_SUCCESS) {
        side_destroy(&s->base);
        return NULL;
    }
    if (pjsua_conf_add_port(s->pool, &s->base, &s->slot) != PJ_SUCCESS) {
        pjmedia_port_destroy(&s->base);
        return NULL;
    }
    return s;
}

static void sides_close(recorder *r)
{
    for (int i = 0; i < 2; i++)
        if (r->side[i]) {
            pjsua_conf_remove_port(r->side[i]->slot);
            pjmedia_port_destroy(&r->side[i]->base);
            r->side[i] = NULL;
        }
}

static int rec_begin(int index, recorder *r)                   /* puts it before the writer */
{
    int error = 0;

    pthread_mutex_lock(&rec_lock);
    rec_table[index] = r;
    if (!rec_running) {
        error = pthread_create(&rec_thread, NULL, &writer, NULL);
        if (!error)
            pthread_detach(rec_thread);
        rec_running = !error;
    }
    if (error)
        rec_table[index] = NULL;
    pthread_mutex_unlock(&rec_lock);
    return -error;
}

/* Records into `path`, written as `path`.part before; `longest`, `silence` in milliseconds, 0: without end. `slots`
 * gets the slots of the sides, to which the legs are connected. An id, or an error. */
static int ck_record_open(const char *path, int sides, int longest, int silence, int *slots)
{
    recorder *r;
    int index = 0, error = 0;

    while (index < RECORDERS && rec_table[index])
        index++;
    if (index == RECORDERS)
        return -EMFILE;
    r = calloc(1, sizeof *r);
    if (!r || !(r->path = strdup(path)) || asprintf(&r->part, "%s.part", path) < 0) {
        free(r ? r->path : NULL);
        free(r);
        return -ENOMEM;
    }
    r->sides = sides == 2 ? 2 : 1;
    r->longest = (unsigned long)longest * 8;
    r->silence = (unsigned long)silence * 8;
    atomic_store(&r->holders, 1);
    r->fd = open(r->part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (r->fd < 0)
        error = -errno;
    else
        write_head(r);
    for (int i = 0; !error && i < r->sides; i++) {
        r->side[i] = side_open(r);
        if (r->side[i])
            slots[i] = r->side[i]->slot;
        else
            error = -EIO;
    }
    if (!error)
        error = rec_begin(index, r);
    if (!error)
        return index;
    sides_close(r);
    if (r->fd >= 0) {
        close(r->fd);
        unlink(r->part);
    }
    rec_release(r);
    return error;
}

static recorder *rec_of(int id) { return id >= 0 && id < RECORDERS ? rec_table[id] : NULL; }

static int ck_record_pause(int id, int on)
{
    recorder *r = rec_of(id);

    if (!r)
        return -ENOENT;
    atomic_store(&r->paused, on != 0);
    return 0;
}

/* Milliseconds that lie on disk or before the writer. */
static int ck_record_length(int id)
{
    recorder *r = rec_of(id);

    return r ? (int)(atomic_load(&r->side[0]->head) / 8) : -ENOENT;
}

static int ck_record_stop(int id)
{
    recorder *r = rec_of(id);

    if (!r)
        return -ENOENT;
    end(r, REC_STOPPED);
    pthread_mutex_lock(&rec_lock);
    pthread_cond_signal(&rec_more);
    pthread_mutex_unlock(&rec_lock);
    return 0;
}

/* Why it ended and how long it is, milliseconds; 0: it goes on; negative: there is none. `error`: errno of a failed one. */
static int ck_record_done(int id, int *length, int *error)
{
    recorder *r = rec_of(id);
    int why;

    if (!r)
        return -ENOENT;
    why = atomic_load_explicit(&r->done, memory_order_acquire);
    if (why) {
        *length = (int)(r->written / 8);
        *error = r->error;
    }
    return why;
}

/* Forgets one that has ended. */
static int ck_record_close(int id)
{
    recorder *r = rec_of(id);

    if (!r || !atomic_load(&r->done))
        return -EBUSY;
    pthread_mutex_lock(&rec_lock);
    rec_table[id] = NULL;
    pthread_mutex_unlock(&rec_lock);
    sides_close(r);
    rec_release(r);
    return 0;
}
