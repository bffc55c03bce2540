/* main.c: netc, the command line. compile.c has the passes. */
#include "compile.h"
#include "map.h"
#include "base/atomic_file.h"
#include "base/options.h"
#include "emit/emit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_MODEL = 1, EXIT_USAGE = 2, EXIT_BUDGET = 3, EXIT_FILE = 4, EXIT_INTERNAL = 70 };

/* ---- command line ---- */

struct request {
    const char *file, *output, *emit, *place, *dump, *flops, *target, *precision, *colour;
    bool check, summary, map, plain;
    int64_t memory, batch, capacity;
    int ndefine, nalgorithm;
    struct define define[64], algorithm[64];
};

static int usage(const char *what, const char *argument)
{
    fprintf(stderr, "netc: %s%s\nTry `netc --help`.\n", what, argument);
    return EXIT_USAGE;
}

static int list_passes(void)
{
    for (int i = 0; pass_at(i); i++)
        printf("%c  %-9s %s\n", pass_at(i)->letter, pass_at(i)->name, pass_at(i)->purpose);
    return 0;
}

static int list_ops(void)
{
    static const char *const kind[] = {"map", "contract", "window", "reduce", "row", "move", "view"};
    for (int i = 0; op_at(i); i++)
        printf("%-14s %-9s %s\n", op_at(i)->name, kind[op_at(i)->kind], op_at(i)->doc);
    return 0;
}

static int list_targets(void)
{
    for (int i = 0; target_at(i); i++)
        printf("%-9s %s\n", target_at(i)->name, target_at(i)->doc);
    return 0;
}

enum { GO = -1 };

/* NAME=VALUE, behind those there are. */
static int pair_of(const char *text, const char *else_say, struct define *list, int *n, int most)
{
    char *copy = strdup(text), *equals = copy ? strchr(copy, '=') : NULL;
    if (!equals || equals == copy || *n == most) {
        free(copy);
        return usage(else_say, text);
    }
    *equals = 0;
    list[(*n)++] = (struct define){copy, equals + 1, false};
    return GO;
}

static const struct option_example examples[] = {
    {"netc mnist.net -o mnist.plan", "compile"},
    {"netc mnist.net --summary", "layers, parameters, multiply-adds, memory"},
    {"netc mnist.net --memory 64MiB", "refuse what does not fit"},
    {"netc mnist.net --emit=c --plain", "the kernels, as plain C to read"},
    {"netc mnist.net -d gf", "dump the graph after differentiation and the fused kernels"},
    {NULL, NULL},
};

#define WHAT "What to make"
#define HOW "How"
#define LOOK "What to look at"

static const struct option_row rows[] = {
    {"output", 'o', "FILE", WHAT, "write the plan to FILE; - is stdout", false},
    {"check", 0, NULL, WHAT, "check the model only", false},
    {"summary", 0, NULL, WHAT, "one line a layer: shape, parameters, multiply-adds, bytes kept, what became of it; then memory", false},
    {"emit", 0, "plan|c|cuda|kernels|graph|dot|json", WHAT, "print on stdout: the plan, kernels as C, as CUDA or of --target, the graph as text, for graphviz, or as JSON", false},
    {"memory-map", 0, NULL, WHAT, "draw the memory plan: time down, addresses across", false},
    {"place", 0, "FILE", WHAT, "run the packer alone on a CSV file of id,lower,upper,size", true},
    {"define", 'D', "NAME=VALUE", HOW, "set a `param` of the model; may be repeated", false},
    {"memory", 0, "SIZE", HOW, "budget: refuse with exit status 3 what needs more, such as 64MiB", false},
    {"batch", 0, "N", HOW, "batch to judge the budget by, instead of the model's", true},
    {"capacity", 0, "BYTES", HOW, "with --place: exit 3 if the arena is larger", true},
    {"algorithm", 0, "LAYER=BODY", HOW, "write a layer's kernels by another body than the cheapest, such as conv2=plain; -d c shows all", true},
    {"plain", 0, NULL, HOW, "of --emit=c: each kernel as the loops that it means", false},
    {"precision", 0, "fp32|tf32|bf16", HOW, "of --emit=cuda (fp32)", true},
    {"target", 0, "TARGET", HOW, "one of --targets: whose memory --summary, --memory-map and --memory are about, and kernels (cpu)", false},
    {"flops", 0, "macs|thop", HOW, "rule of --summary: multiply-adds of Conv and Linear, or thop's total", true},
    {"dump", 'd', "LETTERS", LOOK, "print the state after these passes on stderr; see --passes", false},
    {"passes", 0, NULL, LOOK, "list the passes and their letters", false},
    {"targets", 0, NULL, LOOK, "list what kernels are made for", true},
    {"ops", 0, NULL, LOOK, "list the ops that graphs are made of", true},
    {"color", 0, "auto|always|never", LOOK, "colour of messages (auto)", true},
    {"version", 0, NULL, LOOK, "name and version", false},
    {"help", 'h', "[=TOPIC]", LOOK, "this text; --help=all, --help=man (roff), --help=completion (bash)", false},
    {.name = NULL},
};

