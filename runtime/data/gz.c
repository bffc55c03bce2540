#include "gz.h"

#include "regular_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct gz {
    FILE *stream;
    char *path;
    uint64_t file_size; /* bytes on disk */
    struct stat opened;
    uint64_t fetched; /* bytes taken from disk */
    uint64_t offset;  /* bytes handed out */
    uint64_t end;     /* byte on disk behind the last one that is taken */
    bool packed;
    bool ended; /* all that is packed is unpacked */
    bool part;  /* of `size` bytes with that checksum, of which `sum` is so far */
    uint64_t size;
    uint32_t crc, sum;
    z_stream inflater;
    unsigned char input[1 << 16];
};

static bool fetch(struct gz *file, struct data_error *error)
{
    const uint64_t left = file->end - file->fetched;
    size_t got = fread(file->input, 1, left < sizeof file->input ? (size_t)left : sizeof file->input, file->stream);
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

static bool start(struct gz *file, const struct gz_part *part, struct data_error *error)
{
    file->end = UINT64_MAX;
    if (part) {
        file->part = true;
        file->size = part->size;
        file->crc = part->crc;
        file->packed = part->deflated;
        file->fetched = part->at;
        file->end = part->at + part->packed;
        if (part->at > INT64_MAX || fseeko(file->stream, (off_t)part->at, SEEK_SET) != 0)
            return data_fail(error, "%s: no byte %" PRIu64, file->path, part->at);
        return !file->packed || inflateInit2(&file->inflater, -MAX_WBITS) == Z_OK ||
               data_fail(error, "%s: zlib cannot start", file->path);
    }
    if (!fetch(file, error))
        return false;
    file->packed = file->inflater.avail_in >= 2 && file->input[0] == 0x1f && file->input[1] == 0x8b;
    if (file->packed && inflateInit2(&file->inflater, 16 + MAX_WBITS) != Z_OK)
        return data_fail(error, "%s: zlib cannot start", file->path);
    return true;
}

struct gz *gz_open_part(const char *path, const struct gz_part *part, struct data_error *error)
{
    struct gz *file = calloc(1, sizeof *file);
    const char *colon = part ? ":" : "", *name = part ? part->name : "";
    const size_t room = strlen(path) + strlen(colon) + strlen(name) + 1;
    if (!file || !(file->path = malloc(room))) {
        data_fail(error, "%s: out of memory", path);
        free(file);
        return NULL;
    }
    snprintf(file->path, room, "%s%s%s", path, colon, name);
    file->stream = regular_open(path, &file->file_size, error);
    if (!file->stream || fstat(fileno(file->stream), &file->opened) != 0 || !start(file, part, error)) {
        gz_close(file);
        return NULL;
    }
    return file;
}

struct gz *gz_open(const char *path, struct data_error *error)
{
    return gz_open_part(path, NULL, error);
}

void gz_close(struct gz *file)
{
    if (!file)
        return;
    if (file->inflater.state)
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
                             "%s: the packed file is truncated: it ends at packed byte %" PRIu64
                             ", within the compressed data or their checksum",
                             file->path, file->fetched);
        uint64_t room = size - *got < (1u << 30) ? size - *got : (1u << 30);
        z->next_out = out + *got;
        z->avail_out = (uInt)room;
        int status = inflate(z, Z_NO_FLUSH);
        *got += room - z->avail_out;
        if (status == Z_STREAM_END && file->part) {
            file->ended = true;
        } else if (status == Z_STREAM_END) {
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
            return data_fail(error, "%s: the packed file is corrupt at packed byte %" PRIu64 ": %s", file->path,
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
    if (file->part)
        file->sum = (uint32_t)crc32_z(file->sum, out, *got);
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
    if (file->part && (end != file->size || file->sum != file->crc))
        return data_fail(error, "%s: damaged: %" PRIu64 " bytes with the CRC-32 %08x; expected %" PRIu64 " with %08x",
                         file->path, end, file->sum, file->size, file->crc);
    return true;
}

uint64_t gz_offset(const struct gz *file)
{
    return file->offset;
}

uint64_t gz_at_most(const struct gz *file)
{
    if (file->part)
        return file->size;
    if (!file->packed)
        return file->file_size;
    return file->file_size > UINT64_MAX / GZ_MAX_RATIO ? UINT64_MAX : file->file_size * GZ_MAX_RATIO;
}

bool gz_is_plain(const struct gz *file)
{
    return !file->packed && !file->part;
}

const char *gz_path(const struct gz *file)
{
    return file->path;
}
