/* command.c: the table of netc's options, what each does, and what goes together. */
#include "command.h"
#include "base/atomic_file.h"

#include <stdlib.h>

#define OPTIONS struct request

static int usage(const char *what, const char *argument)
{
    fprintf(stderr, "netc: %s%s\nTry `netc --help`.\n", what, argument);
    return EXIT_USAGE;
}

/* "--batch needs a number of samples, not x". */
static int refuse(const char *option, const char *value, const char *expected)
{
    fprintf(stderr, "netc: --%s needs %s, not %s\nTry `netc --help`.\n", option, expected, value);
    return EXIT_USAGE;
}

/* NAME=VALUE, behind those there are. */
static int add_pair(void *request, const struct option_effect *e, const char *text)
{
    struct request *r = request;
    char *copy = strdup(text), *equals = copy ? strchr(copy, '=') : NULL;
    int *n = &r->npair[e->number];
    if (!equals || equals == copy || *n == COUNT(r->pair[0])) {
        free(copy);
        return usage(e->words, text);
    }
    *equals = 0;
    r->pair[e->number][(*n)++] = (struct define){copy, equals + 1, false};
    return OPTIONS_GO;
}

static int map_to(void *request, const struct option_effect *e, const char *value)
{
    (void)e;
    struct request *r = request;
    const char *dot = value ? strrchr(value, '.') : NULL;
    if (value && !is_stream(value) && (!dot || strcmp(dot, ".svg")))
        return usage("--memory-map draws SVG, into FILE.svg or - (stdout), not ", value);
    r->map |= !value;
    r->svg = value ? value : r->svg;
    return OPTIONS_GO;
}

static int schedule_over(void *request, const struct option_effect *e, const char *value)
{
    (void)e;
    struct request *r = request;
    const char *dot = value ? strrchr(value, '.') : NULL;
    r->steps = r->steps ? r->steps : 100;
    if (value && (is_stream(value) || (dot && !strcmp(dot, ".svg")))) {
        r->rates = value;
        return OPTIONS_GO;
    }
    return !value || option_integer(value, 1, 1000000000, &r->steps)
               ? OPTIONS_GO
               : usage("--schedule takes the steps of an epoch, such as 469, or FILE.svg, not ", value);
}

static int list_passes(void *request, const struct option_effect *e, const char *value)
{
    (void)request, (void)e, (void)value;
    for (int i = 0; pass_at(i); i++)
        printf("%c  %-10s %s\n", pass_at(i)->letter, pass_at(i)->name, pass_at(i)->purpose);
    return 0;
}

static int list_ops(void *request, const struct option_effect *e, const char *value)
{
    (void)request, (void)e, (void)value;
    static const char *const kind[] = {"map", "contract", "window", "reduce", "row", "move", "view"};
    for (int i = 0; op_at(i); i++)
        printf("%-14s %-9s %s\n", op_at(i)->name, kind[op_at(i)->kind], op_at(i)->doc);
    return 0;
}

static int list_targets(void *request, const struct option_effect *e, const char *value)
{
    (void)request, (void)e, (void)value;
    for (int i = 0; target_at(i); i++)
        printf("%-9s %s\n", target_at(i)->name, target_at(i)->doc);
    return 0;
}

static int version(void *request, const struct option_effect *e, const char *value)
{
    (void)request, (void)e, (void)value;
    printf("netc %s\n", PROJECT_VERSION);
    return 0;
}

