#define _GNU_SOURCE 1
#include "cores.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CORE_SETS = 16 }; /* of 1024 cores each: the kernel refuses a mask smaller than its own */

int cores_allowed(int *core, int room)
{
    cpu_set_t set[CORE_SETS];
    if (sched_getaffinity(0, sizeof set, set) != 0)
        return 0;
    for (int i = 0, n = 0; n < room && i < CORE_SETS * CPU_SETSIZE; i++)
        if (CPU_ISSET_S(i, sizeof set, set))
            core[n++] = i;
    return CPU_COUNT_S(sizeof set, set);
}

static bool read_line(const char *folder, const char *name, char *line, int room)
{
    char path[PATH_MAX + 32];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return false;
    FILE *in = fopen(path, "re");
    if (!in)
        return false;
    bool got = fgets(line, room, in) != NULL;
    fclose(in);
    return got;
}

/* Quota and period of one cgroup, in microseconds: `cpu.max` in version 2, two files in version 1. */
static int folder_quota(const char *folder)
{
    char text[64], period_text[64];
    long long quota = -1, period = -1;
    if (read_line(folder, "cpu.max", text, sizeof text)) {
        if (sscanf(text, "%lld %lld", &quota, &period) != 2)
            return INT_MAX;
    } else if (read_line(folder, "cpu.cfs_quota_us", text, sizeof text) &&
               read_line(folder, "cpu.cfs_period_us", period_text, sizeof period_text)) {
        if (sscanf(text, "%lld", &quota) != 1 || sscanf(period_text, "%lld", &period) != 1)
            return INT_MAX;
    }
    if (quota <= 0 || period <= 0)
        return INT_MAX;
    long long cores = quota / period + (quota % period != 0);
    return cores < INT_MAX ? (int)cores : INT_MAX;
}

/* A limit binds all descendants, and a container may not see the folders above its own (nor its own under the name
 * that the kernel gives it), so every folder up to the mount is asked. */
static int path_quota(const char *mount, const char *path)
{
    char folder[PATH_MAX];
    int least = INT_MAX, base = (int)strlen(mount);
    if (snprintf(folder, sizeof folder, "%s%s", mount, path) >= (int)sizeof folder)
        return least;
    for (;;) {
        int cores = folder_quota(folder);
        least = cores < least ? cores : least;
        char *slash = strrchr(folder, '/');
        if (!slash || slash - folder < base)
            return least;
        *slash = '\0';
    }
}

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; at; at = strchr(at, ','), at = at ? at + 1 : NULL)
        if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0'))
            return true;
    return false;
}

int cores_quota(const char *membership, const char *mount)
{
    FILE *in = fopen(membership, "re");
    int least = INT_MAX;
    if (!in)
        return least;
    char line[PATH_MAX], controller[PATH_MAX];
    while (fgets(line, sizeof line, in)) { /* hierarchy:controllers:path, controllers empty in version 2 */
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        controllers++;
        bool second = !*controllers;
        if (!second && !has_word(controllers, "cpu"))
            continue;
        if (snprintf(controller, sizeof controller, "%s%s", mount, second ? "" : "/cpu") >= (int)sizeof controller)
            continue;
        int cores = path_quota(controller, path);
        least = cores < least ? cores : least;
    }
    fclose(in);
    return least;
}

int cores_usable(void)
{
    int allowed = cores_allowed(NULL, 0), quota = cores_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    int cores = quota < allowed ? quota : allowed;
    return cores > 0 ? cores : 1;
}

void cores_name(char *name, size_t size)
{
    static const char key[] = "model name";
    FILE *in = fopen("/proc/cpuinfo", "re");
    char *line = NULL;
    size_t room = 0;
    *name = '\0';
    while (in && !*name && getline(&line, &room, in) > 1) {
        const char *at = strchr(line, ':');
        if (at && strncmp(line, key, sizeof key - 1) == 0)
            snprintf(name, size, "%.*s", (int)strcspn(at + 1 + strspn(at + 1, " "), "\n"),
                     at + 1 + strspn(at + 1, " "));
    }
    free(line);
    if (in)
        fclose(in);
}
