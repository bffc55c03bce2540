/* Sectors, wavefronts, and the table of kernels. */
#include "prof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec.h"

enum { SECTOR = 32, BANKS = 32, BANK_BYTES = 4 };

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Sorts and returns the number of different values. */
static unsigned distinct(uint64_t *values, unsigned count)
{
    bool sorted = true;
    for (unsigned i = 1; i < count; i++)
        sorted &= values[i - 1] <= values[i];
    if (!sorted)
        qsort(values, count, sizeof *values, compare);
    unsigned found = count > 0;
    for (unsigned i = 1; i < count; i++)
        found += values[i] != values[i - 1];
    return found;
}

/* Natural alignment (checked) keeps an access of up to 32 bytes within one sector. Lanes that read the same bytes
 * need them once, so the ideal counts different addresses. */
void prof_global(struct warp *w, const struct insn *in, const uint64_t address[LANES])
{
    uint64_t sectors[LANES], different[LANES];
    unsigned count = 0;
    for (uint32_t left = w->mask; left; left &= left - 1) {
        const int lane = __builtin_ctz(left);
        sectors[count] = address[lane] / SECTOR;
        different[count++] = address[lane];
    }
    struct prof_counters *c = &w->worker->counters;
    c->global_requests++;
    c->global_sectors += distinct(sectors, count);
    const uint64_t bytes = (uint64_t)distinct(different, count) * in->bytes * in->count;
    c->global_ideal += (bytes + SECTOR - 1) / SECTOR;
}

/* 128 bytes are served per pass: wider accesses go in halves or quarters of the warp. Within a part, the passes are the
 * largest number of different words that one bank holds. */
void prof_shared(struct warp *w, const struct insn *in, const uint64_t offset[LANES])
{
    const unsigned bytes = (unsigned)in->bytes * in->count;
    const unsigned words = bytes < BANK_BYTES ? 1 : bytes / BANK_BYTES, part = LANES / words;
    struct prof_counters *c = &w->worker->counters;
    c->shared_requests++;
    for (unsigned first = 0; first < LANES; first += part) {
        uint64_t touched[LANES];
        unsigned count = 0;
        for (unsigned lane = first; lane < first + part; lane++)
            for (unsigned k = 0; k < words && w->mask >> lane & 1; k++)
                touched[count++] = offset[lane] / BANK_BYTES + k;
        const unsigned different = distinct(touched, count);
        unsigned per_bank[BANKS] = {0}, worst = 0;
        for (unsigned i = 0, seen = 0; i < count && seen < different; i++) {
            if (i && touched[i] == touched[i - 1])
                continue;
            seen++;
            const unsigned load = ++per_bank[touched[i] % BANKS];
            worst = load > worst ? load : worst;
        }
        c->shared_wavefronts += worst;
    }
}

static struct entry {
    char name[128];
    uint64_t launches;
    struct prof_counters sum;
} * table;
static unsigned entries;

void prof_add(const char *kernel, const struct prof_counters *c)
{
    unsigned i = 0;
    while (i < entries && strncmp(table[i].name, kernel, sizeof table->name - 1))
        i++;
    if (i == entries) {
        struct entry *larger = realloc(table, (entries + 1) * sizeof *table);
        if (!larger)
            return;
        table = larger;
        table[entries] = (struct entry){0};
        snprintf(table[entries++].name, sizeof table->name, "%s", kernel);
    }
    struct entry *e = &table[i];
    e->launches++;
    e->sum.warp_instructions += c->warp_instructions;
    e->sum.lane_instructions += c->lane_instructions;
    e->sum.global_requests += c->global_requests;
    e->sum.global_sectors += c->global_sectors;
    e->sum.global_ideal += c->global_ideal;
    e->sum.shared_requests += c->shared_requests;
    e->sum.shared_wavefronts += c->shared_wavefronts;
}

uint64_t prof_find(const char *kernel, struct prof_counters *sum)
{
    for (unsigned i = 0; i < entries; i++)
        if (!strcmp(table[i].name, kernel)) {
            *sum = table[i].sum;
            return table[i].launches;
        }
    return 0;
}

static double ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : 0;
}

void prof_report(void)
{
    if (entries)
        fprintf(stderr, "%-32s %8s %14s %6s %12s %8s %6s %12s %8s\n", "cudasim: kernel", "launches", "warp insns",
                "lanes", "global reqs", "sectors", "ideal", "shared reqs", "waves");
    for (unsigned i = 0; i < entries; i++) {
        const struct prof_counters *c = &table[i].sum;
        fprintf(stderr, "%-32s %8llu %14llu %6.2f %12llu %8.2f %6.2f %12llu %8.2f\n", table[i].name,
                (unsigned long long)table[i].launches, (unsigned long long)c->warp_instructions,
                ratio(c->lane_instructions, c->warp_instructions), (unsigned long long)c->global_requests,
                ratio(c->global_sectors, c->global_requests), ratio(c->global_ideal, c->global_requests),
                (unsigned long long)c->shared_requests, ratio(c->shared_wavefronts, c->shared_requests));
    }
    free(table);
    table = NULL;
    entries = 0;
}
