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

int samples_stream(struct job *j)
{
    struct data_error e;
    struct data_split *train = &j->data.train;
    const int64_t ring = share(j->options, 0) / 8;
    if (!train->reader && j->options->loaders > 0)
        note("--loaders has no effect: arrays that are packed, or that transforms of pictures change, lie in memory");
    return !train->reader || loaders_start(train, (int)loaders_of(j), ring < RING ? ring : RING, &e)
               ? 0
               : complain(STATUS_DATA, "%s", e.text);
}

void samples_say(struct job *j)
{
    const struct device_data data = samples_of(&j->data.train);
    struct device *d = j->device;
    char text[32];
    if (!j->data.train.reader)
        return;
    say(&j->tell, "the training set stays in its files: %lld loader%s, and %s of buffers beside the network's memory",
        (long long)loaders_of(j), loaders_of(j) > 1 ? "s" : "",
        bytes_text(d->gpu ? data.source->bytes : d->beside(d, &j->rows, &data, 1), text, sizeof text));
}
