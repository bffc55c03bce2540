#define _GNU_SOURCE 1
#include "toolchain.h"

#include "cores.h"
#include "device/device_error.h"
#include "emit/emit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* -O2: emitted vectors carry the speed, -O3 adds a third of compile time for less than 5 %. */
static const char flags[] = "-O2 -std=gnu11 -fPIC -pipe";

/* Behind the user's flags and those in CC, for -ffast-math must not get through: NaN must propagate and sums keep their
 * order. What is given away costs no bit of a result: errno, traps (so that a choice may become a blend), and a rounding
 * where a multiply-add can be one instruction; the last is the compiler's choice for each line, the same on every thread. */
#define ARITHMETIC "-fno-fast-math -fno-math-errno -fno-trapping-math -ffp-contract=fast"

/* GCC, tuned for some processors, makes multiply-adds in one copy of a loop and not in another, by how many sums run side
 * by side there: with a limit of no bits it makes all, and a sample's bits do not tell where it stands in the batch. */
#define ALIKE ARITHMETIC " --param=avoid-fma-max-bits=0"

/* From best to last; compilers differ in what they accept. */
struct choice {
    const char *native, *arithmetic; /* before and behind the user's */
};
static const struct choice wide[] = {{"-march=native -mprefer-vector-width=512", ALIKE},
                                     {"-march=native", ALIKE},
                                     {"-march=native", ARITHMETIC},
                                     {"", ARITHMETIC},
                                     {NULL, NULL}};
#if defined(__x86_64__) || defined(__i386__)
static const struct choice narrow[] = {
    {"-march=native", ALIKE}, {"-march=native", ARITHMETIC}, {"", ARITHMETIC}, {NULL, NULL}};
#else
static const struct choice narrow[] = {{"-mcpu=native", ALIKE},
                                       {"-mcpu=native", ARITHMETIC},
                                       {"-march=native", ARITHMETIC},
                                       {"", ARITHMETIC},
                                       {NULL, NULL}};
#endif

static const struct choice *choices(const struct toolchain *t)
{
    return t->lanes >= 16 ? wide : narrow;
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
    for (const struct choice *c = choices(t); c->native; c++)
        fprintf(out, "%s\n%s\n", c->native, c->arithmetic);
    fprintf(out, "%s\n", user_flags());
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

/* The compiler with all its flags. */
static bool make_command(const struct toolchain *t, const struct choice *choice, struct command *c)
{
    bool made = true;
    *c = (struct command){0};
    for (int k = 0; k < t->words.n; k++)
        made = made && command_add(c, t->words.word[k]);
    return made && command_split(c, flags) && command_split(c, choice->native) && command_split(c, user_flags()) &&
           command_split(c, choice->arithmetic);
}

/* The compiler at work on a source file that is there in pieces (emit.h). */
struct compiling {
    const struct toolchain *t;
    const struct choice *choice;
    const char *source, *object;
    bool verbose;
    int pieces;              /* objects: each of some pieces of the file */
    char *part[EMIT_PIECES]; /* their paths; none if there is one, which is linked at once */
    struct running running[EMIT_PIECES];
    char output[512]; /* of the first that failed */
};

static bool start(const struct compiling *w, struct command *c, bool made, struct running *r)
{
    if (made && w->verbose)
        print_command(c);
    const bool started = made && command_start(c, w->t->path, r);
    const int cause = errno;
    command_free(c);
    errno = cause;
    return started;
}

static bool start_piece(struct compiling *w, int i)
{
    char first[40], last[40];
    struct command c;
    snprintf(first, sizeof first, "-DFIRST_PIECE=%d", i * EMIT_PIECES / w->pieces);
    snprintf(last, sizeof last, "-DLAST_PIECE=%d", (i + 1) * EMIT_PIECES / w->pieces);
    bool made = make_command(w->t, w->choice, &c) && command_add(&c, "-c") && command_add(&c, first) &&
                command_add(&c, last) && command_add(&c, "-o") && command_add(&c, w->part[i]) &&
                command_add(&c, w->source);
    return start(w, &c, made, &w->running[i]);
}

/* To the shared object: from the source, or from the objects of its pieces. */
static int link_pieces(struct compiling *w)
{
    struct command c;
    struct running r;
    bool made = make_command(w->t, w->choice, &c) && command_add(&c, "-shared") && command_add(&c, "-o") &&
                command_add(&c, w->object);
    for (int i = 0; i < w->pieces; i++)
        made = made && command_add(&c, w->pieces == 1 ? w->source : w->part[i]);
    made = made && command_add(&c, "-lm");
    return start(w, &c, made, &r) ? command_end(&r, w->output, sizeof w->output) : -1;
}

/* As command_run. */
static int compile(struct compiling *w)
{
    char ignored[sizeof w->output];
    int status = 0, started = 0, cause = 0;
    while (w->pieces > 1 && started < w->pieces && start_piece(w, started))
        started++;
    if (w->pieces > 1 && started < w->pieces) {
        status = -1;
        cause = errno;
    }
    for (int i = 0; i < started; i++) {
        const int one = command_end(&w->running[i], status ? ignored : w->output, sizeof w->output);
        if (one && !status)
            cause = errno;
        status = status ? status : one;
    }
    errno = cause;
    return status ? status : link_pieces(w);
}

/* As many processes as cores, each of which has to read the prelude: of a short text that is most of it. */
enum { LEAST_BYTES = 40000 };

static int pieces_of(size_t length)
{
    const int cores = cores_usable();
    const size_t most = length / LEAST_BYTES, n = (size_t)cores < most ? (size_t)cores : most;
    return n < 1 ? 1 : n > EMIT_PIECES ? EMIT_PIECES : (int)n;
}

bool toolchain_compile(const struct toolchain *t, const char *source, size_t length, const char *object, bool verbose,
                       struct device_error *e)
{
    struct compiling w = {.t = t, .source = source, .object = object, .verbose = verbose, .pieces = pieces_of(length)};
    int status = -1, paths = 0;
    while (paths < w.pieces && asprintf(&w.part[paths], "%s.%d.o", object, paths) >= 0)
        paths++;
    if (paths < w.pieces)
        w.pieces = 1;
    for (w.choice = choices(t); status && status <= 128 && w.choice->native; w.choice++) {
        status = compile(&w);
        if (status < 0)
            break;
    }
    const int cause = errno;
    for (int i = 0; i < paths; i++) {
        unlink(w.part[i]);
        free(w.part[i]);
    }
    if (status < 0)
        return device_fail(e, 5, "`%s` cannot be run: %s", t->path, strerror(cause));
    if (status > 128)
        return device_fail(e, 5, "`%s` was ended by signal %d", t->path, status - 128);
    if (status)
        return device_fail(e, 5, "`%s` failed with status %d on the emitted kernels in %s:\n%s", t->path, status,
                           source, w.output);
    if (access(object, F_OK) != 0)
        return device_fail(e, 5, "`%s` has ended well, but made no object of the emitted kernels: no C compiler%s",
                           t->path, set_cc);
    return true;
}
