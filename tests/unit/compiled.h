/* compiled.h: models compiled in memory, with all their passes. */
#ifndef TESTS_COMPILED_H
#define TESTS_COMPILED_H

#include "netc/compile.h"

#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static inline char *read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s: cannot be read", path);
    char *text = calloc(1 << 20, 1);
    assert_true(text && fread(text, 1, (1 << 20) - 1, f) > 0);
    fclose(f);
    return text;
}

/* Takes `text`; compiled_free gives all back. */
static inline struct compilation *compiled(char *text, const char *file)
{
    struct region *r = region_new();
    struct compilation *c = region_alloc(r, 1, sizeof *c);
    *c = (struct compilation){.file = file, .target = &target_cpu, .text = text, .length = strlen(text), .region = r};
    c->diag = (struct diag){.file = file, .text = text, .out = stderr, .region = r};
    bool good = run_passes(c, NULL);
    diag_flush(&c->diag);
    assert_true(good);
    return c;
}

static inline void compiled_free(struct compilation *c)
{
    char *text = c->text;
    region_free(c->region);
    free(text);
}

static inline struct compilation *compiled_model(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "models/%s.net", name);
    return compiled(read_text(path), "model.net");
}

#endif
