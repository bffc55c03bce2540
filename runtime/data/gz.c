#include "gz.h"

#include "regular_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* The DEFLATE format cannot expand by more than this (zlib's technical notes). */
#define DEFLATE_MAX_RATIO 1032

struct gz {
    FILE *stream;
    char *path;
    uint64_t file_size; /* bytes on disk */
    struct stat opened;
    uint64_t fetched; /* bytes taken from disk */
    uint64_t offset;  /* bytes handed out */
    bool packed;
    bool ended; /* all members of the gzip file are unpacked */
    z_stream inflater;
    unsigned char input[1 << 16];
};

static bool fetch(struct gz *file, struct data_error *error)
{
    size_t got = fread(file->input, 1, sizeof file->input, file->stream);
    if (got == 0 && ferror(file->stream))
        return data_fail(error, "%s: byte %" PRIu64 ": cannot be read: %s", file->path, file->fetched, strerror(errno));
    file->fetched += got;
    bool at_end = got < sizeof file->input || file->fetched > file->file_size;
    if (at_end && !file_unchanged(file->stream, &file->opened, file->path, error))
        return false;
    file->inflater.next_in = file->input;
    file->inflater.avail_in = (uInt)got;
    return true;
}

static bool start(struct gz *file, struct data_error *error)
{
    if (!fetch(file, error))
        return false;
    file->packed = file->inflater.avail_in >= 2 && file->input[0] == 0x1f && file->input[1] == 0x8b;
    if (file->packed && inflateInit2(&file->inflater, 16 + MAX_WBITS) != Z_OK)
        return data_fail(error, "%s: zlib cannot start", file->path);
    return true;
}

struct gz *gz_open(const char *path, struct data_error *error)
{
    struct gz *file = calloc(1, sizeof *file);
    if (!file || !(file->path = strdup(path))) {
        data_fail(error, "%s: out of memory", path);
        free(file);
        return NULL;
    }
    file->stream = regular_open(path, &file->file_size, error);
    if (!file->stream || fstat(fileno(file->stream), &file->opened) != 0 || !start(file, error)) {
        gz_close(file);
        return NULL;
    }
    return file;
}

void gz_close(struct gz *file)
{
    if (!file)
        return;
    if (file->packed)
        inflateEnd(&file->inflater);
    if (file->stream)
        fclose(file->stream);
    free(file->path);
    free(file);
}

static bool copy_some(struct gz *file, unsigned char *out, uint64_t size, uint64_t *got, struct data_error *error)
{
    while (*got < size) {
        if (file->inflater.avail_in == 0 && !fetch(file, error))
            return false;
        uint64_t piece = file->inflater.avail_in;
        if (piece == 0)
            break;
        if (piece > size - *got)
            piece = size - *got;
        memcpy(out + *got, file->inflater.next_in, piece);
        file->inflater.next_in += piece;
        file->inflater.avail_in -= (uInt)piece;
        *got += piece;
    }
    return true;
}

static bool inflate_some(struct gz *file, unsigned char *out, uint64_t size, uint64_t *got, struct data_error *error)
{
    z_stream *z = &file->inflater;
    while (*got < size && !file->ended) {
        if (z->avail_in == 0 && !fetch(file, error))
            return false;
        if (z->avail_in == 0)
            return data_fail(error,
                             "%s: the gzip file is truncated: it ends at packed byte %" PRIu64
                             ", within the compressed data or their checksum",
                             file->path, file->fetched);
        uint64_t room = size - *got < (1u << 30) ? size - *got : (1u << 30);
        z->next_out = out + *got;
        z->avail_out = (uInt)room;
        int status = inflate(z, Z_NO_FLUSH);
        *got += room - z->avail_out;
        if (status == Z_STREAM_END) {
            /* A gzip file is one or more members; whatever follows must be another one, or zeros, as on a tape. */
            bool zero = true, known = true;
            while (zero && (z->avail_in > 0 || ((known = fetch(file, error)) && z->avail_in > 0))) {
                zero = *z->next_in == 0;
                z->next_in += zero;
                z->avail_in -= zero;
            }
            if (!known)
                return false;
            file->ended = zero;
            inflateReset(z);
        } else if (status != Z_OK && status != Z_BUF_ERROR) {
            return data_fail(error, "%s: the gzip file is corrupt at packed byte %" PRIu64 ": %s", file->path,
                             file->fetched - z->avail_in, z->msg ? z->msg : zError(status));
        }
    }
    return true;
}

bool gz_read_some(struct gz *file, void *out, uint64_t size, uint64_t *got, struct data_error *error)
{
    *got = 0;
    bool ok = (file->packed ? inflate_some : copy_some)(file, out, size, got, error);
    file->offset += *got;
    return ok;
}

bool gz_read(struct gz *file, void *out, uint64_t size, const char *what, struct data_error *error)
{
    uint64_t start = file->offset, got;
    if (!gz_read_some(file, out, size, &got, error))
        return false;
    if (got < size)
        return data_fail(error,
                         "%s: truncated: it ends at byte %" PRIu64 "; expected %s in bytes %" PRIu64 " to %" PRIu64,
                         file->path, file->offset, what, start, start + size - 1);
    return true;
}

bool gz_end(struct gz *file, struct data_error *error)
{
    unsigned char extra;
    uint64_t got, end = file->offset;
    if (!gz_read_some(file, &extra, 1, &got, error))
        return false;
    if (got)
        return data_fail(error, "%s: byte %" PRIu64 ": more data follow, but the file should end here", file->path,
                         end);
    return true;
}

uint64_t gz_offset(const struct gz *file)
{
    return file->offset;
}

uint64_t gz_at_most(const struct gz *file)
{
    if (!file->packed)
        return file->file_size;
    return file->file_size > UINT64_MAX / DEFLATE_MAX_RATIO ? UINT64_MAX : file->file_size * DEFLATE_MAX_RATIO;
}

const char *gz_path(const struct gz *file)
{
    return file->path;
}
