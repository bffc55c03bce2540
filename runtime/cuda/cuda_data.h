/* The data set of a GPU: kept there as bytes where it fits behind the arena, else brought batch by batch. */
#ifndef CUDA_DATA_H
#define CUDA_DATA_H

#include "cuda.h"

enum { SPLITS = 4, STAGES = 2 };

/* Host memory that copies are made from: pinned, or pageable where that is refused. */
struct cuda_host {
    void *at;
    bool pinned;
};
bool cuda_host_take(struct cuda_host *h, const struct cuda *c, int64_t bytes, const char *what, struct device_error *e);
void cuda_host_free(struct cuda_host *h, const struct cuda *c);

struct cuda_data {
    /* what cuda_data_plan decides */
    int splits;
    struct device_data split[SPLITS];
    int64_t place[SPLITS][2]; /* offsets of samples and targets, if resident */
    bool resident;
    int stages;                       /* staging buffers */
    int64_t stage_bytes, stage_place; /* of one; offset of the first */
    int64_t bytes;                    /* of all this */

    CUdeviceptr base;
    CUstream copies;
    struct {
        struct cuda_host host;
        CUevent copied, used;
    } stage[STAGES];

    struct device_data now; /* what runs read ... */
    int64_t at[2];          /* ... and its place, if it is resident */
    bool staged;
};

/* The least room that serves batches of `rows` of these splits: all of them, or one staging buffer. What comes later (a split
 * without samples) is staged in any case. `shared`: the host's end of a staging buffer is in the same room. */
int64_t cuda_data_least(const struct device_data *split, int splits, int64_t rows, bool shared);
/* Decides what `room` bytes hold: all splits; else two staging buffers, or one. False, status 3, if not even that. */
bool cuda_data_plan(struct cuda_data *d, const struct device_data *split, int splits, int64_t rows, bool shared,
                    int64_t room, struct device_error *e);
/* Takes host memory and events and queues the copies of what is resident to `base`. Needs cuda_data_free, also if it
 * fails. */
bool cuda_data_take(struct cuda_data *d, const struct cuda *c, CUdeviceptr base, CUstream stream,
                    struct device_error *e);
void cuda_data_free(struct cuda_data *d, const struct cuda *c);

void cuda_data_select(struct cuda_data *d, const struct device_data *data);
/* Sets the control words of run i that say where its samples are. */
void cuda_data_words(const struct cuda_data *d, int i, uint32_t control[CTL_WORDS]);
/* Before and after the launch of run i: brings its samples, if they are staged. All runs are waited for before the next
 * row of them begins with i = 0. */
bool cuda_data_before(struct cuda_data *d, const struct cuda *c, int i, const uint32_t control[CTL_WORDS],
                      CUstream stream, struct device_error *e);
bool cuda_data_after(struct cuda_data *d, const struct cuda *c, int i, CUstream stream, struct device_error *e);

#endif
