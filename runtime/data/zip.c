#include "zip.h"

#include "regular_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    END = 22,
    COMMENT = 65535,
    ENTRY = 46,
    LOCAL = 30,
    DIRECTORY = 1 << 24,
    STORED = 0,
    DEFLATED = 8,
    ENCRYPTED = 1
};

static uint64_t little(const unsigned char *b, int size)
{
    uint64_t value = 0;
    while (size-- > 0)
        value = value << 8 | b[size];
    return value;
}

static bool fetch(FILE *file, uint64_t at, unsigned char *to, size_t size)
{
    return fseeko(file, (off_t)at, SEEK_SET) == 0 && fread(to, 1, size, file) == size;
}

/* One entry, of which `left` bytes are there; its length, or 0 after an error. `end`: what all that is packed lies before. */
static size_t read_entry(const char *path, const unsigned char *b, size_t left, uint64_t end, struct gz_part *part,
                         struct data_error *error)
{
    if (left < ENTRY || memcmp(b, "PK\1\2", 4) != 0)
        return (size_t)data_fail(error, "%s: damaged ZIP directory", path);
    const size_t name = little(b + 28, 2), length = ENTRY + name + little(b + 30, 2) + little(b + 32, 2);
    const uint64_t method = little(b + 10, 2);
    *part = (struct gz_part){.at = little(b + 42, 4),
                             .packed = little(b + 20, 4),
                             .size = little(b + 24, 4),
                             .crc = (uint32_t)little(b + 16, 4),
                             .deflated = method == DEFLATED};
    if (length > left || memchr(b + ENTRY, '\0', name))
        return (size_t)data_fail(error, "%s: damaged ZIP directory", path);
    char *text = strndup((const char *)b + ENTRY, name);
    part->name = text;
    if (!text)
        return (size_t)data_fail(error, "%s: out of memory", path);
    if (part->packed == UINT32_MAX || part->size == UINT32_MAX || part->at == UINT32_MAX)
        return (size_t)data_fail(error, "%s: %s has 4 GiB or more (zip64); expected it as a .npy file of its own", path,
                                 text);
    if ((little(b + 8, 2) & ENCRYPTED) || (method != STORED && method != DEFLATED))
        return (size_t)data_fail(error, "%s: %s is encrypted or packed by method %" PRIu64 "; expected deflate or none",
                                 path, text, method);
    const bool possible = part->deflated ? part->size <= part->packed * GZ_MAX_RATIO : part->size == part->packed;
    if (!possible || part->at > end || part->packed > end - part->at)
        return (size_t)data_fail(
            error, "%s: damaged ZIP directory: %s has %" PRIu64 " bytes in %" PRIu64 " from byte %" PRIu64, path, text,
            part->size, part->packed, part->at);
    return length;
}

static bool read_directory(const char *path, const unsigned char *b, size_t size, size_t count, uint64_t end,
                           struct zip *zip, struct data_error *error)
{
    zip->part = calloc(count + 1, sizeof *zip->part);
    if (!zip->part)
        return data_fail(error, "%s: out of memory", path);
    for (size_t at = 0; zip->n < count;) {
        const size_t length = read_entry(path, b + at, size - at, end, &zip->part[zip->n], error);
        zip->n += zip->part[zip->n].name != NULL;
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

/* The record that ends the archive, behind which there is a comment at most. Its place in `tail`, or -1. */
static int64_t find_end(const unsigned char *tail, size_t size)
{
    for (size_t at = size < END ? 0 : size - END + 1; at-- > 0;)
        if (memcmp(tail + at, "PK\5\6", 4) == 0 && little(tail + at + 20, 2) == size - at - END)
            return (int64_t)at;
    return -1;
}

static bool read_all(const char *path, FILE *file, uint64_t size, struct zip *zip, struct data_error *error)
{
    const size_t tail = size < END + COMMENT ? (size_t)size : END + COMMENT;
    unsigned char *b = malloc(tail + 1), *directory = NULL;
    const bool fetched = b && fetch(file, size - tail, b, tail);
    const int64_t at = fetched ? find_end(b, tail) : -1;
    bool ok = at >= 0 || data_fail(error, "%s: truncated or no ZIP archive: it has no directory at its end", path);
    if (ok) {
        const uint64_t count = little(b + at + 10, 2), bytes = little(b + at + 12, 4), first = little(b + at + 16, 4),
                       end = size - tail + (uint64_t)at;
        if (count == UINT16_MAX || first == UINT32_MAX)
            ok = data_fail(error, "%s: an archive of 4 GiB or more (zip64); expected .npy files", path);
        else if (little(b + at + 4, 4) != 0 || bytes > DIRECTORY || first > end || bytes > end - first)
            ok =
                data_fail(error, "%s: damaged ZIP directory: %" PRIu64 " bytes from byte %" PRIu64, path, bytes, first);
        else
            ok = ((directory = malloc(bytes + 1)) && fetch(file, first, directory, bytes)) ||
                 data_fail(error, "%s: cannot be read", path);
        ok = ok && read_directory(path, directory, bytes, count, first, zip, error);
    }
    free(b);
    free(directory);
    return ok;
}

bool zip_read(const char *path, struct zip *zip, struct data_error *error)
{
    uint64_t size;
    *zip = (struct zip){0};
    FILE *file = regular_open(path, &size, error);
    bool ok = file && read_all(path, file, size, zip, error);
    if (file)
        fclose(file);
    return ok;
}

void zip_free(struct zip *zip)
{
    for (size_t i = 0; i < zip->n; i++)
        free((char *)zip->part[i].name);
    free(zip->part);
    *zip = (struct zip){0};
}

const struct gz_part *zip_find(const struct zip *zip, const char *name)
{
    for (size_t i = 0; i < zip->n; i++)
        if (strcmp(zip->part[i].name, name) == 0)
            return &zip->part[i];
    return NULL;
}

struct gz *zip_open(const char *path, const struct gz_part *part, struct data_error *error)
{
    unsigned char b[LOCAL];
    uint64_t size;
    struct gz_part own = *part;
    FILE *file = regular_open(path, &size, error);
    if (!file)
        return NULL;
    const bool good = fetch(file, part->at, b, sizeof b) && memcmp(b, "PK\3\4", 4) == 0;
    fclose(file);
    own.at += LOCAL + (good ? little(b + 26, 2) + little(b + 28, 2) : 0);
    if (!good || own.at > size || own.packed > size - own.at) {
        data_fail(error, "%s: byte %" PRIu64 ": damaged ZIP header of %s", path, part->at, part->name);
        return NULL;
    }
    return gz_open_part(path, &own, error);
}
