/* plan_read.c: text that may come from anybody -> a plan that can be trusted. Every index is within its range and every
 * count bounded when plan_check and plan_judge look at what the plan means. */
#include "plan_scan.h"
#include "plan_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static int64_t labelled(struct reader *r, const char *label, int64_t most)
{
    scan_keyword(r, label);
    return scan_integer(r, label, 0, most);
}

static int64_t line_with(struct reader *r, const char *label, int64_t most)
{
    scan_line(r, label);
    int64_t x = labelled(r, label, most);
    scan_end(r);
    return x;
}

static void read_head(struct reader *r, struct plan *p)
{
    scan_line(r, "net");
    scan_keyword(r, "net");
    p->net = scan_name(r, "the name of the net", plan_identifier_valid);
    scan_end(r);
    scan_line(r, "file");
    scan_keyword(r, "file");
    p->file = scan_string(r, "the name of the source file");
    scan_end(r);
    p->params = line_with(r, "params", INT64_MAX);
    p->macs = line_with(r, "macs", INT64_MAX);
    p->persistent = line_with(r, "persistent", MAX_BYTES);
}

static void read_source(struct reader *r, struct plan *p)
{
    scan_line(r, "source");
    int64_t lines = r->source_lines = labelled(r, "source", MAX_SOURCE);
    scan_keyword(r, "lines");
    int64_t bytes = scan_integer(r, "the bytes of the source", 0, MAX_SOURCE);
    scan_keyword(r, "bytes");
    scan_keyword(r, "hash");
    p->source_hash = scan_hash(r);
    scan_end(r);
    if (bytes > r->end - r->at)
        scan_fail(r, "a source of %" PRId64 " bytes does not fit into the rest of the file", bytes);
    if (r->failed)
        return;
    int line = r->line;
    p->source = region_alloc(r->region, (size_t)bytes + 1, 1);
    int64_t at = 0;
    for (int64_t i = 0; i < lines && !r->failed; i++) {
        scan_raw_line(r, "a line of the source");
        int64_t n = r->eol - r->at - 2;
        if (n < 0 || memcmp(r->at, "| ", 2) || n > bytes - at) {
            scan_fail(r, "expected `| ` and a line of the source, %" PRId64 " bytes in all", bytes);
            return;
        }
        memcpy(p->source + at, r->at + 2, (size_t)n);
        at += n;
        if (at < bytes)
            p->source[at++] = '\n';
        else if (i + 1 < lines)
            scan_fail(r, "the source is longer than its %" PRId64 " bytes", bytes);
    }
    r->at = r->eol;
    if (at != bytes)
        scan_fail(r, "the source of line %d has %" PRId64 " bytes, not %" PRId64, line, at, bytes);
    if (!r->failed && XXH3_64bits(p->source, (size_t)bytes) != p->source_hash)
        scan_fail(r, "the source of line %d does not have the hash that stands there", line);
}

