/* Messages of Protocol Buffers, write only: https://protobuf.dev/programming-guides/encoding. Numbers are written however
 * small, in canonical form, so that equal messages are equal bytes. */
#ifndef PROTOBUF_H
#define PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROTO_DEPTH = 8 }; /* messages within messages */

struct proto {
    unsigned char *bytes;
    size_t size, room;
    bool lost; /* there was no memory: nothing more is written */
    int depth;
    size_t start[PROTO_DEPTH]; /* of the bodies of open messages */
};

void proto_clear(struct proto *p); /* an empty message; the memory stays */
void proto_free(struct proto *p);

/* A field of the message that is open. `field` is its number in the schema. */
void proto_integer(struct proto *p, int field, uint64_t value);
void proto_double(struct proto *p, int field, double value);
void proto_float(struct proto *p, int field, float value);
void proto_bytes(struct proto *p, int field, const void *bytes, size_t size);
void proto_text(struct proto *p, int field, const char *text);
void proto_doubles(struct proto *p, int field, const double *value, size_t n); /* repeated, packed */
/* A message as a field; messages are closed in reverse order. */
void proto_open(struct proto *p, int field);
void proto_close(struct proto *p);

#endif
