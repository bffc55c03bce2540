/* Reading a file that may be packed by gzip; which it is shows in its first two bytes, not in its name. One that somebody writes to
 * meanwhile, cuts off or lengthens is refused at its end.
 *
 * Offsets in messages count unpacked bytes, except for damage to the packing itself, whose message says so. */
#ifndef GZ_H
#define GZ_H

#include "base/data_error.h"

#include <stddef.h>
#include <stdint.h>

struct gz;

/* NULL with the reason in `error`. Only regular files are opened. */
struct gz *gz_open(const char *path, struct data_error *error);
void gz_close(struct gz *file);

/* Reads up to `size` bytes; fewer arrive only at the end of the file. False if the file cannot be read or unpacked. */
bool gz_read_some(struct gz *file, void *out, uint64_t size, uint64_t *got, struct data_error *error);

/* Reads exactly `size` bytes; `what` names them in the message if the file ends before. */
bool gz_read(struct gz *file, void *out, uint64_t size, const char *what, struct data_error *error);

/* The file must end here. Checks the gzip checksum too, so call it after the last read. */
bool gz_end(struct gz *file, struct data_error *error);

uint64_t gz_offset(const struct gz *file);  /* unpacked bytes read so far */
uint64_t gz_at_most(const struct gz *file); /* upper bound of the unpacked size, known before reading */
const char *gz_path(const struct gz *file);

#endif
