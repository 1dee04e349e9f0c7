/* A sound card as a wire: a Quectel modem's own (USB audio), or the one an analogue modem is soldered to.
 *
 * Asked without waiting in the bridge's own turn, as a serial port is: the bridge's clock stays the only one, and a card
 * that is pulled out is an error code and no more. Capture and playback of a card share its clock, so that as much is
 * played as was recorded. At the first rate of 8, 16 and 48 kHz that both ways can do; the bridge converts.
 */
#include "centralka.h"
#include <alsa/asoundlib.h>

enum {
    CARD_PERIOD_MS = 20,
    CARD_BUFFER_MS = 200,
    CARD_AHEAD = 2,                 /* frames of silence before the first sound: what the bridge's turns may be late */
};

typedef struct card_wire {
    wire base;
    snd_pcm_t *in, *out;
    unsigned in_channels, out_channels;
    int began;                      /* playback has its frames of silence */
} card_wire;

/* Makes the best of an error of ALSA, without waiting: an overrun or a suspend begins anew, all else is the end. */
static void card_mend(card_wire *w, snd_pcm_t *pcm, int error)
{
    if (error == -EAGAIN || error == -EINTR)
        return;
    if (error == -EPIPE || error == -ESTRPIPE) {
        w->began = w->began && pcm != w->out;
        error = snd_pcm_prepare(pcm);
        if (error == 0 && pcm == w->in)
            error = snd_pcm_start(pcm);
    }
    if (error < 0)
        w->base.closed = -error;
}

static int card_take(wire *base, pj_int16_t *samples, int most)
{
    card_wire *w = (card_wire *)base;
    pj_int16_t room[2 * CK_MOST_FRAME];
    snd_pcm_sframes_t n;

    if (base->closed)
        return 0;
    n = snd_pcm_avail_update(w->in);
    if (n > 0)
        n = snd_pcm_readi(w->in, w->in_channels == 1 ? samples : room, (snd_pcm_uframes_t)PJ_MIN(n, most));
    if (n < 0)
        card_mend(w, w->in, (int)n);
    if (n <= 0)
        return 0;
    for (snd_pcm_sframes_t i = 0; w->in_channels == 2 && i < n; i++)
        samples[i] = room[2 * i];
    base->in_bytes += 2 * n;
    return (int)n;
}

static snd_pcm_sframes_t card_play(card_wire *w, const pj_int16_t *samples, int n)
{
    pj_int16_t room[2 * CK_MOST_FRAME];

    for (int i = 0; w->out_channels == 2 && i < n; i++)
        room[2 * i] = room[2 * i + 1] = samples[i];
    return snd_pcm_writei(w->out, w->out_channels == 1 ? samples : room, (snd_pcm_uframes_t)n);
}

static int card_give(wire *base, const pj_int16_t *samples, int n)
{
    static const pj_int16_t silence[CK_MOST_FRAME];
    card_wire *w = (card_wire *)base;
    snd_pcm_sframes_t room;

    if (base->closed)
        return 0;
    room = snd_pcm_avail_update(w->out);
    if (room < 0)
        card_mend(w, w->out, (int)room);
    if (base->closed || room < n * (CARD_AHEAD + 1))
        return 0;
    for (int i = 0; !w->began && i < CARD_AHEAD; i++)
        card_play(w, silence, n);
    w->began = 1;
    room = card_play(w, samples, n);
    if (room < 0)
        card_mend(w, w->out, (int)room);
    base->out_bytes += room > 0 ? 2 * room : 0;
    return room == n;
}

static void card_close(wire *base)
{
    card_wire *w = (card_wire *)base;

    if (w->in)
        snd_pcm_close(w->in);
    if (w->out)
        snd_pcm_close(w->out);
}

static int card_can(snd_pcm_t *pcm, unsigned rate)
{
    snd_pcm_hw_params_t *params;

    snd_pcm_hw_params_alloca(&params);
    return snd_pcm_hw_params_any(pcm, params) >= 0 && snd_pcm_hw_params_test_rate(pcm, params, rate, 0) == 0;
}

static int card_set(snd_pcm_t *pcm, unsigned rate, unsigned *channels, snd_pcm_uframes_t start)
{
    snd_pcm_hw_params_t *hardware;
    snd_pcm_sw_params_t *software;
    unsigned period = CARD_PERIOD_MS * 1000, buffer = CARD_BUFFER_MS * 1000;
    int error;

    snd_pcm_hw_params_alloca(&hardware);
    snd_pcm_sw_params_alloca(&software);
    if ((error = snd_pcm_hw_params_any(pcm, hardware)) < 0
        || (error = snd_pcm_hw_params_set_access(pcm, hardware, SND_PCM_ACCESS_RW_INTERLEAVED)) < 0
        || (error = snd_pcm_hw_params_set_format(pcm, hardware, SND_PCM_FORMAT_S16_LE)) < 0)
        return error;
    *channels = snd_pcm_hw_params_test_channels(pcm, hardware, 1) == 0 ? 1 : 2;
    if ((error = snd_pcm_hw_params_set_channels(pcm, hardware, *channels)) < 0
        || (error = snd_pcm_hw_params_set_rate(pcm, hardware, rate, 0)) < 0
        || (error = snd_pcm_hw_params_set_period_time_near(pcm, hardware, &period, NULL)) < 0
        || (error = snd_pcm_hw_params_set_buffer_time_near(pcm, hardware, &buffer, NULL)) < 0
        || (error = snd_pcm_hw_params(pcm, hardware)) < 0
        || (error = snd_pcm_sw_params_current(pcm, software)) < 0
        || (error = snd_pcm_sw_params_set_start_threshold(pcm, software, start)) < 0)
        return error;
    return snd_pcm_sw_params(pcm, software);
}

static int card_start(card_wire *w, const char *name)
{
    static const unsigned rates[] = { 8000, 16000, 48000 };
    unsigned i = 0;
    int error;

    if ((error = snd_pcm_open(&w->in, name, SND_PCM_STREAM_CAPTURE, SND_PCM_NONBLOCK)) < 0
        || (error = snd_pcm_open(&w->out, name, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK)) < 0)
        return error;
    while (i < 3 && !(card_can(w->in, rates[i]) && card_can(w->out, rates[i])))
        i++;
    if (i == 3)
        return -EINVAL;
    w->base.rate = (int)rates[i];
    if ((error = card_set(w->in, rates[i], &w->in_channels, 1)) < 0
        || (error = card_set(w->out, rates[i], &w->out_channels, (CARD_AHEAD + 1) * rates[i] / 50)) < 0)
        return error;
    return snd_pcm_start(w->in);
}

static void card_silent(const char *file, int line, const char *function, int error, const char *format, ...)
{
    (void)file, (void)line, (void)function, (void)error, (void)format;   /* ALSA would write to standard error */
}

/* Opens a card by its ALSA name ("hw:CARD=Android") as a port of the bridge; an id, or an error. */
static int ck_card_open(const char *name, int keep, int *slot)
{
    pj_pool_t *pool = pjsua_pool_create("ck-card", 64 * 1024, 64 * 1024);
    card_wire *w = PJ_POOL_ZALLOC_T(pool, card_wire);
    int error;

    snd_lib_error_set_handler(&card_silent);
    w->base.burst = 1;
    w->base.take = &card_take;
    w->base.give = &card_give;
    w->base.close = &card_close;
    error = card_start(w, name);
    if (error < 0) {
        card_close(&w->base);
        pj_pool_release(pool);
        return error;
    }
    return pcm_open(pool, &w->base, keep, slot);
}
