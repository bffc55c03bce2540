#define _GNU_SOURCE 1
#include "toolchain.h"

#include "device/device_error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* -O2: emitted vectors carry the speed, -O3 adds a third of compile time for less than 5 %. */
static const char flags[] = "-O2 -std=gnu11 -fPIC -shared -pipe";

/* Behind the user's flags and those in CC, for -ffast-math must not get through: NaN must propagate and sums keep their
 * order. What is given away costs no bit of a result: errno, traps (so that a choice may become a blend), and a rounding
 * where a multiply-add can be one instruction; the last is the compiler's choice for each line, the same on every thread. */
static const char arithmetic[] = "-fno-fast-math -fno-math-errno -fno-trapping-math -ffp-contract=fast";

/* From best to last; compilers differ in what they accept. */
static const char *const wide[] = {"-march=native -mprefer-vector-width=512", "-march=native", "", NULL};
#if defined(__x86_64__) || defined(__i386__)
static const char *const native[] = {"-march=native", "", NULL};
#else
static const char *const native[] = {"-mcpu=native", "-march=native", "", NULL};
#endif

static const char *const *native_flags(const struct toolchain *t)
{
    return t->lanes >= 16 ? wide : native;
}

static const char *user_flags(void)
{
    const char *text = getenv("NETRUN_CFLAGS");
    return text ? text : "";
}

/* The words stay, and `path` and `version` are set, if the program answers; else `why` says how it failed. */
static bool answers(struct toolchain *t, const char *text, char *why, size_t size)
{
    struct command ask = {0};
    int status = -1;
    errno = ENOENT;
    if (command_split(&t->words, text) && t->words.n && (t->path = command_find(t->words.word[0])) &&
        command_split(&ask, text) && command_add(&ask, "--version"))
        status = command_run(&ask, t->path, t->version, sizeof t->version);
    if (status < 0)
        snprintf(why, size, "cannot be run: %s", strerror(errno));
    else
        snprintf(why, size, "does not answer to --version: it ended with status %d", status);
    command_free(&ask);
    if (status != 0)
        toolchain_free(t);
    return status == 0;
}

static const char set_cc[] = "\n  = help: set CC to a C compiler, or unset it to use cc, gcc or clang";

bool toolchain_find(struct toolchain *t, int lanes, struct device_error *e)
{
    static const char *const usual[] = {"cc", "gcc", "clang"};
    const char *chosen = getenv("CC");
    char why[200];
    *t = (struct toolchain){.lanes = lanes};
    if (chosen && chosen[strspn(chosen, " \t\n")]) {
        if (answers(t, chosen, why, sizeof why))
            return true;
        return device_fail(e, 5, "the C compiler that CC names, `%s`, %s%s", chosen, why, set_cc);
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (answers(t, usual[i], why, sizeof why))
            return true;
    return device_fail(e, 5,
                       "the cpu device needs a C compiler, and none of cc, gcc and clang is here\n"
                       "  = help: install one (`apt-get install gcc`), or set CC to yours");
}

void toolchain_free(struct toolchain *t)
{
    command_free(&t->words);
    free(t->path);
    t->path = NULL;
}

/* What -march=native looks at, of the first processor: its lines up to the blank one, but for those that change. */
static void describe_processor(FILE *out)
{
    static const char *const passing[] = {"processor",      "cpu MHz",     "bogomips", "BogoMIPS", "apicid",
                                          "initial apicid", "physical id", "core id",  "siblings", "cpu cores"};
    struct utsname name;
    if (uname(&name) == 0)
        fprintf(out, "%s\n", name.machine);
    FILE *in = fopen("/proc/cpuinfo", "re");
    char *line = NULL;
    size_t room = 0;
    while (in && getline(&line, &room, in) > 1) {
        bool passes = false;
        for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
            passes = passes || strncmp(line, passing[i], strlen(passing[i])) == 0;
        if (!passes)
            fputs(line, out);
    }
    free(line);
    if (in)
        fclose(in);
}

bool toolchain_key(const struct toolchain *t, const char *source, size_t length, XXH128_hash_t *key)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return false;
    fprintf(out, "%s\n", t->path);
    for (int i = 0; i < t->words.n; i++)
        fprintf(out, "%s\n", t->words.word[i]);
    fprintf(out, "%s\n%s\n", t->version, flags);
    for (int i = 0; native_flags(t)[i]; i++)
        fprintf(out, "%s\n", native_flags(t)[i]);
    fprintf(out, "%s\n%s\n", user_flags(), arithmetic);
    describe_processor(out);
    fwrite(source, 1, length, out);
    bool ok = !ferror(out);
    ok = fclose(out) == 0 && ok;
    if (ok)
        *key = XXH3_128bits(text, size);
    free(text);
    return ok;
}

static void print_command(const struct command *c)
{
    fputs("netrun:", stderr);
    for (int i = 0; i < c->n; i++)
        fprintf(stderr, " %s", c->word[i]);
    fputc('\n', stderr);
}

bool toolchain_compile(const struct toolchain *t, const char *source, const char *object, bool verbose,
                       struct device_error *e)
{
    char output[512] = "";
    int status = -1;
    for (int i = 0; status && status <= 128 && native_flags(t)[i]; i++) {
        struct command c = {0};
        bool made = true;
        for (int k = 0; k < t->words.n; k++)
            made = made && command_add(&c, t->words.word[k]);
        made = made && command_split(&c, flags) && command_split(&c, native_flags(t)[i]) &&
               command_split(&c, user_flags()) && command_split(&c, arithmetic) && command_add(&c, "-o") &&
               command_add(&c, object) && command_add(&c, source) && command_add(&c, "-lm");
        if (made && verbose)
            print_command(&c);
        status = made ? command_run(&c, t->path, output, sizeof output) : -1;
        command_free(&c);
        if (status < 0)
            return device_fail(e, 5, "`%s` cannot be run: %s", t->path, strerror(errno));
    }
    if (status > 128)
        return device_fail(e, 5, "`%s` was ended by signal %d", t->path, status - 128);
    if (status)
        return device_fail(e, 5, "`%s` failed with status %d on the emitted kernels in %s:\n%s", t->path, status,
                           source, output);
    if (access(object, F_OK) != 0)
        return device_fail(e, 5, "`%s` has ended well, but made no object of the emitted kernels: no C compiler%s",
                           t->path, set_cc);
    return true;
}