static const struct option_section sections[] = {
    {"EXIT STATUS", "0 success\n1 the model is wrong\n2 usage\n3 does not fit the budget\n4 file\n70 internal error\n"},
    {NULL, NULL},
};

static const struct option_pair pairs[] = {
    {"batch", "--memory"}, {"capacity", "--place"}, {"flops", "--summary"}, {"precision", "--emit"}, {"plain", "--emit"},
    {"target", "--summary, --memory-map, --memory or --emit"}, {NULL, NULL},
};

static const struct option_table table = {
    "netc", "compiles a network in the .net language into a plan for netrun", "FILE.net [-o FILE.plan] [options]", examples, rows, sections, pairs,
};

static bool is_stream(const char *path)
{
    return !strcmp(path, "-");
}

static int read_options(int argc, char **argv, struct request *r)
{
    struct option_reader *reader = options_open(&table, argc, argv);
    const char *value;
    int status = GO;
    for (int i; status == GO && (i = options_next(reader, &value, stderr)) != OPTIONS_END;) {
        if (i == OPTIONS_WRONG) {
            status = EXIT_USAGE;
            break;
        }
        const char *name = rows[i].name;
        struct { const char *name; const char **to; } texts[] = {
            {"output", &r->output}, {"emit", &r->emit}, {"place", &r->place}, {"dump", &r->dump}, {"flops", &r->flops}, {"target", &r->target}, {"precision", &r->precision}, {"color", &r->colour}};
        struct { const char *name; bool *to; } flags[] = {{"check", &r->check}, {"summary", &r->summary}, {"memory-map", &r->map}, {"plain", &r->plain}};
        for (int k = 0; k < COUNT(texts); k++)
            if (!strcmp(texts[k].name, name))
                *texts[k].to = value;
        for (int k = 0; k < COUNT(flags); k++)
            if (!strcmp(flags[k].name, name))
                *flags[k].to = true;
        if (!strcmp(name, "define"))
            status = pair_of(value, "-D needs NAME=VALUE, not ", r->define, &r->ndefine, COUNT(r->define));
        else if (!strcmp(name, "algorithm"))
            status = pair_of(value, "--algorithm needs LAYER=BODY, not ", r->algorithm, &r->nalgorithm, COUNT(r->algorithm));
        else if (!strcmp(name, "memory") && !option_bytes(value, 0, &r->memory))
            status = usage("--memory needs a size such as 64MiB, not ", value);
        else if (!strcmp(name, "batch") && !option_integer(value, 1, MAX_ROWS, &r->batch))
            status = usage("--batch needs a number of samples, not ", value);
        else if (!strcmp(name, "capacity") && !option_integer(value, 0, INT64_MAX, &r->capacity))
            status = usage("--capacity needs bytes, not ", value);
        else if (!strcmp(name, "help"))
            status = options_help(&table, value, stdout) ? 0 : usage("no help on ", value);
        else if (!strcmp(name, "version")) {
            printf("netc %s\n", PROJECT_VERSION);
            status = 0;
        } else if (!strcmp(name, "passes"))
            status = list_passes();
        else if (!strcmp(name, "ops"))
            status = list_ops();
        else if (!strcmp(name, "targets"))
            status = list_targets();
    }
    int rest = options_rest(reader);
    options_close(reader);
    if (status != GO)
        return status;
    for (const char *d = r->dump; d && *d; d++) {
        bool known = false;
        for (int i = 0; pass_at(i); i++)
            known |= pass_at(i)->letter == *d;
        if (!known)
            return usage("--dump knows the letters of --passes, not ", (char[]){*d, 0});
    }
    if (r->target && !target_find(r->target))
        return usage("--target knows those of --targets, not ", r->target);
    if (r->place)
        return rest == argc ? GO : usage("--place needs no model: ", argv[rest]);
    if (rest != argc - 1)
        return rest == argc ? usage("no model given", "") : usage("one model at a time, not also ", argv[rest + 1]);
    r->file = argv[rest];
    if (r->check && (r->output || r->emit || r->summary || r->map))
        return usage("--check prints and writes nothing; leave it out", "");
    if (r->output && !is_stream(r->output) && atomic_destroys(r->output, r->file))
        return usage("the plan would replace the model itself: -o ", r->output);
    return GO;
}

/* ---- files ---- */

static char *read_whole(const char *path, size_t *length)
{
    FILE *f = is_stream(path) ? stdin : fopen(path, "rb");
    char *text = f ? malloc(MAX_SOURCE + 1) : NULL;
    *length = text ? fread(text, 1, MAX_SOURCE + 1, f) : 0;
    bool good = text && !ferror(f) && *length <= MAX_SOURCE;
    if (!good)
        fprintf(stderr, "netc: %s: %s\n", path, text && *length > MAX_SOURCE ? "more than 16 MiB" : strerror(errno));
    if (f && f != stdin)
        fclose(f);
    if (good) {
        text[*length] = 0;
        return text;
    }
    free(text);
    return NULL;
}

