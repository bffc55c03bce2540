#define _GNU_SOURCE 1
#include "keep_source.h"

#include "base/atomic_file.h"
#include "device_error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void source_stem(char stem[STEM_ROOM], const char *net)
{
    int n = 0;
    for (; net[n] && n < STEM_ROOM - 1; n++) {
        char c = net[n];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        stem[n] = plain ? c : '_';
    }
    stem[n] = '\0';
}

bool keep_source(const char *folder, const char *net, const char *suffix, const char *text, size_t length,
                 struct device_error *e)
{
    char stem[STEM_ROOM], *path;
    source_stem(stem, net);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return device_fail(e, 4, "%s: cannot be made: %s", folder, strerror(errno));
    if (asprintf(&path, "%s/%s%s", folder, stem, suffix) < 0)
        return device_fail(e, 70, "out of memory");
    struct data_error cause;
    bool ok = atomic_save(path, text, length, &cause);
    free(path);
    return ok || device_fail(e, 4, "%s", cause.text);
}
