/* reader.c: samples in files, read one by one where they lie: nothing is mapped, so that a file that is cut off is an error. */
#include "loaders.h"

#include "regular_file.h"

#include "device/cache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct open_piece {
    struct data_piece is;
    FILE *stream; /* only its descriptor is used */
    struct stat opened;
    char *path;
};

struct data_reader {
    uint64_t bytes;
    bool swapped;
    int pieces;
    struct open_piece piece[];
};

/* `bytes` of a sample. The file may be another since its head was read. */
static bool open_piece(struct open_piece *p, const struct data_piece *is, uint64_t bytes, struct data_error *error)
{
    const uint64_t expected = is->first + (uint64_t)(is->count - 1) * is->stride + bytes;
    uint64_t size;
    *p = (struct open_piece){.is = *is, .path = strdup(is->path)};
    if (!p->path)
        return data_fail(error, "%s: out of memory", is->path);
    p->is.path = p->path;
    p->stream = regular_open(p->path, &size, error);
    if (p->stream && size != expected)
        return data_fail(error, "%s: %" PRIu64 " bytes; expected %" PRIu64 ", for %" PRId64 " samples", p->path, size,
                         expected, is->count);
    return p->stream &&
           (fstat(fileno(p->stream), &p->opened) == 0 || data_fail(error, "%s: %s", p->path, strerror(errno)));
}

struct data_reader *data_reader_open(const struct data_piece *piece, int pieces, uint64_t bytes, bool swapped,
                                     struct data_error *error)
{
    struct data_reader *r = calloc(1, sizeof *r + (size_t)pieces * sizeof *r->piece);
    bool ok = r || data_fail(error, "out of memory");
    if (r) {
        r->bytes = bytes;
        r->swapped = swapped;
    }
    while (ok && r->pieces < pieces) {
        ok = open_piece(&r->piece[r->pieces], &piece[r->pieces], bytes, error);
        r->pieces++;
    }
    if (!ok) {
        data_reader_close(r);
        return NULL;
    }
    return r;
}

void data_reader_close(struct data_reader *r)
{
    for (int i = 0; r && i < r->pieces; i++) {
        if (r->piece[i].stream)
            fclose(r->piece[i].stream);
        free(r->piece[i].path);
    }
    free(r);
}

int data_scratch(uint64_t bytes, const char *of, struct data_error *error)
{
    struct cache cache;
    char *path = NULL;
    int file = -1;
    if (!cache_open(&cache))
        data_fail(error, "%s: no place on disk for %" PRIu64 " bytes of samples: %s", of, bytes, cache.why);
    else if (!cache_affords(&cache, (int64_t)bytes, INT64_MAX) ||
             (file = cache_make(&cache, cache.path, false, &path)) < 0)
        data_fail(error, "%s: the samples take %" PRIu64 " bytes in %s, more than half of what is free there", of,
                  bytes, cache.path);
    if (file >= 0)
        unlink(path);
    free(path);
    cache_close(&cache);
    return file;
}

struct data_reader *data_reader_of(int scratch, const char *of, uint64_t bytes, int64_t count, struct data_error *error)
{
    struct data_reader *r = calloc(1, sizeof *r + sizeof *r->piece);
    struct open_piece *p = r ? r->piece : NULL;
    if (r) {
        *r = (struct data_reader){.bytes = bytes, .pieces = 1};
        *p = (struct open_piece){.is = {.stride = bytes, .count = count}, .path = strdup(of)};
        p->stream = fdopen(scratch, "rb");
    }
    if (r && p->path && p->stream && fstat(scratch, &p->opened) == 0)
        return r;
    if (!r || !p->stream)
        close(scratch);
    data_reader_close(r);
    data_fail(error, "%s: out of memory", of);
    return NULL;
}

static void swap(unsigned char *at, uint64_t bytes)
{
    for (uint64_t i = 0; i + 4 <= bytes; i += 4) {
        uint32_t word;
        memcpy(&word, at + i, sizeof word);
        word = __builtin_bswap32(word);
        memcpy(at + i, &word, sizeof word);
    }
}

bool data_reader_get(const struct data_reader *r, int64_t i, void *to, struct data_error *error)
{
    const struct open_piece *p = r->piece;
    while (i >= p->is.count)
        i -= p++->is.count;
    const uint64_t at = p->is.first + (uint64_t)i * p->is.stride;
    ssize_t got = pread(fileno(p->stream), to, r->bytes, (off_t)at);
    if (got < 0)
        return data_fail(error, "%s: byte %" PRIu64 ": cannot be read: %s", p->path, at, strerror(errno));
    if (!file_unchanged(p->stream, &p->opened, p->path, error))
        return false;
    if ((uint64_t)got != r->bytes)
        return data_fail(error, "%s: byte %" PRIu64 ": cannot be read", p->path, at + (uint64_t)got);
    if (r->swapped)
        swap(to, r->bytes);
    return true;
}
