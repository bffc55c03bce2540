/* reader.c: samples in files, read one by one where they lie: nothing is mapped, so that a file that is cut off is an error. */
#include "loaders.h"

#include "regular_file.h"

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
    bool swapped, own; /* own: nobody else can change the file */
    int sharers;       /* besides who opened it */
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

struct data_reader *data_reader_share(struct data_reader *r)
{
    r->sharers++;
    return r;
}

void data_reader_close(struct data_reader *r)
{
    if (r && r->sharers-- > 0)
        return;
    for (int i = 0; r && i < r->pieces; i++) {
        if (r->piece[i].stream)
            fclose(r->piece[i].stream);
        free(r->piece[i].path);
    }
    free(r);
}

struct data_reader *data_reader_of(int file, const char *of, uint64_t bytes, int64_t count, struct data_error *error)
{
    struct data_reader *r = calloc(1, sizeof *r + sizeof *r->piece);
    struct open_piece *p = r ? r->piece : NULL;
    if (r) {
        *r = (struct data_reader){.bytes = bytes, .own = true, .pieces = 1};
        *p = (struct open_piece){.is = {.stride = bytes, .count = count}, .path = strdup(of)};
        p->stream = fdopen(file, "rb");
    }
    if (r && p->path && p->stream)
        return r;
    if (!r || !p->stream)
        close(file);
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
    if (!r->own && !file_unchanged(p->stream, &p->opened, p->path, error))
        return false;
    if ((uint64_t)got != r->bytes)
        return data_fail(error, "%s: byte %" PRIu64 ": cannot be read", p->path, at + (uint64_t)got);
    if (r->swapped)
        swap(to, r->bytes);
    return true;
}
