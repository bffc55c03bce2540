/* summary.c: a table of the layers and of the memory, as people read it. Exact numbers are in --emit=json. */
#include "layers.h"
#include "base/options.h"
#include "plan/plan_text.h"

#include <string.h>

enum { COLUMNS = 8, NAME_MOST = 32, LABEL_MOST = 24 };

struct table {
    struct region *region;
    const char *left; /* of each column: 'l' or 'r', the side it stands on */
    int ncolumn, nrow;
    const char *(*row)[COLUMNS];
};

const char *grouped(struct region *r, int64_t n)
{
    char digits[24], text[40];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)n), to = 0;
    for (int i = 0; i < length; i++) {
        if (i && digits[i - 1] != '-' && (length - i) % 3 == 0)
            text[to++] = ',';
        text[to++] = digits[i];
    }
    text[to] = 0;
    return n ? region_copy(r, text) : "-";
}

static const char *bytes(struct region *r, int64_t n)
{
    char text[32];
    return region_copy(r, n < 0 ? "-" : bytes_text(n, text, sizeof text));
}

/* The end of a path says more than its beginning. */
static const char *shortened(struct region *r, const char *text, size_t most)
{
    size_t n = strlen(text);
    return n <= most ? text : region_printf(r, "...%s", text + n - most + 3);
}

static const char **add_row(struct table *t)
{
    region_grow(t->region, t->row, t->nrow);
    for (int i = 0; i < COLUMNS; i++)
        t->row[t->nrow][i] = "";
    return t->row[t->nrow++];
}

static void print_table(const struct table *t, FILE *out)
{
    int width[COLUMNS] = {0};
    for (int k = 0; k < t->nrow; k++)
        for (int i = 0; i < t->ncolumn; i++)
            if (width[i] < (int)strlen(t->row[k][i]))
                width[i] = (int)strlen(t->row[k][i]);
    for (int k = 0; k < t->nrow; k++) {
        int last = t->ncolumn - 1, owed = 0; /* blanks are printed only before text */
        while (last > 0 && !*t->row[k][last])
            last--;
        for (int i = 0; i <= last; i++) {
            int blank = width[i] - (int)strlen(t->row[k][i]);
            bool right = t->left[i] == 'r';
            fprintf(out, "%*s%s", 2 + owed + (right ? blank : 0), "", t->row[k][i]);
            owed = right ? 0 : blank;
        }
        fprintf(out, "\n");
    }
}

/* ---- layers ---- */

static void print_head(const struct compilation *c, const struct layer *list, int n, const struct flops_rule *rule,
                       FILE *out)
{
    const struct graph *g = c->graph[PHASE_PREDICT];
    fprintf(out, "%s", c->model.net);
    for (int i = 0; i < n; i++)
        if (list[i].input)
            fprintf(out, "   input %s %s", list[i].path, shape_text(c->region, list[i].out));
    for (int i = 0; i < g->noutput; i++)
        fprintf(out, "   output %s %s", g->output[i].name, shape_text(c->region, g->output[i].value));
    if (rule->of)
        fprintf(out, "   %s %s", rule->unit, rule->of);
    fprintf(out, "\n\n");
}

static const char *fate_text(struct region *r, const struct layer *l)
{
    return l->trains ? l->fate : region_printf(r, "%s (prediction only)", l->fate);
}

/* Values of the parameters that never change. */
static int64_t frozen_of(const struct graph *g)
{
    int64_t n = 0;
    for (int i = 0; i < g->nvalue; i++)
        n += g->value[i]->frozen ? value_elements(g->value[i]) : 0;
    return n;
}