static int help(void *request, const struct option_effect *e, const char *topic);

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
    {"output", 'o', "FILE", WHAT, "write the plan to FILE; - is stdout", false, OPTION_TEXT(output)},
    {"check", 0, NULL, WHAT, "check the model only", false, OPTION_FLAG(check)},
    {"summary", 0, NULL, WHAT,
     "one line a layer: shape, parameters, multiply-adds, bytes kept, what became of it; then memory", false,
     OPTION_FLAG(summary)},
    {"emit", 0, "plan|c|cuda|kernels|graph|dot|dot=kernels|json", WHAT,
     "print on stdout: the plan, kernels as C, as CUDA or of --target, the graph as text, layers or kernels for "
     "graphviz, or all as JSON",
     false, OPTION_CHOICE(enum emit, emit)},
    {"memory-map", 0, "[=FILE.svg]", WHAT,
     "draw the memory plan on the terminal, or as a picture for browsers: time across, addresses up", false,
     OPTION_CALL(map_to, 0, NULL)},
    {"schedule", 0, "[=STEPS|FILE.svg]", WHAT,
     "draw the learning rate over epochs of STEPS steps (100), on the terminal or, given as well, into FILE.svg", false,
     OPTION_CALL(schedule_over, 0, NULL)},
    {"place", 0, "FILE", WHAT, "run the packer alone on a CSV file of id,lower,upper,size", true, OPTION_TEXT(place)},
    {"define", 'D', "NAME=VALUE", HOW, "set a `param` of the model, or an entry as train.optimizer; may be repeated",
     false, OPTION_CALL(add_pair, DEFINE, "-D needs NAME=VALUE, not ")},
    {"memory", 0, "SIZE", HOW, "budget: refuse with exit status 3 what needs more, such as 64MiB", false,
     OPTION_BYTES(memory, "a size such as 64MiB")},
    {"batch", 0, "N", HOW, "batch to judge the budget by, instead of the model's", true,
     OPTION_WHOLE(batch, 1, MAX_ROWS, "a number of samples")},
    {"capacity", 0, "BYTES", HOW, "with --place: exit 3 if the arena is larger", true,
     OPTION_WHOLE(capacity, 0, INT64_MAX, "bytes")},
    {"algorithm", 0, "LAYER=BODY", HOW,
     "write a layer's kernels by another body than the cheapest, such as conv2=plain; -d c shows all", true,
     OPTION_CALL(add_pair, ALGORITHM, "--algorithm needs LAYER=BODY, not ")},
    {"exact", 0, NULL, HOW, "sum the very products that the model means: no transformed ones, such as winograd's",
     false, OPTION_FLAG(exact)},
    {"plain", 0, NULL, HOW, "of --emit=c: each kernel as the loops that it means", false, OPTION_FLAG(plain)},
    {"precision", 0, "fp32|tf32|bf16", HOW, "of --emit=cuda (fp32)", true, OPTION_CHOICE(enum precision, precision)},
    {"target", 0, "TARGET", HOW,
     "one of --targets: whose memory --summary, --memory-map and --memory are about, and kernels (cpu)", false,
     OPTION_TEXT(target)},
    {"flops", 0, "macs|thop|thop-old|fvcore|ptflops|torchinfo|torch|step", HOW,
     "rule of --summary: multiply-adds of Conv and Linear (macs), what another tool counts, or FLOPs of a training step (step)",
     true, OPTION_CHOICE(enum flops, flops)},
    {"dump", 'd', "LETTERS", LOOK, "print the state after these passes on stderr; see --passes", false,
     OPTION_TEXT(dump)},
    {"passes", 0, NULL, LOOK, "list the passes and their letters", false, OPTION_CALL(list_passes, 0, NULL)},
    {"targets", 0, NULL, LOOK, "list what kernels are made for", true, OPTION_CALL(list_targets, 0, NULL)},
    {"ops", 0, NULL, LOOK, "list the ops that graphs are made of", true, OPTION_CALL(list_ops, 0, NULL)},
    {"color", 0, "auto|always|never", LOOK, "colour of messages (auto)", true, OPTION_CHOICE(enum colour, colour)},
    {"version", 0, NULL, LOOK, "name and version", false, OPTION_CALL(version, 0, NULL)},
    {"help", 'h', "[=TOPIC]", LOOK, "this text; --help=all, --help=man (roff), --help=completion (bash)", false,
     OPTION_CALL(help, 0, NULL)},
    {.name = NULL},
};

static const struct option_section sections[] = {
    {"EXIT STATUS", "0 success\n1 the model is wrong\n2 usage\n3 does not fit the budget\n4 file\n70 internal error\n"},
    {NULL, NULL},
};

static const struct option_pair pairs[] = {
    {"batch", "--memory"},  {"capacity", "--place"},
    {"flops", "--summary"}, {"precision", "--emit"},
    {"plain", "--emit"},    {"target", "--summary, --memory-map, --memory or --emit"},
    {NULL, NULL},
};

static const struct option_table table = {
    "netc",
    "compiles a network in the .net language into a plan for netrun",
    "FILE.net [-o FILE.plan] [options]",
    examples,
    rows,
    sections,
    pairs,
    refuse,
};

static int help(void *request, const struct option_effect *e, const char *topic)
{
    (void)request, (void)e;
    return options_help(&table, topic, stdout) ? 0 : usage("no help on ", topic);
}

/* What must, and must not, be there together; argv from `rest` on is the model. */
static int consistent(struct request *r, int argc, char **argv, int rest)
{
    for (const char *d = r->dump; d && *d; d++) {
        bool known = false;
        for (int i = 0; pass_at(i); i++)
            known |= pass_at(i)->letter == *d;
        if (!known)
            return usage("--dump knows the letters of --passes, not ", (char[]){*d, 0});
    }
    if (r->target && !target_find(r->target))
        return usage("--target knows those of --targets, not ", r->target);
    if (r->plain && r->emit != EMIT_C)
        return usage("--plain goes with --emit=c alone", "");
    if (r->target && r->emit != EMIT_NONE && r->emit != EMIT_KERNELS && !r->summary && !r->map && !r->svg &&
        r->memory < 0)
        return usage("--target has no effect on this --emit; its kernels are --emit=kernels --target ", r->target);
    if (r->place)
        return rest == argc ? OPTIONS_GO : usage("--place needs no model: ", argv[rest]);
    if (rest != argc - 1)
        return rest == argc ? usage("no model given", "") : usage("one model at a time, not also ", argv[rest + 1]);
    r->file = argv[rest];
    if (r->check && (r->output || r->emit != EMIT_NONE || r->summary || r->map || r->svg || r->steps))
        return usage("--check prints and writes nothing; leave it out", "");
    if (r->output && !is_stream(r->output) && atomic_destroys(r->output, r->file))
        return usage("the plan would replace the model itself: -o ", r->output);
    if (r->svg && !is_stream(r->svg) && atomic_destroys(r->svg, r->file))
        return usage("the picture would replace the model itself: --memory-map=", r->svg);
    if (r->rates && !is_stream(r->rates) && atomic_destroys(r->rates, r->file))
        return usage("the picture would replace the model itself: --schedule=", r->rates);
    return OPTIONS_GO;
}

int request_read(struct request *r, int argc, char **argv)
{
    *r = (struct request){.emit = EMIT_NONE, .memory = -1, .batch = -1, .capacity = -1};
    int rest, status = options_parse(&table, argc, argv, r, &rest);
    return status == OPTIONS_GO ? consistent(r, argc, argv, rest) : status;
}

void request_free(struct request *r)
{
    for (int p = 0; p < PAIRS; p++)
        for (int i = 0; i < r->npair[p]; i++)
            free((char *)r->pair[p][i].name);
}
