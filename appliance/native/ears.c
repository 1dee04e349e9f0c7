/* What a leg says, measured sample by sample as it comes from the line: how loud, which digits, is our test tone there.
 *
 * Digits (DTMF, ITU-T Q.23 and Q.24): each of the eight tones is mixed to 0 Hz and summed over half a window of 6.4 ms;
 * a window is two halves. The turn of the phase from one window to the next is the tone's true frequency, so that
 * 1.5 % off is taken and 3.5 % is not. A window is a hit when the two strongest tones, one low and one high, hold
 * nearly all energy within the limits of twist: speech hardly ever does that for four windows on end.
 *
 * Runs on the clock thread and allocates nothing. The loop takes digits out, and asks for the probe, by single words.
 */
#include "centralka.h"
#include <math.h>

enum {
    HITS = 4,                       /* of 6.4 ms: a tone of 40 ms has four, one of 23 ms three at most */
    MISSES = 5,                     /* a pause of 40 ms has six, one of 10 ms three at most */
    PROBE_BLOCKS = 10,              /* in a second */
};
static const double DTMF_HERTZ[CK_TONES] = { 697, 770, 852, 941, 1209, 1336, 1477, 1633 };
static const char DTMF_KEYS[] = "123A456B789C*0#D";
static const double WEAKEST = 1e-4;        /* mean square of both tones together: -40 dBFS */
static const double MOST_OFF = 0.025;      /* of the frequency: between the 1.5 % to take and the 3.5 % to refuse */
static const double HIGH_STRONGER = 3.6, LOW_STRONGER = 10;    /* +4 and -8 dB, and 1.5 to 2 dB for the line */
static const double PURE = 0.8;            /* of the energy in the two tones */
static const double SILENT = 1e-6;         /* mean square: -60 dBFS */

static void mixer_set(mixer *m, int tone, double hertz, int rate)
{
    m->re[tone] = 1;
    m->im[tone] = m->sum_re[tone] = m->sum_im[tone] = 0;
    m->step_re[tone] = (float)cos(2 * M_PI * hertz / rate);
    m->step_im[tone] = -(float)sin(2 * M_PI * hertz / rate);
}

static void mixer_turn(mixer *m, float x)
{
    for (int i = 0; i < CK_TONES; i++) {
        float re = m->re[i] * m->step_re[i] - m->im[i] * m->step_im[i];
        m->im[i] = m->re[i] * m->step_im[i] + m->im[i] * m->step_re[i];
        m->re[i] = re;
        m->sum_re[i] += x * re;
        m->sum_im[i] += x * m->im[i];
    }
}

static void mixer_done(mixer *m)                               /* the sums are taken; rounding shall not add up */
{
    for (int i = 0; i < CK_TONES; i++) {
        float length = sqrtf(m->re[i] * m->re[i] + m->im[i] * m->im[i]);
        m->re[i] = length > 0 ? m->re[i] / length : 0;
        m->im[i] = length > 0 ? m->im[i] / length : 0;
        m->sum_re[i] = m->sum_im[i] = 0;
    }
}

static void ears_init(ears *e, int rate)
{
    e->rate = rate;
    e->hop = 51 * rate / 8000;
    e->candidate = e->sounding = -1;
    e->probe.first_ms = -1;
    for (int i = 0; i < CK_TONES; i++)
        mixer_set(&e->dtmf, i, DTMF_HERTZ[i], rate);
}

/* ---- digits ------------------------------------------------------------------------------------------------------- */

static double turned(double re, double im, double before_re, double before_im)   /* how far the phase went, in radians */
{
    return atan2(im * before_re - re * before_im, re * before_re + im * before_im);
}

/* Strength of the strongest of four tones as mean square, corrected for its being off; 0 when it is too far off. */
static double strongest(const ears *e, int from, const double *re, const double *im, int *which)
{
    double best = 0, off, lost, n = 2.0 * e->hop;

    for (int i = from; i < from + 4; i++)
        if (re[i] * re[i] + im[i] * im[i] > best) {
            best = re[i] * re[i] + im[i] * im[i];
            *which = i;
        }
    if (best <= 0)
        return 0;
    off = turned(re[*which], im[*which], e->before_re[*which], e->before_im[*which]) * e->rate / (2 * M_PI * e->hop);
    if (fabs(off) > MOST_OFF * DTMF_HERTZ[*which])
        return 0;
    lost = M_PI * off * n / e->rate;
    lost = fabs(lost) < 1e-3 ? 1 : sin(lost) / lost;
    return best * 2 / (n * n) / (lost * lost);
}

static int digit_of_window(ears *e, double energy)             /* 0 to 15, or -1 */
{
    double re[CK_TONES], im[CK_TONES], low, high, all = energy / (2.0 * e->hop);
    int row = 0, column = 4;

    for (int i = 0; i < CK_TONES; i++) {
        re[i] = e->last_re[i] + e->dtmf.sum_re[i];
        im[i] = e->last_im[i] + e->dtmf.sum_im[i];
    }
    low = strongest(e, 0, re, im, &row);
    high = strongest(e, 4, re, im, &column);
    memcpy(e->before_re, re, sizeof re);
    memcpy(e->before_im, im, sizeof im);
    if (low + high < WEAKEST || low + high < PURE * all || high > HIGH_STRONGER * low || low > LOW_STRONGER * high)
        return -1;
    return row * 4 + column - 4;
}