static void print_layers(const struct compilation *c, const struct layer *list, int n, enum flops rule, FILE *out)
{
    const char *head[] = {"#", "name", "layer", "output", "params", flops_rules[rule].unit, "kept", "how"};
    struct region *r = c->region;
    struct table t = {.region = r, .left = "rllrrrrl", .ncolumn = COUNT(head)};
    memcpy(add_row(&t), head, sizeof head);
    int64_t kept = 0, total = 0, *count = region_alloc(r, (size_t)n + 1, sizeof *count);
    for (int i = 0; i < n; i++)
        count[list[i].line] += layer_flops(list, i, rule);
    for (int i = 0; i < n; i++) {
        const struct layer *l = &list[i];
        total += count[i];
        if (l->line != i)
            continue;
        kept += l->kept;
        const char **row = add_row(&t);
        row[0] = l->input ? "" : region_printf(r, "%d", l->number);
        row[1] = l->named ? shortened(r, l->path, NAME_MOST) : "";
        row[2] = shortened(r, l->label, LABEL_MOST);
        row[3] = shape_text(r, l->out);
        row[4] = grouped(r, l->params);
        row[5] = grouped(r, count[i]);
        row[6] = l->kept ? bytes(r, l->kept) : "-";
        row[7] = l->input ? "" : fate_text(r, l);
    }
    const char **row = add_row(&t);
    row[1] = "total";
    row[4] = grouped(r, c->plan->params);
    row[5] = grouped(r, total);
    row[6] = kept ? bytes(r, kept) : "-";
    const int64_t frozen = frozen_of(c->graph[PHASE_TRAIN]);
    row[7] = region_printf(r, "%s = 1 multiply + 1 add; kept: bytes a sample", flops_rules[rule].multiply_add);
    for (int i = 0; frozen > 0 && i < 2; i++) {
        row = add_row(&t);
        row[1] = i ? "frozen" : "trained";
        row[4] = grouped(r, i ? frozen : c->plan->params - frozen);
    }
    print_table(&t, out);
}

/* ---- memory ---- */

int64_t batch_of(const struct plan *p, enum phase phase)
{
    const struct setting *s = plan_setting(p, "train.batch");
    if (phase == PHASE_PREDICT)
        return 1;
    if (phase == PHASE_EVALUATE)
        return (int64_t)plan_number(p, "train.evaluation_batch", 1000);
    return (int64_t)(s && s->text ? plan_number(p, "train.batch.max", 256) : plan_number(p, "train.batch", 64));
}

static void print_phases(const struct compilation *c, FILE *out)
{
    static const char *const head[] = {"memory", "fixed", "a sample", "LB", "gap", "batch", "arena"};
    const struct plan *p = c->plan;
    struct region *r = c->region;
    struct table t = {.region = r, .left = "lrrrrrr", .ncolumn = COUNT(head)};
    memcpy(add_row(&t), head, sizeof head);
    for (int i = 0; i < p->nschedule; i++) {
        const struct schedule *s = &p->schedule[i];
        if (s->target != target_schedules(c->target))
            continue;
        int64_t batch = batch_of(p, s->phase), rows = (batch + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
        const char **row = add_row(&t);
        row[0] = phase_word[s->phase];
        row[1] = bytes(r, schedule_alone(p, s, 0));
        row[2] = bytes(r, s->per_row);
        row[3] = bytes(r, s->bound_per_row);
        row[4] = bytes(r, s->per_row - s->bound_per_row);
        row[5] = grouped(r, batch);
        row[6] = bytes(r, schedule_alone(p, s, rows));
    }
    print_table(&t, out);
}

static int64_t persistent_bytes(const struct plan *p, enum role role)
{
    int64_t sum = 0;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->schedule < 0 && t->base < 0 && t->role == role)
            sum += t->bytes;
    return sum;
}

static void print_fixed(const struct compilation *c, FILE *out)
{
    static const struct {
        enum role role;
        const char *text;
    } kept[] = {{ROLE_PARAM, "parameters"},
                {ROLE_STATE, "running statistics"},
                {ROLE_TALLY, "sums for metrics"},
                {ROLE_CONTROL, "control"}};
    fprintf(out, "\n  arena = fixed + rows x a sample; rows: the batch, rounded up to blocks of %d\n", ROW_BLOCK);
    fprintf(out, "  fixed holds");
    const char *comma = "";
    for (int i = 0; i < COUNT(kept); i++) {
        int64_t n = persistent_bytes(c->plan, kept[i].role);
        if (n)
            fprintf(out, "%s %s %s", comma, kept[i].text, bytes(c->region, n));
        comma = n ? "," : comma;
    }
    const int64_t slots = persistent_bytes(c->plan, ROLE_SLOT);
    fprintf(out, ", scratch; in training also%s%s%s gradients\n", slots ? " optimizer " : "",
            slots ? bytes(c->region, slots) : "", slots ? " and" : "");
}

void summary(const struct compilation *c, enum flops rule, FILE *out)
{
    int n;
    const struct layer *list = layers_of(c, &n);
    print_head(c, list, n, &flops_rules[rule], out);
    print_layers(c, list, n, rule, out);
    fprintf(out, "\n");
    print_phases(c, out);
    print_fixed(c, out);
}
