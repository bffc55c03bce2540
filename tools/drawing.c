#include "drawing.h"

#include "base/philox.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_COUNT = 1000000 };
static const char *const split_name[2] = {"train", "test"};

struct options {
    const char *folder;
    uint32_t count[2];
    uint64_t seed;
};

double between(struct random *r, double low, double high)
{
    if (r->used == 4) {
        philox4x32(r->counter, r->key, r->word);
        r->counter[0]++;
        r->used = 0;
    }
    return low + (high - low) * (double)philox_unit(r->word[r->used++]);
}

static bool folder_made(const char *path)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST;
}

/* False with errno, and the path. */
static bool make_class(const struct drawing *d, const struct options *o, int split, int class, char *path, size_t size)
{
    int used = snprintf(path, size, "%s/%s/%s", o->folder, split_name[split], d->class_name[class]);
    if (used < 0 || (size_t)used + 16 > size) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (!folder_made(path))
        return false;
    for (uint32_t i = 0; i < o->count[split]; i++) {
        struct random r = {.key = {(uint32_t)o->seed, (uint32_t)(o->seed >> 32)},
                           .counter = {0, i, (uint32_t)split, (uint32_t) class},
                           .used = 4};
        snprintf(path + used, size - (size_t)used, "/%06u.%s", i, d->ending[i % 2]);
        if (!d->make(path, class, i, &r))
            return false;
    }
    return true;
}

static bool make_all(const struct drawing *d, const struct options *o, char *path, size_t size)
{
    snprintf(path, size, "%s", o->folder);
    if (!folder_made(path))
        return false;
    snprintf(path, size, "%s/SYNTHETIC", o->folder); /* before the files */
    FILE *mark = fopen(path, "w");
    if (!mark || fputs(d->mark, mark) < 0 || fclose(mark) != 0)
        return false;
    for (int split = 0; split < 2; split++) {
        snprintf(path, size, "%s/%s", o->folder, split_name[split]);
        if (!folder_made(path))
            return false;
        for (int class = 0; class < d->classes; class ++)
            if (!make_class(d, o, split, class, path, size))
                return false;
    }
    return true;
}

static bool parse_number(const char *text, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && errno == 0 && *number <= most;
}

static bool parse_options(const struct drawing *d, int argc, char **argv, struct options *o)
{
    static const struct option names[] = {{"train", required_argument, NULL, 0},
                                          {"test", required_argument, NULL, 1},
                                          {"seed", required_argument, NULL, 2},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    uint64_t number;
    for (int option; (option = getopt_long(argc, argv, "h", names, NULL)) != -1;) {
        if (option == 'h') {
            fputs(d->usage, stdout);
            exit(0);
        }
        if (option == '?' || !parse_number(optarg, option == 2 ? UINT64_MAX : MAX_COUNT, &number) ||
            (option < 2 && number == 0))
            return false;
        if (option == 2)
            o->seed = number;
        else
            o->count[option] = (uint32_t)number;
    }
    o->folder = argv[optind];
    return optind + 1 == argc;
}

int draw_folders(const struct drawing *d, int argc, char **argv)
{
    struct options o = {.count = {d->count[0], d->count[1]}, .seed = 1};
    char path[4096];
    if (!parse_options(d, argc, argv, &o)) {
        fputs(d->usage, stderr);
        return 2;
    }
    errno = 0;
    if (make_all(d, &o, path, sizeof path))
        return 0;
    fprintf(stderr, "%s: %s: %s\n", d->program, path, errno ? strerror(errno) : "cannot be written");
    return 4;
}
