#include "cuda_data.h"

#include "device/device_error.h"
#include "device/staged.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 256 };

/* ---- host memory ---- */

bool cuda_host_take(struct cuda_host *h, const struct cuda *c, int64_t bytes, const char *what, struct device_error *e)
{
    struct device_error why;
    *h = (struct cuda_host){.pinned = true};
    if (CUDA_CALL(c, &why, cuMemHostAlloc, &h->at, (size_t)bytes, 0))
        return true;
    fprintf(stderr, "netrun: %s is not pinned, copies are slower: %s\n", what, why.text);
    *h = (struct cuda_host){.at = calloc(1, (size_t)bytes)};
    return h->at || device_fail(e, 70, "out of memory");
}

void cuda_host_free(struct cuda_host *h, const struct cuda *c)
{
    if (h->pinned && h->at)
        c->cuMemFreeHost(h->at);
    else
        free(h->at);
    *h = (struct cuda_host){0};
}

/* ---- what fits ---- */

/* n * each, a multiple of ALIGN; more than any room, but safe to add up, where it would overflow. */
static int64_t bytes_of(int64_t n, int64_t each)
{
    int64_t bytes;
    if (__builtin_mul_overflow(n, each, &bytes) || bytes > INT64_MAX / 32)
        return INT64_MAX / 32;
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static bool comes_later(const struct device_data *split)
{
    return split->count > 0 && !split->samples;
}

/* One staging buffer: for all splits, or for those that come later only. */
static int64_t stage_bytes(const struct device_data *split, int splits, int64_t rows, bool later)
{
    int64_t most = 0;
    for (int i = 0; i < splits; i++) {
        int64_t n = comes_later(&split[i]) && split[i].count < rows ? split[i].count : rows;
        int64_t bytes = bytes_of(n, split[i].sample_bytes) + bytes_of(n, split[i].target_bytes);
        if (split[i].count > 0 && (!later || comes_later(&split[i])) && bytes > most)
            most = bytes;
    }
    return most;
}

static bool same(const struct device_data *a, const struct device_data *b)
{
    return a->samples == b->samples && a->targets == b->targets && a->count == b->count;
}

static bool keep_splits(struct cuda_data *d, const struct device_data *split, int splits)
{
    *d = (struct cuda_data){0};
    for (int i = 0; i < splits; i++)
        if (split[i].count <= 0 || comes_later(&split[i]))
            continue;
        else if (d->splits < SPLITS)
            d->split[d->splits++] = split[i];
        else
            return false;
    return true;
}

/* Places all splits, equal ones in the same bytes; what they take. */
static int64_t place_splits(struct cuda_data *d)
{
    int64_t bytes = 0;
    for (int i = 0; i < d->splits; i++) {
        const struct device_data *s = &d->split[i];
        int twin = 0;
        while (!same(&d->split[twin], s))
            twin++;
        if (twin < i) {
            memcpy(d->place[i], d->place[twin], sizeof d->place[i]);
            continue;
        }
        d->place[i][0] = bytes;
        d->place[i][1] = bytes + bytes_of(s->count, s->sample_bytes);
        bytes = d->place[i][1] + (s->targets ? bytes_of(s->count, s->target_bytes) : 0);
    }
    return bytes;
}

int64_t cuda_data_least(const struct device_data *split, int splits, int64_t rows, bool shared)
{
    struct cuda_data d;
    int64_t ends = 1 + shared, stage = ends * stage_bytes(split, splits, rows, false);
    int64_t all =
        keep_splits(&d, split, splits) ? place_splits(&d) + ends * stage_bytes(split, splits, rows, true) : stage;
    return all < stage ? all : stage;
}

bool cuda_data_plan(struct cuda_data *d, const struct device_data *split, int splits, int64_t rows, bool shared,
                    int64_t room, struct device_error *e)
{
    if (!keep_splits(d, split, splits))
        return device_fail(e, 70, "more than %d splits", SPLITS);
    int64_t ends = 1 + shared, all = place_splits(d), least = cuda_data_least(split, splits, rows, shared);
    int64_t later = stage_bytes(split, splits, rows, true);
    d->resident = all + ends * later <= room;
    d->stage_place = d->resident ? all : 0;
    d->stage_bytes = d->resident ? later : stage_bytes(split, splits, rows, false);
    d->stages = d->resident ? d->stage_bytes > 0 : 2 * ends * d->stage_bytes <= room ? 2 : 1;
    d->bytes = d->stage_place + d->stages * d->stage_bytes;
    return least <= room ||
           device_fail(e, 3, "beside the arena, batches of %lld samples need %lld bytes, and %lld are left",
                       (long long)rows, (long long)least, (long long)room);
}

/* ---- taking ---- */

static bool upload(const struct cuda *c, CUdeviceptr to, const void *from, int64_t n, int64_t each, CUstream stream,
                   struct device_error *e)
{
    return !from || !n || !each || CUDA_CALL(c, e, cuMemcpyHtoDAsync_v2, to, from, (size_t)(n * each), stream);
}

bool cuda_data_take(struct cuda_data *d, const struct cuda *c, CUdeviceptr base, CUstream stream,
                    struct device_error *e)
{
    d->base = base;
    for (int i = 0; d->resident && i < d->splits; i++) {
        const struct device_data *s = &d->split[i];
        if (!upload(c, base + (CUdeviceptr)d->place[i][0], s->samples, s->count, s->sample_bytes, stream, e) ||
            !upload(c, base + (CUdeviceptr)d->place[i][1], s->targets, s->count, s->target_bytes, stream, e))
            return false;
    }
    if (d->stages && !CUDA_CALL(c, e, cuStreamCreate, &d->copies, CU_STREAM_NON_BLOCKING))
        return false;
    for (int i = 0; i < d->stages; i++)
        if (!cuda_host_take(&d->stage[i].host, c, d->stage_bytes, "memory for batches", e) ||
            !CUDA_CALL(c, e, cuEventCreate, &d->stage[i].copied, CU_EVENT_DISABLE_TIMING) ||
            !CUDA_CALL(c, e, cuEventCreate, &d->stage[i].used, CU_EVENT_DISABLE_TIMING))
            return false;
    return true;
}

void cuda_data_free(struct cuda_data *d, const struct cuda *c)
{
    for (int i = 0; i < STAGES; i++) {
        cuda_host_free(&d->stage[i].host, c);
        if (d->stage[i].copied)
            c->cuEventDestroy_v2(d->stage[i].copied);
        if (d->stage[i].used)
            c->cuEventDestroy_v2(d->stage[i].used);
    }
    if (d->copies)
        c->cuStreamDestroy_v2(d->copies);
    *d = (struct cuda_data){0};
}

/* ---- running ---- */

void cuda_data_select(struct cuda_data *d, const struct device_data *data)
{
    d->now = *data;
    d->staged = true;
    for (int i = 0; d->resident && i < d->splits && d->staged; i++)
        if (same(&d->split[i], data)) {
            memcpy(d->at, d->place[i], sizeof d->at);
            d->staged = false;
        }
}

static CUdeviceptr stage_at(const struct cuda_data *d, int i)
{
    return d->base + (CUdeviceptr)(d->stage_place + i % d->stages * d->stage_bytes);
}

static void put_address(uint32_t word[2], CUdeviceptr address)
{
    word[0] = (uint32_t)address;
    word[1] = (uint32_t)(address >> 32);
}

void cuda_data_words(const struct cuda_data *d, int i, uint32_t control[CTL_WORDS])
{
    CUdeviceptr samples = d->base + (CUdeviceptr)d->at[0], targets = d->base + (CUdeviceptr)d->at[1];
    if (d->staged && d->stages) {
        samples = stage_at(d, i);
        targets = samples + (CUdeviceptr)bytes_of(control[CTL_ROWS], d->now.sample_bytes);
    }
    put_address(&control[CTL_SAMPLES], samples);
    put_address(&control[CTL_TARGETS], targets);
    control[CTL_DATA] = (d->now.samples_f32 ? SAMPLES_F32 : 0) | (d->staged ? SAMPLES_STAGED : 0);
}

bool cuda_data_before(struct cuda_data *d, const struct cuda *c, int i, const uint32_t control[CTL_WORDS],
                      CUstream stream, struct device_error *e)
{
    if (!d->staged)
        return true;
    int64_t rows = control[CTL_ROWS], samples = bytes_of(rows, d->now.sample_bytes);
    int64_t targets = d->now.targets ? bytes_of(rows, d->now.target_bytes) : 0;
    if (!d->stages || samples + targets > d->stage_bytes || control[CTL_COUNT_SAMPLES] > d->now.count)
        return device_fail(e, 70, "a batch of %lld samples that the device was not armed for", (long long)rows);
    int s = i % d->stages;
    char *host = d->stage[s].host.at;
    if (i >= d->stages && !CUDA_CALL(c, e, cuEventSynchronize, d->stage[s].copied))
        return false;
    if (!staged_samples(host, &d->now, control, e))
        return false;
    staged_targets(host + samples, &d->now, control);
    return (i < d->stages || CUDA_CALL(c, e, cuStreamWaitEvent, d->copies, d->stage[s].used, 0)) &&
           CUDA_CALL(c, e, cuMemcpyHtoDAsync_v2, stage_at(d, i), host, (size_t)(samples + targets), d->copies) &&
           CUDA_CALL(c, e, cuEventRecord, d->stage[s].copied, d->copies) &&
           CUDA_CALL(c, e, cuStreamWaitEvent, stream, d->stage[s].copied, 0);
}

bool cuda_data_after(struct cuda_data *d, const struct cuda *c, int i, CUstream stream, struct device_error *e)
{
    return !d->staged || CUDA_CALL(c, e, cuEventRecord, d->stage[i % d->stages].used, stream);
}