static int write_plan(const struct plan *p, const char *path)
{
    struct data_error e;
    if (is_stream(path))
        return plan_write(p, stdout) || ferror(stdout) ? 0 : EXIT_FILE;      /* streams_close says what is lost */
    if (plan_save(p, path, &e))
        return 0;
    fprintf(stderr, "netc: %s\n", e.text);
    return EXIT_FILE;
}

/* Of --emit: whose kernels are printed; NULL: none. */
static const struct target *emitted(const struct compilation *c, const char *what, bool plain)
{
    const struct { const char *what; const struct target *target; } kinds[] = {
        {"kernels", c->target}, {"c", plain ? &target_c_scalar : &target_cpu}, {"cuda", &target_cuda}};
    for (int i = 0; i < COUNT(kinds); i++)
        if (!strcmp(what, kinds[i].what))
            return kinds[i].target;
    return NULL;
}

static int emit(const struct compilation *c, const char *what, bool plain, const char *precision)
{
    struct emit_options o = {.target = emitted(c, what, plain), .lanes = 16, .file = c->file};
    bool good = true;
    while (precision && o.precision + 1 < PRECISION_COUNT && strcmp(precision, precision_word[o.precision]))
        o.precision++;
    if (o.target)
        good = emit_kernels(c->plan, &o, stdout);
    else if (!strcmp(what, "plan"))
        good = plan_write(c->plan, stdout);
    else if (!strcmp(what, "graph"))
        print_graphs(c, stdout);
    else if (!strcmp(what, "dot"))
        print_dot(c->graph[PHASE_TRAIN], stdout);
    else
        print_json(c, stdout);
    if (good || ferror(stdout))                        /* streams_close says what is lost */
        return 0;
    fprintf(stderr, "netc: error: --emit=%s cannot be written\n", what);
    return EXIT_INTERNAL;
}

/* Says what nothing else says: that the model is right. */
static void say_ok(const struct compilation *c, const struct request *r)
{
    const char *slash = strrchr(r->file, '/'), *name = is_stream(r->file) ? c->plan->net : slash ? slash + 1 : r->file;
    const char *dot = strrchr(name, '.');
    fprintf(stderr, "ok: %s, %lld parameters", r->file, (long long)c->plan->params);
    if (!r->check)
        fprintf(stderr, "; write the plan with -o %.*s.plan", dot && dot > name ? (int)(dot - name) : (int)strlen(name), name);
    fprintf(stderr, "\n");
}

static int compile_and_answer(struct compilation *c, const struct request *r)
{
    bool good = run_passes(c, r->dump);
    diag_flush(&c->diag);
    if (!good)
        return c->wrong ? EXIT_USAGE : EXIT_MODEL;
    int status = r->memory >= 0 ? budget(c, r->memory, r->batch) : 0;
    if (status)
        return status;
    if (!r->summary && !r->map && !r->emit && !r->output && !r->dump)
        say_ok(c, r);
    if (r->summary)
        summary(c, r->flops && !strcmp(r->flops, "thop"), stdout);
    for (int s = 0; r->map && s < c->plan->nschedule; s++)
        if (c->plan->schedule[s].target == target_schedules(c->target))
            memory_map(c->plan, &c->plan->schedule[s], 64, stdout);
    if (r->emit)
        status = emit(c, r->emit, r->plain, r->precision);
    if (r->output && !status)
        status = write_plan(c->plan, r->output);
    return status;
}

int main(int argc, char **argv)
{
    struct request r = {.memory = -1, .batch = -1, .capacity = -1};
    streams_open();
    int status = read_options(argc, argv, &r);
    if (status == GO && r.place)
        status = place_file(r.place, r.capacity, stdout, stderr);
    else if (status == GO) {
        struct compilation c = {.file = r.file, .define = r.define, .ndefine = r.ndefine, .algorithm = r.algorithm, .nalgorithm = r.nalgorithm,
                                .target = r.target ? target_find(r.target) : &target_cpu};
        c.text = read_whole(r.file, &c.length);
        status = EXIT_FILE;
        if (c.text) {
            c.region = region_new();
            c.diag = (struct diag){.file = r.file, .text = c.text, .out = stderr, .colour = option_colour(r.colour, stderr), .region = c.region};
            if (strncmp(c.text, "netc-plan ", 10))
                status = compile_and_answer(&c, &r);
            else
                fprintf(stderr, "netc: %s: this is a plan already; netrun takes it: netrun %s --train DIR\n", r.file, r.file);
            region_free(c.region);
            free(c.text);
        }
    }
    for (int i = 0; i < r.ndefine; i++)
        free((char *)r.define[i].name);
    for (int i = 0; i < r.nalgorithm; i++)
        free((char *)r.algorithm[i].name);
    return streams_close("netc", status);
}
