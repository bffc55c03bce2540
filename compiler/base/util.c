/* util.c: memory that is freed as a whole, strings. */
#include "base.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Objects lie side by side in slabs; what is LARGE has memory of its own, which can grow without a copy. Under a sanitizer
 * every object has its own, so that every overrun is seen. */
enum { FIRST_SLAB = 4 << 10, SLAB = 256 << 10, ALIGN = _Alignof(max_align_t) };
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { LARGE = 0 };
#else
enum { LARGE = 32 << 10 };
#endif

struct own {
    size_t index;
    max_align_t data[];
}; /* index in region.own */
struct region {
    char *at; /* the free rest of the newest slab */
    size_t room;
    size_t next; /* bytes of the next slab */
    size_t nslab, nown;
    void **slab;
    struct own **own;
};

static void *must(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(70);
    }
    return p;
}

struct region *region_new(void)
{
    struct region *r = must(calloc(1, sizeof *r));
    r->next = FIRST_SLAB;
    return r;
}

void region_free(struct region *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->nslab; i++)
        free(r->slab[i]);
    for (size_t i = 0; i < r->nown; i++)
        free(r->own[i]);
    free(r->slab);
    free(r->own);
    free(r);
}

/* Room for one more in a list of pointers. */
static void *longer(void *list, size_t n)
{
    return n & (n - 1) ? list : must(realloc(list, (n ? 2 * n : 1) * sizeof(void *)));
}

static void *own_alloc(struct region *r, size_t bytes)
{
    r->own = longer(r->own, r->nown);
    struct own *o = must(calloc(1, sizeof *o + bytes));
    o->index = r->nown;
    r->own[r->nown++] = o;
    return o->data;
}

void *region_alloc(struct region *r, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
        must(NULL);
    if (bytes >= LARGE)
        return own_alloc(r, bytes);
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (bytes > r->room) {
        r->room = r->next > bytes ? r->next : bytes;
        r->next = r->next < SLAB ? 2 * r->next : SLAB;
        r->slab = longer(r->slab, r->nslab);
        r->at = r->slab[r->nslab++] = must(calloc(1, r->room));
    }
    void *at = r->at;
    r->at += bytes;
    r->room -= bytes;
    return at;
}

char *region_copy(struct region *r, const char *text)
{
    size_t n = strlen(text) + 1;
    return memcpy(region_alloc(r, n, 1), text, n);
}

char *region_printf(struct region *r, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    char *text = region_alloc(r, (size_t)n + 1, 1);
    vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

const char *next_line(const char *text)
{
    text = strchr(text, '\n');
    return text ? text + 1 : NULL;
}

void *region_grow_(struct region *r, void *v, int count, size_t size)
{
    const size_t old = (size_t)count * size;
    if (!count)
        return region_alloc(r, 1, size);
    if ((count & (count - 1)) == 0 && old < LARGE) {
        v = memcpy(region_alloc(r, 2 * (size_t)count, size), v, old);
    } else if ((count & (count - 1)) == 0) {
        const size_t index = ((struct own *)((char *)v - offsetof(struct own, data)))->index;
        r->own[index] = must(realloc(r->own[index], sizeof(struct own) + 2 * old));
        v = r->own[index]->data;
    }
    memset((char *)v + old, 0, size);
    return v;
}
