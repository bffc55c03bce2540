#include "protobuf.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5, MOST = 10 }; /* wire types; bytes of a varint */

void proto_clear(struct proto *p)
{
    p->size = 0;
    p->depth = 0;
    p->lost = false;
}

void proto_free(struct proto *p)
{
    free(p->bytes);
    *p = (struct proto){0};
}

static bool grow(struct proto *p, size_t size)
{
    if (p->lost || size <= p->room - p->size)
        return !p->lost;
    size_t room = 2 * p->room > p->size + size ? 2 * p->room : p->size + size + 1024;
    unsigned char *grown = realloc(p->bytes, room);
    if (!grown) {
        p->lost = true;
        return false;
    }
    p->bytes = grown;
    p->room = room;
    return true;
}

static void put(struct proto *p, const void *bytes, size_t size)
{
    if (size && grow(p, size)) {
        memcpy(p->bytes + p->size, bytes, size);
        p->size += size;
    }
}

static size_t varint(unsigned char to[MOST], uint64_t value)
{
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        to[n++] = (unsigned char)(value | 0x80);
    to[n++] = (unsigned char)value;
    return n;
}

static void put_varint(struct proto *p, uint64_t value)
{
    unsigned char bytes[MOST];
    put(p, bytes, varint(bytes, value));
}

static void put_key(struct proto *p, int field, int wire)
{
    put_varint(p, (uint64_t)field << 3 | (unsigned)wire);
}

/* Little-endian on any machine. */
static void put_fixed(struct proto *p, uint64_t bits, size_t size)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
    put(p, bytes, size);
}

static void put_double(struct proto *p, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_fixed(p, bits, 8);
}

void proto_integer(struct proto *p, int field, uint64_t value)
{
    put_key(p, field, VARINT);
    put_varint(p, value);
}

void proto_double(struct proto *p, int field, double value)
{
    put_key(p, field, FIXED64);
    put_double(p, value);
}

void proto_float(struct proto *p, int field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(p, field, FIXED32);
    put_fixed(p, bits, 4);
}

void proto_bytes(struct proto *p, int field, const void *bytes, size_t size)
{
    put_key(p, field, LENGTH);
    put_varint(p, size);
    put(p, bytes, size);
}

void proto_text(struct proto *p, int field, const char *text)
{
    proto_bytes(p, field, text, strlen(text));
}

void proto_doubles(struct proto *p, int field, const double *value, size_t n)
{
    put_key(p, field, LENGTH);
    put_varint(p, 8 * n);
    for (size_t i = 0; i < n; i++)
        put_double(p, value[i]);
}

void proto_open(struct proto *p, int field)
{
    put_key(p, field, LENGTH);
    p->start[p->depth++] = p->size;
}

/* The length stands in front of the body, which makes room for it. */
void proto_close(struct proto *p)
{
    unsigned char length[MOST];
    size_t start = p->start[--p->depth], size = p->size - start, n = varint(length, size);
    if (!grow(p, n))
        return;
    memmove(p->bytes + start + n, p->bytes + start, size);
    memcpy(p->bytes + start, length, n);
    p->size += n;
}
