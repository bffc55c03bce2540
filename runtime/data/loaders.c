#include "loaders.h"

#include "device/device_error.h"
#include "device/order.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LEAST_SAMPLES = 64, MOST_THREADS = 64, STACK = 1 << 19 }; /* STACK: bytes of a thread's, where memory is short */

/* What fixes the orders of all epochs, but for the draws. */
struct fixed {
    uint32_t seed[2], shuffle, count;
};

struct loaders {
    struct device_source source;
    const struct data_split *split;
    int threads;
    pthread_t thread[MOST_THREADS];
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a sample is there, room is there, or nobody reads */
    struct fixed order;
    uint64_t first;        /* place of the stream's first sample: epoch * count + its position in the epoch */
    uint64_t taken, begun; /* samples since then that a run has, and that a thread has begun to read */
    int reading;           /* threads */
    bool paused, stop, failed;
    struct data_error error;
    uint64_t room;
    unsigned char *ring, *there; /* sample k of the stream lies in place k % room, and is there */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Its number in the split. */
static int64_t sample_of(const struct loaders *l, uint64_t k)
{
    const uint64_t place = l->first + k, at = place % l->order.count;
    const struct order order =
        order_in(l->order.seed, (uint32_t)(place / l->order.count), l->order.count, l->order.shuffle, l->source.draws);
    return order_at(&order, (uint32_t)at);
}

static void *load(void *to)
{
    struct loaders *l = to;
    struct data_error error;
    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        if (l->paused || l->failed || l->begun - l->taken >= l->room) {
            pthread_cond_wait(&l->changed, &l->lock);
            continue;
        }
        const uint64_t k = l->begun++, place = k % l->room;
        const int64_t i = sample_of(l, k);
        l->reading++;
        pthread_mutex_unlock(&l->lock);
        bool ok = data_sample(l->split, i, l->ring + place * l->split->sample.bytes, &error);
        pthread_mutex_lock(&l->lock);
        l->reading--;
        l->there[place] = ok;
        if (!ok && !l->failed) {
            l->failed = true;
            l->error = error;
        }
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* Makes the stream go on with these rows, if it does not yet. */
static void turn_to(struct loaders *l, const uint32_t control[CTL_WORDS])
{
    const struct fixed order = {
        {control[CTL_SEED0], control[CTL_SEED1]}, control[CTL_SHUFFLE], control[CTL_COUNT_SAMPLES]};
    const uint64_t place = (uint64_t)control[CTL_EPOCH] * order.count + control[CTL_POSITION];
    const uint64_t next = l->first + l->taken;
    const bool same = memcmp(&l->order, &order, sizeof order) == 0;
    if (l->begun > 0 && same && (next == place || (!order.shuffle && next % order.count == place % order.count)))
        return; /* epochs in order are all alike */
    l->paused = true;
    while (l->reading > 0)
        pthread_cond_wait(&l->changed, &l->lock);
    memset(l->there, 0, l->room);
    l->order = order;
    l->first = place;
    l->taken = l->begun = 0;
    l->paused = false;
    pthread_cond_broadcast(&l->changed);
}

static bool take_rows(struct device_source *source, const uint32_t control[CTL_WORDS], void *to, struct device_error *e)
{
    struct loaders *l = (struct loaders *)source;
    const uint64_t bytes = l->split->sample.bytes, beyond = control[CTL_COUNT_SAMPLES] - control[CTL_POSITION];
    const uint64_t rows = control[CTL_ROWS] < beyond ? control[CTL_ROWS] : beyond;
    pthread_mutex_lock(&l->lock);
    turn_to(l, control);
    for (uint64_t row = 0; row < rows && !l->failed;) {
        const uint64_t place = l->taken % l->room;
        if (!l->there[place]) {
            const double since = now();
            pthread_cond_wait(&l->changed, &l->lock);
            source->waited += now() - since;
            continue;
        }
        uint64_t n = 1;
        while (row + n < rows && place + n < l->room && l->there[place + n])
            n++;
        pthread_mutex_unlock(&l->lock);
        memcpy((char *)to + row * bytes, l->ring + place * bytes, n * bytes);
        pthread_mutex_lock(&l->lock);
        memset(l->there + place, 0, n);
        l->taken += n;
        row += n;
        pthread_cond_broadcast(&l->changed);
    }
    bool ok = !l->failed || device_fail(e, 4, "%s", l->error.text);
    pthread_mutex_unlock(&l->lock);
    return ok;
}

static bool start_threads(struct loaders *l, int threads)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
    while (l->threads < threads && l->threads < MOST_THREADS &&
           pthread_create(&l->thread[l->threads], &attributes, load, l) == 0)
        l->threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return l->threads > 0;
}

bool loaders_start(struct data_split *split, int threads, int64_t ring, struct data_error *error)
{
    const uint64_t bytes = split->sample.bytes, fit = (uint64_t)ring / bytes;
    struct loaders *l = calloc(1, sizeof *l);
    bool ok = l;
    if (l) {
        const uint64_t some = fit > LEAST_SAMPLES ? fit : LEAST_SAMPLES;
        l->room = some < (uint64_t)split->count ? some : (uint64_t)split->count;
        l->split = split;
        l->source =
            (struct device_source){.rows = take_rows, .close = loaders_stop, .bytes = (int64_t)(l->room * (bytes + 1))};
        l->order.count = 1;
        l->paused = true;
        pthread_mutex_init(&l->lock, NULL);
        pthread_cond_init(&l->changed, NULL);
        l->ring = malloc(l->room * bytes);
        l->there = calloc(l->room, 1);
        ok = l->ring && l->there && start_threads(l, threads);
        split->source = &l->source;
    }
    return ok || data_fail(error, "%s: no memory, or no thread, to load samples", split->sample.path);
}

void loaders_stop(struct device_source *source)
{
    struct loaders *l = (struct loaders *)source;
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->threads; i++)
        pthread_join(l->thread[i], NULL);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->changed);
    free(l->ring);
    free(l->there);
    free((void *)l->source.draws);
    free(l);
}
