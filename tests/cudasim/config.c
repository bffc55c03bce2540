#define _GNU_SOURCE
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct config values;

/* A wrong value ends the program: a test that believes it set something must not run without it. */
_Noreturn static void refuse(const char *name, const char *text)
{
    fprintf(stderr, "cudasim: %s=%s is not understood\n", name, text);
    _exit(125);
}

static uint64_t read_number(const char *name, uint64_t otherwise)
{
    static const struct {
        const char *suffix;
        unsigned shift;
    } units[] = {{"", 0}, {"B", 0}, {"K", 10}, {"KiB", 10}, {"M", 20}, {"MiB", 20}, {"G", 30}, {"GiB", 30}};
    const char *text = getenv(name);
    if (!text || !*text)
        return otherwise;
    char *end;
    const unsigned long long value = strtoull(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (end != text && *text != '-' && !strcmp(end, units[i].suffix) && value <= UINT64_MAX >> units[i].shift)
            return (uint64_t)value << units[i].shift;
    refuse(name, text);
}

static bool read_flag(const char *name)
{
    const uint64_t value = read_number(name, 0);
    if (value > 1)
        refuse(name, getenv(name));
    return value == 1;
}

static void read_environment(void)
{
    const char *order = getenv("SIM_ASYNC");
    if (order && *order && strcmp(order, "eager") && strcmp(order, "defer"))
        refuse("SIM_ASYNC", order);
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    values = (struct config){
        .vram = read_number("SIM_VRAM", 8ull << 30),
        .granule = read_number("SIM_GRANULE", 2u << 20),
        .reserve = read_number("SIM_RESERVE", 128u << 20),
        .lazy = read_number("SIM_LAZY", 0),
        .budget = read_number("SIM_BUDGET", 200000000),
        .seed = read_number("SIM_SEED", 0),
        .threads = (unsigned)read_number("SIM_THREADS", cores > 0 ? (uint64_t)cores : 1),
        .driver = (unsigned)read_number("SIM_DRIVER", 13000),
        .capability = (unsigned)read_number("SIM_CC", 90),
        .devices = (unsigned)read_number("SIM_DEVICES", 1),
        .leak_status = (int)read_number("SIM_LEAK", 0),
        .defer = order && !strcmp(order, "defer"),
        .integrated = read_flag("SIM_INTEGRATED"),
        .check = read_flag("SIM_CHECK"),
        .profile = read_flag("SIM_PROF"),
        .trace = read_flag("SIM_TRACE"),
        .fail = getenv("SIM_FAIL"),
    };
    if (values.granule == 0 || values.granule & (values.granule - 1))
        refuse("SIM_GRANULE", getenv("SIM_GRANULE"));
    if (values.devices > 1)
        refuse("SIM_DEVICES", getenv("SIM_DEVICES"));
    if (values.threads == 0 || values.threads > 256)
        refuse("SIM_THREADS", getenv("SIM_THREADS"));
}

const struct config *config(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_environment);
    return &values;
}
