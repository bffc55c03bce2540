/* limits: writes networks at every limit of compiler/bounds.h and of the words' arguments, and beyond them, into a
 * folder. tests/cli/limits.sh reads in their first lines what is expected:
 *
 *     # runs            netc accepts it; netrun reads, arms and runs it on every device
 *     # reads           the same, but it may be too large for the memory
 *     # either          netc may refuse it; if not, as `reads` on the CPU, and the training may diverge
 *     # refused TEXT    netc says TEXT of a line that ends in `# here`, or of the file if there is none */
#include "front/build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* `$N` is the number, `$` before a text in backquotes repeats it so many times, `$7` seven times; `@` counts them from
 * 1 and `^` from 0. Up to `end`. */
static void put_template(FILE *out, const char *t, const char *end, int64_t n, int64_t index)
{
    for (; t < end; t++) {
        char *after;
        int64_t count = *t == '$' ? strtoll(t + 1, &after, 10) : 0;
        if (*t == '$' && t[1] == 'N') {
            fprintf(out, "%lld", (long long)n);
            t++;
        } else if (*t == '$') {
            const char *text = after + 1, *close = strchr(text, '`');
            count = after > t + 1 ? count : n;
            for (int64_t i = 1; i <= count; i++)
                put_template(out, text, close, n, i);
            t = close;
        } else if (index >= 0 && (*t == '@' || *t == '^'))
            fprintf(out, "%lld", (long long)(index - (*t == '^')));
        else
            putc(*t, out);
    }
}

static const char *folder;

static void write_net(const char *name, const char *part, const char *expected, const char *says, const char *template,
                      int64_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s.net", folder, name, part);
    FILE *out = fopen(path, "w");
    if (!out) {
        perror(path);
        exit(4);
    }
    fprintf(out, "# %s%s%s\n", expected, says ? " " : "", says ? says : "");
    put_template(out, template, template + strlen(template), n, -1);
    if (fclose(out)) {
        perror(path);
        exit(4);
    }
}

/* ---- limits of the language ---- */

#define TARGET "target t : class[2]\n"
#define HEAD "net limits\ninput x : f32[2]\n" TARGET
#define IMAGE(shape) "net limits\ninput x : f32[" shape "]\n" TARGET
#define XOR "data { samples = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]] }\n"
#define SAMPLES "samples = [[$256`1, -1, `0], [$256`0, 0.5, `1]]"
#define DRAWN "data { " SAMPLES " }\n"
#define TRAIN(more)                                                                                                    \
    "output y\ntrain { loss = CrossEntropy(y, t)\noptimizer = SGD(lr = 0.1, momentum = 0.5)\n" more "}\n"
#define TAIL XOR TRAIN("batch = 4\n")
#define LINEAR "y = x -> Linear(2)\n"
/* clang-format off */
#define BLOCK(name, body) "block " name "() {\ninput i\no = " body "\noutput o\n}\n"
/* clang-format on */