static int by_key(const void *a, const void *b)
{
    const struct setting *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

static void read_settings(struct reader *r, struct plan *p)
{
    static const char *const kinds[] = {"free", "graph"};
    int numbers = 0, n = scan_section(r, "settings", MAX_SETTINGS, 8);
    p->setting = region_alloc(r->region, (size_t)n + 1, sizeof *p->setting);
    const struct setting **sorted = region_alloc(r->region, (size_t)n + 1, sizeof *sorted);
    for (int i = 0; i < n && !r->failed; i++) {
        struct setting *s = &p->setting[i];
        scan_line(r, "a setting");
        s->graph = scan_choice(r, "free or graph", kinds, 2);
        s->key = scan_name(r, "the key of a setting", plan_name_valid);
        if (scan_more(r) && *r->at == '"')
            s->text = scan_string(r, "the word of a setting");
        while (scan_more(r)) {
            if (numbers++ == MAX_NUMBERS) {
                scan_fail(r, "more than %d numbers in settings", MAX_NUMBERS);
                return;
            }
            region_grow(r->region, s->num, s->n);
            s->num[s->n++] = scan_number_of(r, scan_token(r, "a number"), "a finite number");
        }
        sorted[i] = s;
    }
    if (r->failed)
        return;
    p->nsetting = n;
    qsort(sorted, (size_t)n, sizeof *sorted, by_key);
    for (int i = 1; i < n; i++)
        if (!strcmp(sorted[i - 1]->key, sorted[i]->key))
            scan_fail(r, "two settings are called %s", sorted[i]->key);
}

/* One that this program can make schedules for. */
static const struct target *read_target(struct reader *r)
{
    const char *name[MOST_TARGETS + 1] = {NULL};
    int n = 0;
    while (n < MOST_TARGETS && target_planned(n)) {
        name[n] = target_planned(n)->name;
        n++;
    }
    return target_planned(scan_choice(r, "a target, such as cpu or cuda", name, n));
}

static void read_schedules(struct reader *r, struct plan *p)
{
    p->nschedule = scan_section(r, "schedules", MOST_SCHEDULES, 40);
    p->schedule = region_alloc(r->region, (size_t)p->nschedule + 1, sizeof *p->schedule);
    for (int i = 0; i < p->nschedule && !r->failed; i++) {
        struct schedule *s = &p->schedule[i];
        scan_line(r, "a schedule");
        scan_integer(r, "the number of the schedule", i, i);
        s->target = read_target(r);
        s->phase = (enum phase)scan_choice(r, "train, evaluate or predict", phase_word, PHASE_COUNT);
        s->fixed = labelled(r, "fixed", MAX_BYTES);
        s->parts = labelled(r, "parts", MAX_BYTES);
        s->per_row = labelled(r, "per_row", MAX_ROW_BYTES);
        s->bound_per_row = labelled(r, "bound", MAX_ROW_BYTES);
        s->peak_step = (int)labelled(r, "peak", MAX_KERNELS);
        s->first_kernel = (int)labelled(r, "kernels", MAX_KERNELS);
        s->last_kernel = (int)scan_integer(r, "the end of the kernels", 0, MAX_KERNELS);
        scan_end(r);
    }
}

static void read_shape(struct reader *r, struct tensor *t)
{
    static const char what[] = "a shape such as Nx16x28x28, 10 or scalar";
    struct token whole = scan_token(r, what), rest = whole;
    if (scan_is(whole, "scalar") || r->failed)
        return;
    t->rows = rest.size && *rest.text == 'N';
    if (t->rows)
        rest = (struct token){rest.text + 1, rest.size - 1};
    while (rest.size && !r->failed) {
        if (t->rows || t->rank) {
            if (*rest.text != 'x')
                break;
            rest = (struct token){rest.text + 1, rest.size - 1};
        }
        const char *x = rest.size ? memchr(rest.text, 'x', rest.size) : NULL;
        struct token dim = {rest.text, x ? (size_t)(x - rest.text) : rest.size};
        if (t->rank == MAX_RANK)
            break;
        t->dim[t->rank++] = scan_integer_of(r, dim, "a dimension", 1, MAX_BYTES);
        rest = (struct token){rest.text + dim.size, rest.size - dim.size};
    }
    int64_t elements = tensor_elements(t);
    if (rest.size || elements < 0 || elements > MAX_BYTES)
        scan_expected(r, whole, what);
}

static const struct layout *read_layout(struct reader *r)
{
    const char *name[MOST_LAYOUTS];
    int n = 0;
    for (; layout_at(n); n++)
        name[n] = layout_at(n)->name;
    return layout_at(scan_choice(r, "a layout, such as plain or block", name, n));
}

static void read_tensor(struct reader *r, int i, struct tensor *t)
{
    scan_line(r, "a tensor");
    scan_integer(r, "the number of the tensor", i, i);
    t->name = scan_name(r, "a name of letters, digits and _.:@+-", plan_name_valid);
    t->role = (enum role)scan_choice(r, "the role of a tensor", role_word, ROLE_COUNT);
    t->dtype = (enum dtype)scan_choice(r, "the type of the elements", dtype_word, DT_COUNT);
    t->layout = read_layout(r);
    read_shape(r, t);
    if (!t->rows && t->layout != &layout_plain)
        scan_fail(r, "only rows of a batch can be in layout %s", t->layout->name);
    if (!t->rows)
        t->layout = NULL;
    t->schedule = (int)scan_optional(r, "the schedule of the tensor", -1, r->plan->nschedule - 1);
    t->base = (int)scan_optional(r, "the base of the tensor", -1, r->plan->ntensor - 1);
    t->at = scan_optional(r, "the place within the base", 0, MAX_BYTES);
    t->bytes = scan_integer(r, "the bytes of the tensor", 1, MAX_BYTES);
    t->offset = scan_optional(r, "the offset of the tensor", 0, MAX_BYTES);
    t->first = (int)scan_integer(r, "the first step of its life", 0, MAX_KERNELS);
    t->last = (int)scan_integer(r, "the end of its life", t->first, MAX_KERNELS);
    t->line = (int)scan_integer(r, "a line of the source", 0, r->source_lines);
    t->init = (enum init)scan_choice(r, "how its values begin: zero, one, uniform", init_word, INIT_COUNT);
    t->bound = scan_number_of(r, scan_token(r, "the bound of the first values"), "a finite number");
    t->fan_in = (int)scan_integer(r, "the fan-in", 0, INT32_MAX);
    scan_end(r);
}

static int by_name(const void *a, const void *b)
{
    const struct tensor *x = *(const struct tensor *const *)a, *y = *(const struct tensor *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->schedule > y->schedule) - (x->schedule < y->schedule);
}

static void read_tensors(struct reader *r, struct plan *p)
{
    int n = p->ntensor = scan_section(r, "tensors", MAX_TENSORS, 40);
    p->tensor = region_alloc(r->region, (size_t)n + 1, sizeof *p->tensor);
    const struct tensor **sorted = region_alloc(r->region, (size_t)n + 1, sizeof *sorted);
    for (int i = 0; i < n && !r->failed; i++) {
        read_tensor(r, i, &p->tensor[i]);
        sorted[i] = &p->tensor[i];
    }
    if (r->failed)
        return;
    qsort(sorted, (size_t)n, sizeof *sorted, by_name);
    for (int i = 1; i < n; i++) {
        const struct tensor *a = sorted[i - 1], *b = sorted[i];
        if (!strcmp(a->name, b->name) && a->schedule == b->schedule)
            scan_fail(r, "two tensors of one schedule are called %s", a->name);
    }
}

/* Tensor numbers up to the word `until`. */
static int *read_operands(struct reader *r, int *n, const char *until)
{
    int list[MAX_OPERANDS];
    for (*n = 0;;) {
        struct token t = scan_token(r, until);
        if (r->failed || scan_is(t, until))
            break;
        if (*n == MAX_OPERANDS)
            scan_fail(r, "more than %d tensors in a row, expected `%s`", MAX_OPERANDS, until);
        else
            list[(*n)++] = (int)scan_integer_of(r, t, "the number of a tensor", 0, r->plan->ntensor - 1);
    }
    int *copy = region_alloc(r->region, (size_t)*n, sizeof *copy);
    return memcpy(copy, list, (size_t)*n * sizeof *copy);
}

static void read_algorithm(struct reader *r, struct stage *s)
{
    if (!scan_more(r))
        return;
    scan_keyword(r, "by");
    struct token t = scan_token(r, "the name of a body");
    char *name = region_alloc(r->region, t.size + 1, 1);
    memcpy(name, t.text, t.size);
    if (op_knows(s->op, name))
        s->algorithm = name;
    else
        scan_expected(r, t, "a body that this version knows");
}

static void read_stage(struct reader *r, struct stage *s)
{
    scan_line(r, "a stage");
    struct token t = scan_token(r, "an op");
    char op[MAX_TENSOR_NAME + 1] = "";
    if (t.size <= MAX_TENSOR_NAME)
        memcpy(op, t.text, t.size);
    s->op = op_find(op);
    if (!s->op) {
        scan_expected(r, t, "an op that this version knows");
        return;
    }
    const int nattr = op_attrs(s->op);
    s->attr = region_alloc(r->region, (size_t)nattr, sizeof *s->attr);
    for (int i = 0; i < nattr && !r->failed; i++) {
        struct token a = scan_token(r, s->op->attr[i]);
        size_t n = strlen(s->op->attr[i]);
        if (a.size <= n || memcmp(a.text, s->op->attr[i], n) || a.text[n] != '=')
            scan_expected(r, a, s->op->attr[i]);
        else
            s->attr[i] = scan_number_of(r, (struct token){a.text + n + 1, a.size - n - 1}, s->op->attr[i]);
    }
    scan_keyword(r, "in");
    s->in = read_operands(r, &s->nin, "out");
    s->out = read_operands(r, &s->nout, "line");
    s->line = (int)scan_integer(r, "a line of the source", 0, r->source_lines);
    read_algorithm(r, s);
    scan_end(r);
    if (s->op->nin < 0 ? s->nin < 1 : s->nin != s->op->nin)
        scan_fail(r, "op %s with %d inputs", s->op->name, s->nin);
    if (s->nout != s->op->nout)
        scan_fail(r, "op %s with %d outputs", s->op->name, s->nout);
}

static void read_kernels(struct reader *r, struct plan *p)
{
    p->nkernel = scan_section(r, "kernels", MAX_KERNELS, 40);
    p->kernel = region_alloc(r->region, (size_t)p->nkernel + 1, sizeof *p->kernel);
    for (int i = 0; i < p->nkernel && !r->failed; i++) {
        struct kernel *k = &p->kernel[i];
        scan_line(r, "a kernel");
        scan_keyword(r, "kernel");
        scan_integer(r, "the number of the kernel", i, i);
        k->name = scan_name(r, "the name of the kernel", plan_identifier_valid);
        scan_keyword(r, "schedule");
        k->schedule = (int)scan_integer(r, "the schedule of the kernel", 0, p->nschedule - 1);
        scan_keyword(r, "stages");
        k->nstage = (int)scan_integer(r, "the number of stages", 1, MAX_STAGES);
        scan_end(r);
        k->stage = region_alloc(r->region, (size_t)k->nstage, sizeof *k->stage);
        for (int j = 0; j < k->nstage && !r->failed; j++)
            read_stage(r, &k->stage[j]);
    }
}

static void read_all(struct reader *r, size_t length)
{
    const char *zero = length ? memchr(r->at, 0, length) : NULL;
    scan_raw_line(r, "netc-plan");
    scan_keyword(r, "netc-plan");
    int64_t version = scan_integer(r, "the version of the plan", 0, INT32_MAX);
    if (version != PLAN_VERSION)
        scan_fail(r, "a plan of version %" PRId64 ", and this program reads version %d: make it again with netc",
                  version, PLAN_VERSION);
    scan_end(r);
    scan_raw_line(r, "checksum");
    scan_keyword(r, "checksum");
    uint64_t sum = scan_hash(r);
    scan_end(r);
    if (zero)
        scan_fail(r, "byte %zu is zero", (size_t)(zero - (r->end - length)));
    const char *body = r->eol + (r->eol < r->end);
    if (!r->failed && XXH3_64bits(body, (size_t)(r->end - body)) != sum)
        scan_fail(r, "the checksum is not that of the lines below it: the file was changed or is damaged");
    read_head(r, r->plan);
    read_source(r, r->plan);
    read_settings(r, r->plan);
    read_schedules(r, r->plan);
    read_tensors(r, r->plan);
    read_kernels(r, r->plan);
    scan_line(r, "end");
    scan_keyword(r, "end");
    scan_end(r);
    if (!r->failed && r->eol + 1 < r->end)
        scan_fail(r, "the file goes on after `end`");
}

struct plan *plan_read(const char *text, size_t length, struct plan_error *e)
{
    *e = (struct plan_error){0};
    struct region *region = region_new();
    struct plan *p = region_alloc(region, 1, sizeof *p);
    p->region = region;
    struct reader r = {.at = text, .eol = text, .end = text + length, .plan = p, .region = region, .error = e};
    read_all(&r, length);
    if (!r.failed)
        plan_link(p);
    if (!r.failed && plan_check(p, e) && plan_judge(p, e))
        return p;
    plan_free(p);
    return NULL;
}
