/* loaders.h: samples of a split that stay in their files, brought by threads before a run asks for them.
 *
 * Each run takes the rows that follow those of the run before, in an order that is a function of seed and epoch (philox.h); so the
 * samples to come are known, and wait in a ring. What is in it depends on no thread: the bits are those of a set in memory. */
#ifndef LOADERS_H
#define LOADERS_H

#include "data.h"

#include "device/device.h"

/* Samples in files, as records of one size in one file after the other. */
struct data_reader;
struct data_piece {
    const char *path;
    uint64_t first, stride; /* byte of the first sample, and from one to the next */
    int64_t count;
};
/* Opens the files, which must have the sizes that the pieces say. `bytes` of a sample; `swapped`: words of 4 bytes have the other
 * byte order. NULL after a message. */
struct data_reader *data_reader_open(const struct data_piece *piece, int pieces, uint64_t bytes, bool swapped,
                                     struct data_error *error);
/* The same of `count` samples in one file of our own (store.h), which it takes, also if it returns NULL; `of`: for messages. */
struct data_reader *data_reader_of(int file, const char *of, uint64_t bytes, int64_t count, struct data_error *error);
/* One more who closes it. */
struct data_reader *data_reader_share(struct data_reader *r);
void data_reader_close(struct data_reader *r);
/* Sample i, counted over all files. Threads may read at once. A file that has changed since it was opened is named. */
bool data_reader_get(const struct data_reader *r, int64_t i, void *to, struct data_error *error);

/* Begins to load a split that has a reader: takes threads, and memory: a ring of about `bytes`, of 64 samples at least, and of no more
 * than the split has. Sets split->source. All of it goes with data_close. */
bool loaders_start(struct data_split *split, int threads, int64_t bytes, struct data_error *error);
void loaders_stop(struct device_source *source);

#endif