static const struct row {
    const char *name;
    int64_t at, beyond; /* beyond 0: there is none */
    const char *expected, *says, *text;
} rows[] = {
    {"net_name", MAX_NAME, MAX_NAME + 1, "runs", "this name is too long",
     "net $`n` # here\ninput x : f32[2]\n" TARGET LINEAR TAIL},
    {"input_name", MAX_NAME, MAX_NAME + 1, "runs", "this name is too long",
     "net limits\ninput $`n` : f32[2] # here\n" TARGET "y = $`n` -> Linear(2)\n" TAIL},
    {"value_name", MAX_NAME, MAX_NAME + 1, "runs", "this name is too long",
     HEAD "$`n` = x -> Linear(2) # here\ny = $`n` -> ReLU\n" TAIL},
    {"param_name", MAX_NAME, MAX_NAME + 1, "runs", "this name is too long",
     HEAD "param $`n` = 2 # here\ny = x -> Linear($`n`)\n" TAIL},
    {"label_name", MAX_NAME, MAX_NAME + 1, "runs", "this name is too long",
     HEAD "y = x -> $`n`: Linear(2) # here\n" TAIL},
    {"block_name", MAX_NAME, MAX_NAME + 1, "runs", "this name is too long",
     HEAD "block $`n`() { # here\ninput i\no = i -> Linear(2)\noutput o\n}\ny = x -> $`n`\n" TAIL},
    {"path", MAX_PATH - 419, MAX_PATH - 418, "runs", "the name of this layer's `running_mean` has",
     HEAD BLOCK("inner", "i -> b: BatchNorm -> c: Linear(2) # here") BLOCK("outer", "i -> $`n`: inner")
         BLOCK("p", "i -> $100`n`: outer") BLOCK("q", "i -> $100`n`: p")
             BLOCK("r", "i -> $100`n`: q") "y = x -> $100`n`: r\n" TAIL},
    {"nesting", MAX_NESTING, MAX_NESTING + 1, "runs", "nested too deeply",
     HEAD "param p = $`(`2$`)` # here\n" LINEAR TAIL},
    {"tree", MAX_TREE - 1, MAX_TREE, "runs", "more than 1000 levels",
     HEAD "param p = 1$` + 1` # here\ny = x -> Linear(p) -> Linear(2)\n" TAIL},
    {"declarations", MAX_NAMES - 7, MAX_NAMES - 6, "runs", "more than 10000 declarations",
     "net limits # here\ninput x : f32[2]\n" TARGET "param p0 = 2\n$`param p@ = p^\n`" LINEAR TAIL},
    {"block_lines", MAX_NAMES - 3, MAX_NAMES - 2, "runs", "more than 10000 lines",
     HEAD "block b() { # here\ninput i\n$`v@ = i\n`o = i -> Linear(2)\noutput o\n}\ny = x -> b\n" TAIL},
    {"depth", MAX_DEPTH - 1, MAX_DEPTH, "runs", "nested more than 40 deep",
     HEAD BLOCK("b0",
                "i -> Linear(2)") "$`block b@() {\ninput i\no = i -> b^ # here\noutput o\n}\n`y = x -> b$N\n" TAIL},
    {"layers", MAX_LAYERS - 2, MAX_LAYERS - 1, "runs", "more than 20000 layers",
     HEAD "y = x -> Linear(2) -> repeat($N, Flatten) # here\n" TAIL},
    {"sums", 22, 23, "runs", "more than 20000 layers",
     HEAD BLOCK("s", "i$900` + i` # here") "y = x -> repeat($N, s) -> Linear(2)\n"
                                           "data { samples = [[0, 0, 0], [0, 0, 1]] }\n" TRAIN("batch = 2\n")},
    {"kernels", 835, 0, "runs", NULL,
     HEAD BLOCK("b", "i -> Linear(2) -> ReLU") "y = x -> repeat($N, b) -> Linear(2)\n" TAIL},
    {"rank", MAX_RANK - 1, MAX_RANK, "runs", "a shape has 1 to 4 sizes",
     "net limits\ninput x : f32[$`1, `2] # here\n" TARGET "y = x -> Flatten -> Linear(2)\n" TAIL},
    {"side", MAX_SIDE, MAX_SIDE + 1, "reads", "a size is an integer",
     "net limits\ninput x : f32[$N] # here\n" TARGET LINEAR TRAIN()},
    {"sample", MAX_SIDE / 4096, MAX_SIDE / 4096 + 1, "reads", "one sample has more than",
     "net limits\ninput x : f32[4096, $N] # here\n" TARGET "y = x -> Flatten -> Linear(2)\n" TRAIN()},
    {"classes", MAX_SIDE, MAX_SIDE + 1, "reads", "the number of classes is an integer",
     "net limits\ninput x : f32[2]\ntarget t : class[$N] # here\ny = x -> Linear($N)\n" TRAIN()},
    {"elements", MAX_ELEMENTS >> 24, (MAX_ELEMENTS >> 24) + 1, "reads",
     "has more than 2147483647 values for one sample",
     IMAGE("1, 4096, 4096") "y = x -> Conv($N, 1) -> GlobalAvgPool -> Flatten -> Linear(2) # here\n" TRAIN()},
    {"flatten", 2, 3, "reads", "Flatten makes a vector of",
     IMAGE("1, 4096, 2048") "y = x -> Conv($N, 1) -> Flatten -> Linear(2) # here\n" TRAIN()},
    {"concat", MAX_SIDE / 2, MAX_SIDE / 2 + 1, "reads", "Concat makes",
     IMAGE("$N") "z = Concat(x, x) # here\ny = z -> Linear(2)\n" TRAIN()},
    {"weights", MAX_WEIGHTS / MAX_SIDE, MAX_WEIGHTS / MAX_SIDE + 1, "reads", "has more than 1099511627776 values",
     HEAD "y = x -> Linear(16777216) -> Linear($N) -> Linear(2) # here\n" TRAIN()},
    {"terms", 1, 2, "reads", "each of its sums has more than",
     IMAGE("16777216, 1, 1") "y = x -> Conv(1, [$N, 64], pad = 32) -> Flatten -> Linear(2) # here\n" TRAIN()},
    {"kernel_rows", INT32_MAX >> 16, (INT32_MAX >> 16) + 1, "reads", "have more than 2147483647 rows",
     IMAGE("65536, 1, 1") "y = x -> Conv($N, 1) -> Flatten -> Linear(2) # here\n" TRAIN()},
    {"group", 2, 0, "reads", NULL, HEAD "y = x -> Linear(50000)$` -> Linear(50000)` -> Linear(2)\n" TRAIN()},
    {"bytes", 15, 16, "reads", "bytes of parameters and optimizer",
     HEAD "y = x -> Linear(16777216)$` -> Linear(65536) -> Linear(16777216)` -> Linear(2) # here\n" TRAIN()},
    {"row_bytes", 9, 60, "reads", "bytes for each sample",
     IMAGE(
         "1, 4096, 4096") "y = x$` -> Conv(127, 1) -> Tanh` -> GlobalAvgPool -> Flatten -> Linear(2) # here\n" TRAIN()},
    {"operands", MAX_OPERANDS - 1, MAX_OPERANDS, "runs", "takes at most 12 values",
     HEAD "z = Concat(x$`, x`) # here\ny = z -> Linear(2)\n" TAIL},
    {"metrics", MAX_METRICS - 1, MAX_METRICS, "runs", "at most 8 metrics",
     "net limits\ninput x : f32[2]\ntarget t : class[16]\ny = x -> Linear(16)\n" XOR TRAIN(
         "metrics = [Accuracy$`, TopK(@)`] # here\n")},
    {"transforms", MAX_METRICS - 1, MAX_METRICS, "runs", "at most 8 transforms",
     HEAD LINEAR "data { transform = [Scale(1)$`, Scale(1)`] # here\nsamples = [[0, 0, 0], [0, 1, 1]] }\n" TRAIN()},
    {"rows", MAX_ROWS, MAX_ROWS + 1, "runs", "`batch` is an integer", HEAD LINEAR XOR TRAIN("batch = $N # here\n")},
    {"test_rows", MAX_ROWS, MAX_ROWS + 1, "runs", "`evaluation_batch` is an integer",
     HEAD LINEAR XOR TRAIN("evaluation_batch = $N # here\n")},
    {"numbers", MAX_NUMBERS / 1000 - 2, MAX_NUMBERS / 1000 - 1, "runs", "more than 1000000 numbers",
     IMAGE("999") "param r = [$999`1, `0]\n" LINEAR "data { samples = [r$`, r`] # here\n}\n" TRAIN("batch = 16\n")},
    {"floats", 0, 1, "runs", "a sample holds 32-bit floats",
     HEAD LINEAR "data { transform = Scale(1e-38)\nsamples = [[3.4028234e38, 0, 0], [-3.4028234e38, 0, 1]$`, [0, "
                 "3.41e38, 0]`] # here\n}\n" TRAIN()},
    {"class", 0, 1, "runs", "is a class from 0 to 1",
     HEAD "param r = [0, 1, 1]\nparam s = [0, 1, 2]\n" LINEAR "data { samples = [r$`, s`] # here\n}\n" TRAIN()},
    {"sweep", MAX_NAMES - 7, 0, "runs", NULL,
     HEAD "$`param p@ = 1\n`" LINEAR TAIL "sweep {\n$`p@ = [1, 2]\n`train.seed = [1, 2]\n}\n"},
    {"sweep_twice", 0, 1, "runs", "is set twice",
     HEAD LINEAR TAIL "sweep {\ntrain.seed = [1, 2]\n$`train.seed = [3] # here\n`}\n"},
    {"source", MAX_SOURCE - 1000, MAX_SOURCE, "runs", "more than 16 MiB", "# $`x`\n" HEAD LINEAR TAIL},
};

