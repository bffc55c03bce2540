/* Objects behind handles, statistics, and what is said at exit: leaks, and the profile. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "state.h"

enum { LIBRARY_KINDS = 8 };

static struct object *objects;
static const char *const kind_names[OBJECT_KINDS] = {"streams",           "events",      "modules", "graphs",
                                                     "executable graphs", "host buffers"};
static struct {
    char what[48];
    int count;
} tracked[LIBRARY_KINDS];

void object_add(struct object *object, enum object_kind kind)
{
    object->kind = kind;
    object->next = objects;
    objects = object;
}

void object_remove(struct object *object)
{
    for (struct object **at = &objects; *at; at = &(*at)->next)
        if (*at == object) {
            *at = object->next;
            return;
        }
}

bool object_valid(const void *handle, enum object_kind kind)
{
    for (const struct object *o = objects; o; o = o->next)
        if (o == handle)
            return o->kind == kind;
    return false;
}

unsigned object_count(enum object_kind kind)
{
    unsigned count = 0;
    for (const struct object *o = objects; o; o = o->next)
        count += o->kind == kind;
    return count;
}

struct object *object_first(void)
{
    return objects;
}

void simTrack(const char *what, int change)
{
    driver_enter();
    for (int i = 0; i < LIBRARY_KINDS; i++)
        if (!*tracked[i].what || !strcmp(tracked[i].what, what)) {
            snprintf(tracked[i].what, sizeof tracked[i].what, "%s", what);
            tracked[i].count += change;
            break;
        }
    driver_leave();
}

static uint64_t leak_count(void)
{
    uint64_t leaks = memory_counters().live + state.retained;
    for (int kind = 0; kind < OBJECT_KINDS; kind++)
        leaks += object_count((enum object_kind)kind);
    for (int i = 0; i < LIBRARY_KINDS; i++)
        leaks += (uint64_t)(tracked[i].count > 0 ? tracked[i].count : 0);
    return leaks;
}

void simStats(struct sim_stats *stats)
{
    driver_enter();
    const struct memory_counters m = memory_counters();
    const struct prof_counters *c = &state.counters;
    *stats = (struct sim_stats){.requested = m.requested,
                                .requested_peak = m.requested_peak,
                                .charged = m.charged,
                                .charged_peak = m.charged_peak,
                                .live_buffers = m.live,
                                .allocations = m.allocations,
                                .refusals = m.refusals,
                                .calls = state.calls,
                                .launches = state.launches,
                                .graph_launches = state.graph_launches,
                                .warp_instructions = c->warp_instructions,
                                .lane_instructions = c->lane_instructions,
                                .global_requests = c->global_requests,
                                .global_sectors = c->global_sectors,
                                .global_ideal = c->global_ideal,
                                .shared_requests = c->shared_requests,
                                .shared_wavefronts = c->shared_wavefronts,
                                .leaks = leak_count()};
    driver_leave();
}

int simKernelStats(const char *kernel, struct sim_stats *stats)
{
    struct prof_counters c = {0};
    driver_enter();
    const uint64_t launches = prof_find(kernel, &c);
    driver_leave();
    *stats = (struct sim_stats){.launches = launches,
                                .warp_instructions = c.warp_instructions,
                                .lane_instructions = c.lane_instructions,
                                .global_requests = c.global_requests,
                                .global_sectors = c.global_sectors,
                                .global_ideal = c.global_ideal,
                                .shared_requests = c.shared_requests,
                                .shared_wavefronts = c.shared_wavefronts};
    return launches != 0;
}

static void print_buffer(const struct allocation *a, void *data)
{
    unsigned *left = data;
    if (*left && (*left)--)
        fprintf(stderr, "cudasim:   allocation %u, %llu bytes at 0x%llx\n", a->number, (unsigned long long)a->bytes,
                (unsigned long long)a->base);
}

__attribute__((destructor)) static void report_at_exit(void)
{
    if (config()->profile)
        prof_report();
    const uint64_t leaks = leak_count();
    if (!leaks)
        return;
    unsigned left = 10;
    fprintf(stderr, "cudasim: %llu objects were not given back:\n", (unsigned long long)leaks);
    if (memory_counters().live)
        fprintf(stderr, "cudasim:   %llu device buffers\n", (unsigned long long)memory_counters().live);
    memory_each_live(print_buffer, &left);
    for (int kind = 0; kind < OBJECT_KINDS; kind++)
        if (object_count((enum object_kind)kind))
            fprintf(stderr, "cudasim:   %u %s\n", object_count((enum object_kind)kind), kind_names[kind]);
    for (int i = 0; i < LIBRARY_KINDS; i++)
        if (tracked[i].count > 0)
            fprintf(stderr, "cudasim:   %d %s\n", tracked[i].count, tracked[i].what);
    if (state.retained)
        fprintf(stderr, "cudasim:   the primary context\n");
    if (config()->leak_status) {
        fflush(NULL);
        _exit(config()->leak_status);
    }
}