static void post_digit(ears *e, char digit)
{
    unsigned put = e->put;

    if (put - __atomic_load_n(&e->got, __ATOMIC_ACQUIRE) < CK_DIGITS) {
        e->digits[put % CK_DIGITS] = digit;
        __atomic_store_n(&e->put, put + 1, __ATOMIC_RELEASE);
    }
}

static void follow_digit(ears *e, int digit)
{
    if (digit >= 0 && digit == e->sounding) {
        e->misses = 0;
        return;
    }
    if (e->sounding >= 0 && ++e->misses >= MISSES)
        e->sounding = -1;
    e->hits = digit >= 0 && digit == e->candidate ? e->hits + 1 : digit >= 0;
    e->candidate = digit;
    if (e->hits >= HITS) {
        e->sounding = digit;
        e->misses = 0;
        post_digit(e, DTMF_KEYS[digit]);
    }
}

static void half_window(ears *e)
{
    follow_digit(e, digit_of_window(e, e->energy + e->last_energy));
    for (int i = 0; i < CK_TONES; i++) {
        e->last_re[i] = e->dtmf.sum_re[i];
        e->last_im[i] = e->dtmf.sum_im[i];
    }
    mixer_done(&e->dtmf);
    e->last_energy = e->energy;
    e->energy = 0;
    e->filled = 0;
}

/* How many digits came since the last call. Loop thread. */
static int ears_digits(ears *e, char *out, int most)
{
    unsigned put = __atomic_load_n(&e->put, __ATOMIC_ACQUIRE), got = e->got;
    int n = 0;

    while (got != put && n < most)
        out[n++] = e->digits[got++ % CK_DIGITS];
    __atomic_store_n(&e->got, got, __ATOMIC_RELEASE);
    return n;
}

/* ---- the tone that is looked for ---------------------------------------------------------------------------------- */

static void probe_block(ears *e)
{
    double n = e->probe_filled, all = e->probe_energy / n;
    double re = e->looked_for.sum_re[0], im = e->looked_for.sum_im[0], tone = 2 * (re * re + im * im) / (n * n);
    double phase = atan2(im, re), turn = fabs(remainder(phase - e->probe_phase, 2 * M_PI));
    ck_probe *p = &e->probe;

    p->blocks++;
    if (all < SILENT) {
        p->silent++;
    } else if (tone > all / 2) {
        if (p->first_ms < 0)
            p->first_ms = (int)(p->blocks - 1) * 1000 / PROBE_BLOCKS;
        else if (e->probe_before <= 0 || turn > 0.5 || tone < 0.8 * all)
            p->jumps++;                                        /* a gap, a step of its phase, or something within it */
        p->tone++;
        p->best = PJ_MAX(p->best, tone);
    } else if (e->probe_rough > 1.4 * e->probe_energy) {
        p->noisy++;
    }
    e->probe_before = tone > all / 2 && all >= SILENT ? tone : 0;
    e->probe_phase = phase;
    e->probe_filled = 0;
    e->probe_energy = e->probe_rough = 0;
    mixer_done(&e->looked_for);
}

static void probe_begin(ears *e, int hertz)
{
    memset(&e->probe, 0, sizeof e->probe);
    e->probe.first_ms = -1;
    e->hertz = hertz;
    e->probe_filled = 0;
    e->probe_energy = e->probe_rough = e->probe_before = 0;
    mixer_set(&e->looked_for, 0, hertz, e->rate);
}

/* ---- samples ------------------------------------------------------------------------------------------------------ */

static double loudness(double level, const pj_int16_t *samples, int n, int rate)   /* mean square, followed */
{
    double sum = 0, share = n / (0.15 * rate);

    for (int i = 0; i < n; i++)
        sum += (double)samples[i] * samples[i];
    return n ? level + (sum / n / (32768.0 * 32768.0) - level) * PJ_MIN(share, 1) : level;
}

static void ears_hear(ears *e, const pj_int16_t *samples, int n)
{
    int wanted = __atomic_exchange_n(&e->wanted, 0, __ATOMIC_ACQ_REL);
    double before = 0;

    if (wanted)
        probe_begin(e, wanted);
    e->level = loudness(e->level, samples, n, e->rate);
    for (int i = 0; i < n; i++) {
        double x = samples[i] / 32768.0;
        mixer_turn(&e->dtmf, (float)x);
        e->energy += x * x;
        if (++e->filled == e->hop)
            half_window(e);
        if (!e->hertz)
            continue;
        mixer_turn(&e->looked_for, (float)x);
        e->probe_energy += x * x;
        e->probe_rough += i ? (x - before) * (x - before) : 2 * x * x;
        before = x;
        if (++e->probe_filled == e->rate / PROBE_BLOCKS)
            probe_block(e);
    }
}

static int decibels(double mean_square)                        /* of full scale; -90 is silence */
{
    return mean_square > 1e-9 ? (int)lround(10 * log10(mean_square)) : -90;
}