/* ---- limits of the words' arguments ---- */

/* Where a word stands: `%s` is the call. */
static const char *const place[] = {
    [WORD_LAYER] = "y = x -> %s  -> Flatten -> Linear(2)\n" DRAWN TRAIN(),
    [WORD_LOSS] = "y = x -> Flatten -> Linear(2)\n" DRAWN "output y\ntrain { optimizer = Adam\nloss = %s }\n",
    [WORD_OPTIMIZER] =
        "y = x -> Flatten -> Linear(2)\n" DRAWN "output y\ntrain { loss = CrossEntropy(y, t)\noptimizer = %s }\n",
    [WORD_SCHEDULE] = "y = x -> Flatten -> Linear(2)\n" DRAWN TRAIN("schedule = %s\n"),
    [WORD_TRANSFORM] = "y = x -> Flatten -> Linear(2)\ndata { transform = %s\n" SAMPLES " }\n" TRAIN(),
    [WORD_AUGMENT] = "y = x -> Flatten -> Linear(2)\ndata { augment = %s\n" SAMPLES " }\n" TRAIN(),
    [WORD_METRIC] = "y = x -> Flatten -> Linear(2)\n" DRAWN TRAIN("metrics = %s\n"),
    [WORD_SAVE] = "y = x -> Flatten -> Linear(2)\n" DRAWN TRAIN("save = %s\n"),
    [WORD_CLIP] = "y = x -> Flatten -> Linear(2)\n" DRAWN TRAIN("clip = %s\n"),
    [WORD_STOP] = "y = x -> Flatten -> Linear(2)\n" DRAWN TRAIN("stop = %s\n"),
    [WORD_SAMPLING] = "y = x -> Flatten -> Linear(2)\ndata { sampling = %s\n" SAMPLES " }\n" TRAIN(),
    [WORD_SOURCE] = "y = x -> Flatten -> Linear(2)\ndata { train = %s }\n" TRAIN(),
};

