/* The PCM port without a bridge: a test is its clock, so that an hour takes a second. */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#include "../../appliance/native/centralka.h"
#include "../../appliance/native/elastic.c"
#include "../../appliance/native/ears.c"
#include "../../appliance/native/wire.c"
#include "../../appliance/native/pcm.c"

enum { RIGS = 8 };
static pj_caching_pool rig_pools;
static pcm_port *rigs[RIGS];

static int rig_open(int fd, int rate, int burst, int keep)
{
    static int began;
    pj_pool_t *pool;
    int index = 0;

    if (!began++) {
        pj_log_set_level(0);
        pj_init();
        pj_caching_pool_init(&rig_pools, NULL, 0);
    }
    while (index < RIGS && rigs[index])
        index++;
    if (index == RIGS)
        return -EMFILE;
    pool = pj_pool_create(&rig_pools.factory, "rig", 32 * 1024, 16 * 1024, NULL);
    rigs[index] = pcm_make(pool, fd_wire_open(pool, fd, rate, burst), keep);
    pcm_enter(rigs[index]);
    return rigs[index]->index;
}

static void rig_close(int id)
{
    for (int i = 0; i < RIGS; i++)
        if (rigs[i] && rigs[i]->index == id) {
            pcm_destroy(&rigs[i]->base);
            rigs[i] = NULL;
        }
}

/* One turn of the bridge: what it hears from the port (unless `out` is NULL: nobody listens), what it says to it. */
static void rig_turn(int id, short *out, short *in)
{
    pcm_port *p = pcm_table[id];
    pjmedia_frame heard = { .buf = out, .size = 2 * p->frame };
    pjmedia_frame said = { .type = PJMEDIA_FRAME_TYPE_AUDIO, .buf = in, .size = 2 * p->frame };

    if (out)
        pcm_get(&p->base, &heard);
    pcm_put(&p->base, &said);
}

static int rig_digits(short *samples, int n, int rate, int chunk, char *out, int most)
{
    static ears e;

    memset(&e, 0, sizeof e);
    ears_init(&e, rate);
    for (int at = 0; at < n; at += chunk)
        ears_hear(&e, samples + at, PJ_MIN(chunk, n - at));
    return ears_digits(&e, out, most);
}
