/* count.c: the loops of the counter, a third filling of struct language beside C and CUDA. */
#include "count.h"
#include "language.h"

static void enter(struct writer *w, double times, bool rows)
{
    struct nest *next = &w->counter->next;
    *next = (struct nest){next->times * times, next->most * times, next->rows || rows};
    count_open(w->counter);
}

static void name_ints(struct writer *w, const char *const *name)
{
    for (; *name; name++)
        count_name(w->counter, *name, (struct type){.kind = VALUE_INT});
}

static void open_function(struct writer *w)
{
    enter(w, 1, false);
    name_ints(w, (const char *const[]){"a", "$", "INFINITE", "NOT_A_NUMBER", "CTL_LAST", "CTL_FINITE", NULL});
}

static void operands(struct writer *w)
{
    static const int bytes[] = {4, 1, 4, 4, 8}; /* of enum dtype */
    int list[MAX_STAGES * 2 * MAX_OPERANDS], k = (int)(w->kernel - w->plan->kernel);
    const int n = kernel_operands(w->plan, k, list);
    for (int i = 0; i < n; i++) {
        const enum dtype d = tensor_of(w, list[i])->dtype;
        count_name(
            w->counter, name_of(w, list[i]),
            (struct type){.kind = VALUE_POINTER, .element = d == DT_F32 ? VALUE_SCALAR : VALUE_INT, .bytes = bytes[d]});
    }
    uint32_t stream[MAX_STAGES];
    const int streams = kernel_streams(w->plan, k, stream);
    for (int i = 0; i < streams; i++)
        name_ints(w, (const char *const[]){region_printf(w->region, "stream%d", i), NULL});
}

/* A vector of samples is one of `lanes` for each of them. */
static void samples(struct writer *w)
{
    enter(w, 1. / w->lanes, true);
    name_ints(w, (const char *const[]){"block", "part", "lane", NULL});
}

static void tasks(struct writer *w, int blocks_per_task, int splits)
{
    (void)blocks_per_task, (void)splits;
    samples(w);
}

static void elements(struct writer *w, int64_t n, int splits)
{
    (void)splits;
    samples(w);
    enter(w, (double)n, false);
    name_ints(w, (const char *const[]){"e", NULL});
}

static void image(struct writer *w, int64_t C, int64_t P, int64_t Q)
{
    samples(w);
    enter(w, (double)C * (double)P * (double)Q, false);
    name_ints(w, (const char *const[]){"c", "p", "q", NULL});
}

static void share(struct writer *w, int64_t n)
{
    struct counter *c = w->counter;
    c->next.times *= (double)n;
    c->next.most *= (double)n;
    name_ints(w, (const char *const[]){"e", NULL});
}

static void values(struct writer *w, const char *name, int64_t n, int splits)
{
    (void)splits;
    enter(w, (double)n, false);
    name_ints(w, (const char *const[]){name, NULL});
}

static void team(struct writer *w)
{
    enter(w, w->splits, false);
    name_ints(w, (const char *const[]){"c", NULL});
}

static void terms(struct writer *w, int64_t places)
{
    samples(w);
    enter(w, (double)places, false);
    name_ints(w, (const char *const[]){"e", "live", NULL});
}

static void row_maps(struct writer *w, const struct tensor *t)
{
    elements(w, tensor_elements(t), 1);
    name_ints(w, (const char *const[]){"c", NULL});
    put_maps(w, 0, w->kernel->nstage, "block", "e", "c");
    put(w, "}");
    put(w, "}");
}

/* Lanes are neighbouring values. */
static void value_maps(struct writer *w, int64_t n)
{
    enter(w, (double)n / w->lanes, false);
    name_ints(w, (const char *const[]){"e", "lane", NULL});
    put_maps(w, 0, w->kernel->nstage, "0", "e", NULL);
    put(w, "}");
}

static const struct language counting = {
    .put_line = count_line,
    .open_kernel = open_function,
    .put_operands = operands,
    .open_tasks = tasks,
    .task_loops = 1,
    .open_elements = elements,
    .open_image = image,
    .open_rows = samples,
    .open_share = share,
    .parts = 1,
    .open_values = values,
    .open_team = team,
    .team_loops = 1,
    .open_terms = terms,
    .first = "0",
    .step = "%s++",
    .put_row_maps = row_maps,
    .put_value_maps = value_maps,
};
static const struct target counter_target = {.name = "counter", .language = &counting};

void put_times(struct writer *w, double times, double most)
{
    if (w->counter) {
        w->counter->told = times;
        w->counter->told_most = most;
    }
}

bool count_kernel(const struct writer *w, struct count *to)
{
    struct writer own = *w;
    *to = (struct count){0};
    struct counter c = {.to = to, .writer = &own, .known = true, .told = -1, .nest = {{1, 1, false}}};
    c.next = c.nest[0];
    own.region = region_new();
    own.target = &counter_target;
    own.out = NULL;
    own.nlaunch = 0;
    own.lanes = w->kernel->stage->op->scalar ? 1 : ROW_BLOCK;
    own.counter = &c;
    put_plain_kernel(&own);
    region_free(own.region);
    return own.nlaunch == 1 && c.known && c.depth == 0;
}
