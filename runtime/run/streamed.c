/* streamed.c: which samples stay in their files, and who brings them. */
#include "streamed.h"
#include "data/loaders.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    LOADERS = 2,      /* unless --loaders says how many */
    RING = 8 << 20,   /* bytes: several batches of small samples, and some of large ones */
    SMALL = 64 << 20, /* bytes of samples that no budget keeps out of memory: below, it is meant for networks alone */
};

/* The first number of a file of the system; INT64_MAX: it has none. */
static int64_t number_in(const char *path)
{
    long long n;
    FILE *from = fopen(path, "re");
    bool good = from && fscanf(from, "%lld", &n) == 1;
    if (from)
        fclose(from);
    return good ? n : INT64_MAX;
}

/* Bytes that the process may take in all: of the machine, of its group (where that is the whole of what it sees), of its address space. */
static int64_t memory(void)
{
    const int64_t page = sysconf(_SC_PAGESIZE), group = number_in("/sys/fs/cgroup/memory.max");
    int64_t most = sysconf(_SC_PHYS_PAGES) * page;
    struct rlimit limit;
    if (group < most)
        most = group;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        const int64_t used = number_in("/proc/self/statm");
        const int64_t left = (int64_t)limit.rlim_cur - (used < INT64_MAX / page ? used * page : 0);
        most = left < most ? left : most;
    }
    return most;
}

/* Half of that, or the budget, where it is less, of which runs side by side have equal parts; of the budget at least `least`. */
static int64_t share(const struct options *o, int64_t least)
{
    const int64_t runs = o->jobs > 1 ? o->jobs : 1;
    int64_t all = memory(), most = all / 2 / runs, budget;
    const bool gpu = o->device && strncmp(o->device, "cuda", 4) == 0; /* its budget is not of this memory */
    if (!gpu && o->memory && option_bytes(o->memory, all, &budget)) {
        budget /= runs;
        budget = budget > least ? budget : least;
        most = budget < most ? budget : most;
    }
    return most > 0 ? most : 1;
}

int64_t samples_most(const struct options *o)
{
    return o->loaders > 0 ? 1 : share(o, SMALL);
}

static int64_t loaders_of(const struct job *j)
{
    return j->options->loaders > 0 ? j->options->loaders : LOADERS;
}

int samples_stream(struct job *j, bool trains)
{
    struct data_split *const all[] = {&j->data.test, &j->data.train, &j->data.holdout};
    const int n = trains ? DATA_SPLITS : 1;
    struct data_error e;
    int64_t ring = share(j->options, 0) / 8, streams = 0;
    for (int i = 0; i < n; i++)
        streams += all[i]->reader && !all[i]->source;
    for (int i = 0; i < n; i++)
        if (all[i]->reader && !all[i]->source &&
            !loaders_start(all[i], (int)loaders_of(j), ring / streams < RING ? ring / streams : RING, &e))
            return complain(STATUS_DATA, "%s", e.text);
    return 0;
}

void samples_say(struct job *j)
{
    static const char *const joint[DATA_SPLITS] = {"", " and ", ", "};
    const char *const name[DATA_SPLITS] = {"training set", j->held_out ? "holdout" : "test set", "holdout"};
    const char *said[DATA_SPLITS];
    struct device_data data[DATA_SPLITS];
    struct device *d = j->device;
    int64_t bytes = 0;
    int n = 0;
    char text[32], names[64] = "";
    for (int i = 0; i < DATA_SPLITS; i++) {
        const struct data_split *split = data_split_of(&j->data, i);
        if (!split->reader || !split->source)
            continue;
        said[n] = name[i];
        data[n] = samples_of(split);
        bytes += data[n++].source->bytes;
    }
    for (int i = 0; i < n; i++)
        text_append(names, sizeof names, "%s%s", said[i], joint[n - 1 - i]);
    if (n > 0)
        say(&j->tell, "the %s stay%s in %s files: %lld loader%s%s, and %s of buffers beside the network's memory",
            names, n > 1 ? "" : "s", n > 1 ? "their" : "its", (long long)loaders_of(j), loaders_of(j) > 1 ? "s" : "",
            n > 1 ? " each" : "", bytes_text(d->gpu ? bytes : d->beside(d, &j->rows, data, n), text, sizeof text));
}
