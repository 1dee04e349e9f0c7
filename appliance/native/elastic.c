/* Elastic buffer: samples that one clock puts in and another takes out a frame at a time.
 *
 * Filled to some frames before the first sound, then watched by its lowest level of one second: too much is faded away
 * by laying two frames over each other, too little is filled by one made of its neighbours. No step is ever heard, and
 * 200 ppm between the clocks cost one such frame in a hundred seconds.
 */
#include "centralka.h"

enum {
    WINDOW = 50,                    /* frames between two looks at the lowest level: one second */
    FADES = 2,                      /* starved: repeat the last frame so often, at half the strength each time */
};

/* `keep`: frames that shall wait at the least, 2 or 3; `burst`: frames that are put or taken at once. */
static void elastic_init(elastic *e, pj_int16_t *room, unsigned size, unsigned frame, unsigned keep, unsigned burst)
{
    e->at = room;
    e->size = size;
    e->frame = frame;
    e->prime_at = (keep + burst - 1) * frame;
    e->low = frame + frame / 2;
    e->high = (keep + 1) * frame;
}

static unsigned elastic_level(const elastic *e) { return e->tail - e->head; }
static pj_int16_t elastic_peek(const elastic *e, unsigned i) { return e->at[(e->head + i) & (e->size - 1)]; }
static void elastic_put(elastic *e, pj_int16_t sample) { e->at[e->tail++ & (e->size - 1)] = sample; }

static unsigned elastic_trim(elastic *e, unsigned most)        /* throw the oldest away; how many */
{
    unsigned level = elastic_level(e), over = level > most ? level - most : 0;
    e->head += over;
    return over;
}

static void elastic_new_window(elastic *e)
{
    e->window_turns = 0;
    e->window_lowest = ~0u;
}

static void elastic_forget(elastic *e)                         /* what waits is stale, or was never sound */
{
    e->head = e->tail;
    e->primed = 0;
}

static int elastic_prime(elastic *e)                           /* 1: sound may begin */
{
    if (e->primed)
        return 1;
    if (elastic_level(e) < e->prime_at)
        return 0;
    elastic_trim(e, e->prime_at);
    e->primed = 1;
    e->fades = 0;
    elastic_new_window(e);
    return 1;
}

static void elastic_starved(elastic *e, pj_int16_t *out)
{
    e->starved++;
    if (e->fades++ >= FADES) {
        memset(e->last, 0, sizeof e->last);
        e->primed = 0;
    }
    for (unsigned i = 0; i < e->frame; i++)
        out[i] = e->last[i] /= 2;
}

static pj_int16_t blend(int from, int to, int i, int n)        /* from the one to the other over a frame */
{
    return (pj_int16_t)((from * (n - i) + to * i) / n);
}

static void elastic_two_as_one(elastic *e, pj_int16_t *out)
{
    for (unsigned i = 0; i < e->frame; i++)
        out[i] = blend(elastic_peek(e, i), elastic_peek(e, e->frame + i), (int)i, (int)e->frame);
    e->head += 2 * e->frame;
    e->removed++;
    elastic_new_window(e);
}

static void elastic_one_more(elastic *e, pj_int16_t *out)      /* between the last and the next, the next stays */
{
    for (unsigned i = 0; i < e->frame; i++)
        out[i] = blend(elastic_peek(e, i), e->last[i], (int)i, (int)e->frame);
    e->inserted++;
    elastic_new_window(e);
}

static void elastic_next(elastic *e, pj_int16_t *out)
{
    unsigned level = elastic_level(e);

    e->fades = 0;
    e->window_lowest = PJ_MIN(e->window_lowest, level);
    if (++e->window_turns >= WINDOW || level > e->prime_at + 5 * e->frame) {
        if (e->window_lowest > e->high && level >= 2 * e->frame) {
            elastic_two_as_one(e, out);
            return;
        }
        if (e->window_lowest < e->low) {
            elastic_one_more(e, out);
            return;
        }
        elastic_new_window(e);
    }
    for (unsigned i = 0; i < e->frame; i++)
        out[i] = elastic_peek(e, i);
    e->head += e->frame;
}

/* A frame, whatever there is. 0: silence, for sound has not begun. */
static int elastic_get(elastic *e, pj_int16_t *out)
{
    if (!elastic_prime(e)) {
        e->priming++;
        memset(out, 0, 2 * e->frame);
        return 0;
    }
    if (elastic_level(e) < e->frame) {
        elastic_starved(e, out);
        return 1;
    }
    elastic_next(e, out);
    memcpy(e->last, out, 2 * e->frame);
    return 1;
}