/* The word with argument i at x, and what else it cannot do without. */
static const char *call_text(struct region *r, const struct word *w, int i, double x)
{
    const char *text = w->kind == WORD_LOSS ? "y, t" : "";
    for (int k = 0; k < arg_count(w); k++) {
        const struct arg *a = &w->arg[k];
        bool pair = a->type == ARG_PAIR && a->otherwise != floor(a->otherwise);
        if (a->type == ARG_VALUE || (k != i && !a->required))
            continue;
        const char *comma = *text ? ", " : "";
        if (k == i && pair)
            text = region_printf(r, "%s%s%s = [%.17g, %.17g]", text, comma, a->name, x, x);
        else
            text = region_printf(r, "%s%s%s = %.17g", text, comma, a->name, k == i ? x : 1);
    }
    return region_printf(r, "%s(%s) # here\n", w->name, text);
}

static void write_argument(struct region *r, const struct word *w, int i, const char *part, const char *expected,
                           double x)
{
    const struct arg *a = &w->arg[i];
    const char *says = *expected == 'r' ? region_printf(r, "`%s` of `%s` is", a->name, w->name) : NULL;
    const char *before = w->kind == WORD_LAYER && !strcmp(w->name, "Linear") ? "Flatten -> " : "";
    const char *call = call_text(r, w, i, x),
               *text = region_printf(r, place[w->kind], region_printf(r, "%s%s", before, call));
    write_net(region_printf(r, "%s.%s", w->name, a->name), part, expected, says,
              region_printf(r, IMAGE("2, 16, 16") "%s", text), 0);
}

static void write_words(void)
{
    struct region *r = region_new();
    for (int k = 0; word_at(k); k++)
        for (int i = 0; i < arg_count(word_at(k)); i++) {
            const struct arg *a = &word_at(k)->arg[i];
            bool any = a->min == 0 && a->max == 0, whole = a->type == ARG_INT || a->type == ARG_INTS ||
                                                           (a->type == ARG_PAIR && a->otherwise == floor(a->otherwise));
            if (a->type == ARG_VALUE || a->type == ARG_BOOL || a->type >= ARG_INIT)
                continue;
            write_argument(r, word_at(k), i, "least", "either", any ? -1e30 : a->min);
            write_argument(r, word_at(k), i, "most", "either", any ? 1e30 : a->max);
            if (any)
                continue;
            write_argument(r, word_at(k), i, "below", "refused", whole ? a->min - 1 : nextafter(a->min, -INFINITY));
            write_argument(r, word_at(k), i, "above", "refused", whole ? a->max + 1 : nextafter(a->max, INFINITY));
        }
    region_free(r);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: limits FOLDER\n", stderr);
        return 2;
    }
    folder = argv[1];
    for (const struct row *r = rows; r < rows + COUNT(rows); r++) {
        write_net(r->name, "at", r->expected, NULL, r->text, r->at);
        if (r->beyond)
            write_net(r->name, "beyond", "refused", r->says, r->text, r->beyond);
    }
    write_words();
    return 0;
}
