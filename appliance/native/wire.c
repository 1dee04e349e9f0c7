/* A descriptor as a wire: a modem's serial speech port, a pty, a socket. Samples are pairs of octets, low one first.
 *
 * A port that loses one octet turns everything after it into noise: the high octets are read as low ones. Each 20 ms
 * both ways of pairing are compared; where the other way is far smoother twice in a row, one octet is dropped.
 */
#include "centralka.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum {
    ALIGN_WINDOW = 160,             /* samples */
    ALIGN_SMOOTHER = 8,             /* times less energy in the steps from sample to sample */
    ALIGN_DIVERSE = 16,             /* low octets of sound differ; those of a made-up pattern may not */
    SOCKET_BUFFER = 4096,           /* bytes the kernel may hold towards a slow reader, where it can be told */
    MOST_UNSENT_MS = 120,           /* waiting in the port: speech that is older is not worth sending */
};

typedef struct fd_wire {
    wire base;
    int fd;
    unsigned char odd_byte, rest[10 * CK_MOST_FRAME];   /* the longest that is given at once */
    int has_odd, skip, rest_length, rest_at;
    pj_int16_t window[ALIGN_WINDOW];
    int window_filled, wrong_windows;
} fd_wire;

static void fd_error(fd_wire *w)
{
    if (errno != EAGAIN && errno != EINTR)
        w->base.closed = errno;
}

/* ---- alignment ---------------------------------------------------------------------------------------------------- */

static int distinct(const unsigned char *octets, int n)
{
    unsigned char seen[256] = { 0 };
    int found = 0;

    for (int i = 0; i < n; i++)
        found += !seen[octets[i]]++;
    return found;
}

static int window_is_wrong(const pj_int16_t *here)             /* 1: it is sound when paired the other way */
{
    unsigned char low[ALIGN_WINDOW], high[ALIGN_WINDOW];
    pj_int16_t there[ALIGN_WINDOW];
    double rough_here = 0, rough_there = 0;
    int n = ALIGN_WINDOW - 1, below = 0;

    for (int i = 0; i < n; i++) {
        low[i] = (unsigned char)(here[i] >> 8);
        high[i] = (unsigned char)here[i + 1];
        there[i] = (pj_int16_t)(low[i] | high[i] << 8);
        below += there[i] < 0;
    }
    for (int i = 1; i < n; i++) {
        double a = here[i] - here[i - 1], b = there[i] - there[i - 1];
        rough_here += a * a;
        rough_there += b * b;
    }
    return rough_here > ALIGN_SMOOTHER * rough_there && below > n / 16 && below < n - n / 16
        && distinct(low, n) >= ALIGN_DIVERSE && distinct(low, n) >= 2 * distinct(high, n);
}

static void check_alignment(fd_wire *w, const pj_int16_t *samples, int n)
{
    for (int i = 0; i < n; i++) {
        w->window[w->window_filled++] = samples[i];
        if (w->window_filled < ALIGN_WINDOW)
            continue;
        w->window_filled = 0;
        w->wrong_windows = window_is_wrong(w->window) ? w->wrong_windows + 1 : 0;
        if (w->wrong_windows == 2) {
            w->wrong_windows = 0;
            w->skip = 1;
            w->base.realigned++;
            return;
        }
    }
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static int fd_take(wire *base, pj_int16_t *samples, int most)
{
    fd_wire *w = (fd_wire *)base;
    unsigned char chunk[2 * CK_MOST_FRAME + 1];
    int kept = w->has_odd, from = 0, room = PJ_MIN(2 * most, 2 * CK_MOST_FRAME), whole;
    ssize_t n;

    if (base->closed)
        return 0;
    chunk[0] = w->odd_byte;
    n = read(w->fd, chunk + kept, (size_t)(room - kept));
    if (n == 0)
        base->closed = 1;
    if (n < 0)
        fd_error(w);
    if (n <= 0)
        return 0;
    base->in_bytes += n;
    n += kept;
    if (w->skip) {
        w->skip = 0;
        from = 1;
        n--;
    }
    whole = (int)n / 2;
    for (int i = 0; i < whole; i++)
        samples[i] = (pj_int16_t)(chunk[from + 2 * i] | chunk[from + 2 * i + 1] << 8);
    w->has_odd = (int)n & 1;
    w->odd_byte = chunk[from + 2 * whole];
    check_alignment(w, samples, whole);
    return whole;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static int fd_unsent_ms(fd_wire *w)                            /* how much speech the port still holds, as far as it says */
{
    int octets = 0;
    return ioctl(w->fd, TIOCOUTQ, &octets) ? 0 : octets * 500 / w->base.rate;
}

static int fd_write(fd_wire *w, const unsigned char *octets, int length)   /* how many were taken */
{
    ssize_t n = write(w->fd, octets, (size_t)length);

    if (n < 0) {
        fd_error(w);
        return 0;
    }
    w->base.out_bytes += n;
    return (int)n;
}

static int fd_give(wire *base, const pj_int16_t *samples, int n)
{
    fd_wire *w = (fd_wire *)base;
    int length = 2 * n, done;

    if (base->closed)
        return 0;
    if (w->rest_length) {
        done = fd_write(w, w->rest + w->rest_at, w->rest_length);
        w->rest_at += done;
        w->rest_length -= done;
        if (w->rest_length)
            return 0;
    }
    if (fd_unsent_ms(w) > MOST_UNSENT_MS)
        return 0;
    done = fd_write(w, (const unsigned char *)samples, length);
    if (!done)
        return 0;
    if (done < length) {
        base->partial++;
        w->rest_at = 0;
        w->rest_length = length - done;
        memcpy(w->rest, (const char *)samples + done, (size_t)w->rest_length);
    }
    return 1;
}

static void fd_close(wire *base)
{
    fd_wire *w = (fd_wire *)base;

    tcflush(w->fd, TCOFLUSH);                                  /* the close of a stalled port waits for half a minute */
    close(w->fd);
}

/* Owns `fd` from here on. */
static wire *fd_wire_open(pj_pool_t *pool, int fd, int rate, int burst)
{
    fd_wire *w = PJ_POOL_ZALLOC_T(pool, fd_wire);
    int size = SOCKET_BUFFER;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size); /* not a socket: no harm */
    w->fd = fd;
    w->base.rate = rate;
    w->base.burst = burst;
    w->base.take = &fd_take;
    w->base.give = &fd_give;
    w->base.close = &fd_close;
    return &w->base;
}
