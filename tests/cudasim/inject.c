/* SIM_FAIL=name:n[:code],... makes the n-th call of that function fail; the name * counts all calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "driver.h"

enum { MAX_RULES = 32 };

static struct rule {
    char name[64];
    unsigned long long at, calls;
    int code; /* 0: as the caller of simInject says */
} rules[MAX_RULES];
static int rule_count = -1;

static void read_rules(const char *text)
{
    rule_count = 0;
    while (text && *text) {
        struct rule *r = &rules[rule_count];
        int used = 0;
        if (rule_count == MAX_RULES || sscanf(text, "%63[^:,]:%llu%n", r->name, &r->at, &used) != 2 || !r->at) {
            fprintf(stderr, "cudasim: SIM_FAIL=%s is not understood\n", text);
            _exit(125);
        }
        text += used;
        if (*text == ':')
            r->code = (int)strtol(text + 1, (char **)&text, 10);
        if (*text == ',')
            text++;
        else if (*text) {
            fprintf(stderr, "cudasim: SIM_FAIL: %s is not understood\n", text);
            _exit(125);
        }
        rule_count++;
    }
}

static int failure(const char *name, int otherwise)
{
    if (rule_count < 0)
        read_rules(config()->fail);
    int code = 0;
    for (int i = 0; i < rule_count; i++)
        if (!strcmp(rules[i].name, "*") || !strcmp(rules[i].name, name))
            if (++rules[i].calls == rules[i].at)
                code = rules[i].code ? rules[i].code : otherwise;
    if (code)
        fprintf(stderr, "cudasim: %s fails with %d as SIM_FAIL asks\n", name, code);
    return code;
}

bool is_release(const char *name)
{
    return strstr(name, "Free") || strstr(name, "Destroy") || strstr(name, "Unload") || strstr(name, "Release") ||
           strstr(name, "Unregister");
}

CUresult inject_failure(const char *name)
{
    return (CUresult)failure(name, strstr(name, "Alloc") ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_ERROR_UNKNOWN);
}

int simInject(const char *name, int otherwise)
{
    return failure(name, otherwise);
}
