/* A sound card of ALSA that is none: a plug-in with a clock of its own, files for what is recorded and played, and a
 * file that says whether it is plugged in.
 *
 *     pcm.NAME { type virtual  in FILE  out FILE  alive FILE  rate 48000 }
 */
#define PIC 1
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

typedef struct card {
    snd_pcm_ioplug_t io;
    char alive[512];
    FILE *file;
    double began;
    int running;
} card;

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static int card_start(snd_pcm_ioplug_t *io)
{
    card *c = io->private_data;
    c->began = now();
    c->running = 1;
    return 0;
}

static int card_stop(snd_pcm_ioplug_t *io)
{
    ((card *)io->private_data)->running = 0;
    return 0;
}

static snd_pcm_sframes_t card_pointer(snd_pcm_ioplug_t *io)
{
    card *c = io->private_data;
    snd_pcm_sframes_t at = c->running ? (snd_pcm_sframes_t)((now() - c->began) * io->rate) : 0;

    if (access(c->alive, F_OK))
        return -ENODEV;
    if (io->stream == SND_PCM_STREAM_PLAYBACK ? at > (snd_pcm_sframes_t)io->appl_ptr
                                              : at > (snd_pcm_sframes_t)(io->appl_ptr + io->buffer_size))
        return -EPIPE;
    return at % (snd_pcm_sframes_t)io->buffer_size;
}

static snd_pcm_sframes_t card_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
                                       snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
    card *c = io->private_data;
    char *at = (char *)areas->addr + (areas->first + areas->step * offset) / 8;
    size_t done;

    if (io->stream == SND_PCM_STREAM_PLAYBACK) {
        fwrite(at, 2, size, c->file);
        fflush(c->file);
        return (snd_pcm_sframes_t)size;
    }
    done = fread(at, 2, size, c->file);
    memset(at + 2 * done, 0, 2 * (size - done));
    return (snd_pcm_sframes_t)size;
}

static int card_prepare(snd_pcm_ioplug_t *io)
{
    card_stop(io);
    return access(((card *)io->private_data)->alive, F_OK) ? -ENODEV : 0;
}

static int card_close(snd_pcm_ioplug_t *io)
{
    card *c = io->private_data;
    fclose(c->file);
    close(io->poll_fd);
    free(c);
    return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
    .start = card_start, .stop = card_stop, .pointer = card_pointer, .transfer = card_transfer,
    .prepare = card_prepare, .close = card_close,
};

SND_PCM_PLUGIN_DEFINE_FUNC(virtual)
{
    static const unsigned access_kinds[] = { SND_PCM_ACCESS_RW_INTERLEAVED }, formats[] = { SND_PCM_FORMAT_S16_LE };
    const char *in = "", *out = "", *alive = "", *id;
    unsigned rates[1];
    long rate = 48000;
    snd_config_iterator_t i, next;
    card *c = calloc(1, sizeof *c);
    int error;

    (void)root;
    snd_config_for_each(i, next, conf) {
        snd_config_t *entry = snd_config_iterator_entry(i);
        if (snd_config_get_id(entry, &id) < 0)
            continue;
        if (!strcmp(id, "in"))
            snd_config_get_string(entry, &in);
        else if (!strcmp(id, "out"))
            snd_config_get_string(entry, &out);
        else if (!strcmp(id, "alive"))
            snd_config_get_string(entry, &alive);
        else if (!strcmp(id, "rate"))
            snd_config_get_integer(entry, &rate);
    }
    snprintf(c->alive, sizeof c->alive, "%s", alive);
    c->file = access(alive, F_OK) ? NULL
        : stream == SND_PCM_STREAM_PLAYBACK ? fopen(out, "wb") : fopen(in, "rb");
    if (!c->file) {
        free(c);
        return -ENODEV;
    }
    c->io.version = SND_PCM_IOPLUG_VERSION;
    c->io.name = "a sound card that is none";
    c->io.callback = &callbacks;
    c->io.private_data = c;
    c->io.poll_fd = eventfd(0, EFD_NONBLOCK);
    c->io.poll_events = POLLIN;
    if ((error = snd_pcm_ioplug_create(&c->io, name, stream, mode)) < 0)
        return error;
    rates[0] = (unsigned)rate;
    snd_pcm_ioplug_set_param_list(&c->io, SND_PCM_IOPLUG_HW_ACCESS, 1, access_kinds);
    snd_pcm_ioplug_set_param_list(&c->io, SND_PCM_IOPLUG_HW_FORMAT, 1, formats);
    snd_pcm_ioplug_set_param_minmax(&c->io, SND_PCM_IOPLUG_HW_CHANNELS, 1, 1);
    snd_pcm_ioplug_set_param_list(&c->io, SND_PCM_IOPLUG_HW_RATE, 1, rates);
    snd_pcm_ioplug_set_param_minmax(&c->io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 64, 65536);
    snd_pcm_ioplug_set_param_minmax(&c->io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 256, 262144);
    *pcmp = c->io.pcm;
    return 0;
}

SND_PCM_PLUGIN_SYMBOL(virtual)
