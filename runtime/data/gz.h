/* Reading a file that may be packed by gzip, which shows in its first two bytes and not in its name; or a part of a file. One that
 * somebody writes to meanwhile, cuts off or lengthens is refused at its end.
 *
 * Offsets in messages count unpacked bytes, except for damage to the packing itself, whose message says so. */
#ifndef GZ_H
#define GZ_H

#include "base/data_error.h"

#include <stddef.h>
#include <stdint.h>

/* The DEFLATE format cannot expand by more than this (zlib's technical notes). */
#define GZ_MAX_RATIO 1032

struct gz;

/* NULL with the reason in `error`. Only regular files are opened. */
struct gz *gz_open(const char *path, struct data_error *error);
/* A part of a file instead, as a ZIP archive has it: `packed` bytes from byte `at`, which become `size` with that CRC-32. */
struct gz_part {
    const char *name; /* for messages: gz_path is "PATH:NAME" */
    uint64_t at, packed, size;
    uint32_t crc;
    bool deflated; /* RFC 1951; else they are as they stand */
};
struct gz *gz_open_part(const char *path, const struct gz_part *part, struct data_error *error);
void gz_close(struct gz *file);

/* Reads up to `size` bytes; fewer arrive only at the end of the file. False if the file cannot be read or unpacked. */
bool gz_read_some(struct gz *file, void *out, uint64_t size, uint64_t *got, struct data_error *error);

/* Reads exactly `size` bytes; `what` names them in the message if the file ends before. */
bool gz_read(struct gz *file, void *out, uint64_t size, const char *what, struct data_error *error);

/* The file must end here. Checks the checksum of what was packed too, so call it after the last read. */
bool gz_end(struct gz *file, struct data_error *error);

uint64_t gz_offset(const struct gz *file);  /* unpacked bytes read so far */
uint64_t gz_at_most(const struct gz *file); /* upper bound of the unpacked size, known before reading */
bool gz_is_plain(const struct gz *file);    /* the whole file as it stands, neither packed nor a part */
const char *gz_path(const struct gz *file);

#endif
