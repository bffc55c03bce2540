/* util.c: memory that is freed as a whole, strings. */
#include "netc.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct chunk { struct chunk *next; max_align_t data[]; };
struct region { struct chunk *chunks; };

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
    return must(calloc(1, sizeof(struct region)));
}

void region_free(struct region *r)
{
    if (!r)
        return;
    for (struct chunk *c = r->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(r);
}

/* One malloc an object: sanitizers then see every overrun, and plans are small. */
void *region_alloc(struct region *r, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || __builtin_add_overflow(bytes, sizeof(struct chunk), &bytes))
        must(NULL);
    struct chunk *c = must(calloc(1, bytes));
    c->next = r->chunks;
    r->chunks = c;
    return c->data;
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

void *region_grow_(struct region *r, void *v, int count, size_t size)
{
    if (count & (count - 1))
        return v;
    void *bigger = region_alloc(r, count ? 2 * (size_t)count : 1, size);
    if (count)
        memcpy(bigger, v, (size_t)count * size);
    return bigger;
}
