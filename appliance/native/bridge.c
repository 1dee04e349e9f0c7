/* The conference bridge by slot numbers, and prompts played into it.
 *
 * A prompt is read whole into memory and played by our own port: the stock player can crash when it is destroyed near
 * its end, and asks the disk inside the clock's turn.
 */
#include "centralka.h"
#include <errno.h>
#include <stdio.h>

static int ck_connect(int from, int to) { return pjsua_conf_connect(from, to); }
static int ck_disconnect(int from, int to) { return pjsua_conf_disconnect(from, to); }
static int ck_ports(void) { return (int)pjsua_conf_get_active_ports(); }
static int ck_level(int slot, unsigned *tx, unsigned *rx) { return pjsua_conf_get_signal_level(slot, tx, rx); }

/* ---- prompts -------------------------------------------------------------------------------------------------------- */

enum {
    PLAYERS = 128, MOST_SAMPLES = 8000 * 60 * 10,
    FAINT = 100, BREATH = 640,         /* between two pieces nothing is left of their silence but 80 ms of each */
};

typedef struct player {
    pjmedia_port base;
    pj_pool_t *pool;
    pj_int16_t *samples;
    unsigned length, at;
    int loop, slot;
    volatile int finished;           /* set once by the clock thread, read by the loop */
} player;

static player *players[PLAYERS];     /* loop thread only */

static pj_status_t player_get(pjmedia_port *port, pjmedia_frame *frame)
{
    player *p = (player *)port;
    pj_int16_t *out = frame->buf;

    frame->type = PJMEDIA_FRAME_TYPE_AUDIO;
    frame->size = CK_FRAME_BYTES;
    for (int i = 0; i < CK_FRAME; i++) {
        if (p->at == p->length && p->loop)
            p->at = 0;
        out[i] = p->at < p->length ? p->samples[p->at++] : 0;
    }
    if (p->at == p->length && !p->loop)
        p->finished = 1;
    return PJ_SUCCESS;
}

static pj_status_t player_put(pjmedia_port *port, pjmedia_frame *frame)
{
    (void)port;
    (void)frame;
    return PJ_SUCCESS;
}

static pj_status_t player_destroy(pjmedia_port *port)
{
    player *p = (player *)port;
    free(p->samples);
    pj_pool_release(p->pool);
    return PJ_SUCCESS;
}

static unsigned four(const unsigned char *b) { return b[0] | b[1] << 8 | b[2] << 16 | (unsigned)b[3] << 24; }
static unsigned two(const unsigned char *b) { return b[0] | b[1] << 8; }

/* The samples of a wav file of 8 kHz, mono, 16 bit; a negative errno for anything else. */
static long read_wav(const char *path, pj_int16_t **samples)
{
    unsigned char head[12], chunk[8], format[16];
    long found = -EINVAL;
    int good = 0;
    FILE *file = fopen(path, "rbe");

    if (!file)
        return -errno;
    if (fread(head, 1, 12, file) != 12 || memcmp(head, "RIFF", 4) || memcmp(head + 8, "WAVE", 4))
        goto done;
    while (fread(chunk, 1, 8, file) == 8) {
        unsigned size = four(chunk + 4);
        if (!memcmp(chunk, "fmt ", 4) && size >= 16 && fread(format, 1, 16, file) == 16) {
            good = two(format) == 1 && two(format + 2) == 1 && four(format + 4) == 8000 && two(format + 14) == 16;
            size -= 16;
        } else if (!memcmp(chunk, "data", 4) && good) {
            size_t most = PJ_MIN(size / 2, (unsigned)MOST_SAMPLES);
            *samples = malloc(most * 2 + 2);
            found = *samples ? (long)fread(*samples, 2, most, file) : -ENOMEM;
            goto done;
        }
        if (fseek(file, (long)size + (size & 1), SEEK_CUR))
            goto done;
    }
done:
    fclose(file);
    return found;
}

/* How many samples of silence a piece begins with, or with `step` -1 ends with, over what is left between pieces. */
static long faint(const pj_int16_t *from, long length, int step)
{
    long n = 0;

    while (n < length && abs(from[n * step]) < FAINT)
        n++;
    return n > BREATH ? n - BREATH : 0;
}

/* The samples of several files, one path a line, as one; a negative errno when one of them cannot be read. */
static long read_pieces(const char *paths, pj_int16_t **samples)
{
    char *list = strdup(paths), *rest = NULL;
    long length = 0;

    for (char *path = list ? strtok_r(list, "\n", &rest) : NULL; path; path = strtok_r(NULL, "\n", &rest)) {
        pj_int16_t *piece = NULL, *more;
        long found = read_wav(path, &piece), skip = 0;
        if (found > 0 && length > 0) {
            skip = faint(piece, found, 1);
            length -= faint(*samples + length - 1, length, -1);
        }
        more = found < 0 ? NULL : realloc(*samples, (size_t)(length + found - skip) * 2 + 2);
        if (more) {
            memcpy(more + length, piece + skip, (size_t)(found - skip) * 2);
            *samples = more;
            length += found - skip;
        }
        free(piece);
        if (!more || length > MOST_SAMPLES) {
            length = found < 0 ? found : -ENOMEM;
            break;
        }
    }
    free(list);
    return length;
}

/* Plays files to the slot without a gap, one path a line; an id, or an error. */
static int ck_play(const char *paths, int slot, int loop)
{
    pj_int16_t *samples = NULL;
    long length = read_pieces(paths, &samples);
    pj_str_t name = { "prompt", 6 };
    pj_pool_t *pool;
    player *p;
    int index = 0;

    while (index < PLAYERS && players[index])
        index++;
    if (length <= 0 || index == PLAYERS) {
        free(samples);
        return length < 0 ? (int)length : -EMFILE;
    }
    pool = pjsua_pool_create("ck-play", sizeof(player) + 1024, 1024);
    p = PJ_POOL_ZALLOC_T(pool, player);
    p->pool = pool;
    p->samples = samples;
    p->length = (unsigned)length;
    p->loop = loop;
    pjmedia_port_info_init(&p->base.info, &name, PJMEDIA_SIG_CLASS_APP('P', 'L', 'Y'), 8000, 1, 16, CK_FRAME);
    p->base.get_frame = &player_get;
    p->base.put_frame = &player_put;
    p->base.on_destroy = &player_destroy;
    if (pjmedia_port_init_grp_lock(&p->base, pool, NULL) != PJ_SUCCESS) {
        player_destroy(&p->base);
        return -EIO;
    }
    if (pjsua_conf_add_port(pool, &p->base, &p->slot) != PJ_SUCCESS) {
        pjmedia_port_destroy(&p->base);
        return -EIO;
    }
    pjsua_conf_connect(p->slot, slot);
    players[index] = p;
    return index;
}

/* 1: played to its end; 0: still playing; negative: no such player. */
static int ck_play_finished(int id) { return id >= 0 && id < PLAYERS && players[id] ? players[id]->finished : -ENOENT; }

static int ck_play_stop(int id)
{
    player *p = id >= 0 && id < PLAYERS ? players[id] : NULL;

    if (!p)
        return -ENOENT;
    players[id] = NULL;
    pjsua_conf_remove_port(p->slot);
    pjmedia_port_destroy(&p->base);
    return 0;
}
