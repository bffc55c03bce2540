/* recipe.c: the settings of the plan as numbers, and from them the control words of each step. */
#include "run.h"
#include "plan/expr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *setting_text(const struct plan *p, const char *key)
{
    const struct setting *s = plan_setting(p, key);
    return s && s->text ? s->text : "";
}

/* The number of a setting as a whole one in [min, max]. */
static bool whole(const struct plan *p, const char *key, double otherwise, int64_t min, int64_t *out)
{
    double value = plan_number(p, key, otherwise);
    if (!(value >= (double)min && value <= 9e15 && value == floor(value))) {
        complain(STATUS_USAGE, "%s = %g: expected a whole number from %lld", key, value, (long long)min);
        return false;
    }
    *out = (int64_t)value;
    return true;
}

/* What the names in an optimizer's expressions stand for at one step. */
struct moment {
    const struct recipe *r;
    double lr, momentum, decay, t; /* NaN: of no schedule */
};

static double value_of(const char *name, const void *context)
{
    const struct moment *m = context;
    const bool moves = m->r->momentum_name && !strcmp(name, m->r->momentum_name) && !isnan(m->momentum);
    if (moves || (!strcmp(name, "decay") && !isnan(m->decay)))
        return moves ? m->momentum : m->decay;
    for (const struct argument *a = m->r->argument; a < m->r->argument + m->r->arguments; a++)
        if (!strcmp(a->name, name))
            return a->value;
    return !strcmp(name, "lr") ? m->lr : !strcmp(name, "t") ? m->t : NAN;
}

static void read_arguments(const struct plan *p, struct recipe *r)
{
    static const char key[] = "train.optimizer";
    const struct word *w = word_find(WORD_OPTIMIZER, setting_text(p, key));
    for (int i = 0; w && i < MAX_WORD_ARGS && w->arg[i].name; i++) {
        const struct setting *s = word_setting(p, key, w, i);
        const bool pair = w->arg[i].type == ARG_PAIR;
        for (int k = 0; s && k < s->n && k < 1 + pair && strcmp(w->arg[i].name, "lr"); k++)
            r->argument[r->arguments++] = (struct argument){pair ? w->arg[i].part[k] : w->arg[i].name, s->num[k]};
    }
}

/* What an update that clips, or keeps the mean of the weights, names besides. */
static void read_variant(const struct plan *p, struct recipe *r)
{
    static const char *const of[][2] = {{"clip", "train.clip.max"}, {"ema", "train.ema"}};
    for (int i = 0; i < COUNT(of); i++) {
        const struct setting *s = plan_setting(p, of[i][1]);
        if (s && s->n)
            r->argument[r->arguments++] = (struct argument){of[i][0], s->num[0]};
    }
}

static int read_numbers(const struct plan *p, struct recipe *r)
{
    const struct op *op = plan_optimizer(p);
    const char *list[CTL_NUMBERS];
    read_arguments(p, r);
    read_variant(p, r);
    r->momentum_name = op ? optimizer_momentum(op) : NULL;
    r->numbers = plan_numbers(p, p->region, list);
    for (int i = 0; i < r->numbers; i++) {
        r->number[i] = expr_parse(p->region, list[i]);
        if (isnan(expr_value(r->number[i], value_of, &(struct moment){r, 0, NAN, NAN, 1})))
            return complain(STATUS_DATA, "the plan's optimizer %s has no value for `%s` of its update%s%s",
                            setting_text(p, "train.optimizer"), list[i], op ? " " : "", op ? op->name : "");
    }
    return 0;
}

/* Do the kernels of training report metrics? */
static bool training_counts(const struct plan *p)
{
    for (const struct kernel *k = p->kernel; k < p->kernel + p->nkernel; k++)
        for (const struct stage *s = k->stage; phase_trains(p->schedule[k->schedule].phase) && s < k->stage + k->nstage;
             s++)
            if (strcmp(s->op->name, "report_metric") == 0)
                return true;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->role == ROLE_TALLY)
            return true;
    return false;
}

static int read_metrics(const struct plan *p, struct recipe *r)
{
    char key[40];
    const struct word *w;
    while (r->metrics < MAX_METRICS && plan_metric(p, r->metrics, &w, r->metric[r->metrics]))
        r->metrics++;
    snprintf(key, sizeof key, "train.metrics.%d", r->metrics);
    return r->metrics < MAX_METRICS && *setting_text(p, key)
               ? complain(STATUS_INTERNAL, "metric %s has no rule", setting_text(p, key))
               : 0;
}

/* The word at a key with its arguments; `otherwise` where there is none. */
static int read_choice(const struct plan *p, const char *key, enum word_kind kind, const char *otherwise,
                       struct rule *c)
{
    const char *name = *setting_text(p, key) ? setting_text(p, key) : otherwise;
    *c = (struct rule){.word = *name ? word_find(kind, name) : NULL, .measure = MEASURE_AUTO};
    if (*name && (!c->word || !c->word->better || (kind == WORD_STOP && !c->word->enough)))
        return complain(STATUS_INTERNAL, "%s %s has no rule", key, name);
    for (int i = 0; c->word && i < MAX_WORD_ARGS && c->word->arg[i].name; i++) {
        const struct setting *s = word_setting(p, key, c->word, i);
        c->num[i] = s && s->n ? s->num[0] : c->word->arg[i].otherwise;
        if (s && s->text && !plan_measure(p, s->text, &c->measure))
            return complain(STATUS_DATA, "%s: there is no metric %s", s->key, s->text);
    }
    return 0;
}

static int read_choices(const struct plan *p, struct recipe *r)
{
    int status = read_choice(p, "train.save", WORD_SAVE, "best", &r->save);
    if (status == 0)
        status = read_choice(p, "train.stop", WORD_STOP, "", &r->stop);
    if (r->stop.measure == MEASURE_AUTO)
        r->stop.measure = r->save.measure;
    return status;
}

static double argument(const struct recipe *r, const char *name)
{
    for (int i = 0; name && i < r->arguments; i++)
        if (!strcmp(r->argument[i].name, name))
            return r->argument[i].value;
    return 0;
}

static int read_rates(const struct plan *p, struct recipe *r)
{
    const char *unknown;
    if (!rate_read(p, "train.schedule", plan_number(p, "train.optimizer.lr", 0), &r->rate, &unknown) ||
        !rate_read(p, "train.momentum_schedule", argument(r, r->momentum_name), &r->momentum, &unknown) ||
        !rate_read(p, "train.decay_schedule", argument(r, "decay"), &r->decay, &unknown))
        return complain(STATUS_INTERNAL, "schedule %s has no rule", unknown);
    return 0;
}

/* The rule that updates group g is the optimizer's other one; of it there are variants, "muon_adamw.norm". */
static bool is_beside(const struct plan *p, const struct word *w, int g)
{
    const size_t n = w->beside ? strlen(w->beside) : 0;
    for (int k = 0; n && k < p->nkernel; k++) {
        const char *name = p->kernel[k].stage->op->name;
        if (kernel_group(p, k) == g && strncmp(name, w->beside, n) == 0 && (name[n] == '\0' || name[n] == '.'))
            return true;
    }
    return false;
}

/* Each update of the schedule is that of a group; what that has not of its own is the optimizer's. */
static void read_groups(const struct plan *p, struct recipe *r)
{
    const struct word *w = word_find(WORD_OPTIMIZER, setting_text(p, "train.optimizer"));
    r->groups = w && plan_setting(p, "train.optimizer.groups.0") ? plan_groups(p) : 0;
    for (int g = 0; g < r->groups; g++) {
        const bool beside = is_beside(p, w, g);
        char key[64];
        struct own_rate *o = &r->group[g];
        *o = (struct own_rate){.rate = r->rate, .decay = r->decay};
        snprintf(key, sizeof key, "train.optimizer.groups.%d.lr", g);
        o->rate.lr = plan_number(p, key, beside ? argument(r, w->beside_lr) : r->rate.lr);
        snprintf(key, sizeof key, "train.optimizer.groups.%d.decay", g);
        o->decay.lr = plan_number(p, key, beside ? argument(r, w->beside_decay) : r->decay.lr);
    }
}

int recipe_read(const struct plan *p, struct recipe *r)
{
    int64_t seed;
    *r = (struct recipe){
        .shuffle = plan_number(p, "data.shuffle", 1) != 0,
        .holdout = plan_number(p, "data.holdout", 0),
        .counts = training_counts(p),
    };
    bool automatic = strcmp(setting_text(p, "train.batch"), "auto") == 0;
    bool good = whole(p, "train.epochs", 1, 1, &r->epochs) && whole(p, "train.batch.max", 256, 1, &r->max_batch) &&
                whole(p, "train.evaluation_batch", 1000, 1, &r->evaluation_batch) &&
                (automatic || whole(p, "train.batch", 64, 1, &r->batch)) && whole(p, "train.seed", 1, 0, &seed);
    if (!good)
        return STATUS_USAGE;
    r->seed = (uint32_t)seed;
    int status = read_metrics(p, r);
    if (status == 0)
        status = read_choices(p, r);
    if (status == 0)
        status = read_numbers(p, r);
    if (status == 0)
        status = read_rates(p, r);
    if (status == 0)
        read_groups(p, r);
    return status;
}

void recipe_reduce(struct recipe *r, int64_t times)
{
    r->rate.reduced = times;
    for (int g = 0; g < r->groups; g++)
        r->group[g].rate.reduced = times;
}

void recipe_count(struct recipe *r, int64_t samples)
{
    r->rate.steps = (samples - 1) / r->batch + 1;
    if (__builtin_mul_overflow(r->epochs, r->rate.steps, &r->rate.total))
        r->rate.total = INT64_MAX;
    r->momentum.steps = r->decay.steps = r->rate.steps;
    r->momentum.total = r->decay.total = r->rate.total;
    for (int g = 0; g < r->groups; g++) {
        r->group[g].rate.steps = r->group[g].decay.steps = r->rate.steps;
        r->group[g].rate.total = r->group[g].decay.total = r->rate.total;
    }
}

bool position_fits(const struct position *at, const struct recipe *r)
{
    int64_t step;
    return at->in_epoch <= r->rate.steps && at->best_epoch <= at->epoch && at->stop_epoch <= at->epoch &&
           !__builtin_mul_overflow(at->epoch, r->rate.steps, &step) &&
           !__builtin_add_overflow(step, at->in_epoch, &step) && step == at->step;
}

static void put_float(uint32_t *word, double value)
{
    float f = (float)value;
    memcpy(word, &f, sizeof f);
}

float control_float(const uint32_t control[CTL_WORDS], int word)
{
    float f;
    memcpy(&f, &control[word], sizeof f);
    return f;
}

static void put_batch(const struct recipe *r, int64_t position, int64_t rows, int64_t samples,
                      uint32_t control[CTL_WORDS])
{
    memset(control, 0, CTL_WORDS * sizeof *control);
    control[CTL_ROWS] = (uint32_t)rows;
    control[CTL_BATCH] = (uint32_t)rows;
    put_float(&control[CTL_INV_RUN], 1.0 / (double)rows);
    put_float(&control[CTL_INV_WEIGHT], 1);
    control[CTL_POSITION] = (uint32_t)position;
    control[CTL_COUNT_SAMPLES] = (uint32_t)samples;
    control[CTL_SEED0] = r->seed;
}

void control_evaluate(const struct recipe *r, int64_t position, int64_t rows, int64_t samples,
                      uint32_t control[CTL_WORDS])
{
    put_batch(r, position, rows, samples, control);
}

void control_train(const struct recipe *r, int64_t step, int64_t epoch, int64_t position, int64_t rows, int64_t samples,
                   uint32_t control[CTL_WORDS])
{
    put_batch(r, position, rows, samples, control);
    put_float(&control[CTL_FIRST], 1);
    control[CTL_LAST] = 1;
    control[CTL_STEP] = (uint32_t)step;
    control[CTL_EPOCH] = (uint32_t)epoch;
    control[CTL_SHUFFLE] = r->shuffle;
    const struct moment now = {
        .r = r,
        .lr = rate_at(&r->rate, step),
        .momentum = r->momentum.pieces ? rate_at(&r->momentum, step) : rate_momentum(&r->rate, step),
        .decay = r->decay.pieces ? rate_at(&r->decay, step) : NAN,
        .t = (double)(step + 1),
    };
    put_float(&control[CTL_LR], now.lr);
    for (int i = 0; i < r->numbers; i++)
        put_float(&control[CTL_NUMBER + i], expr_value(r->number[i], value_of, &now));
    for (int g = 0; g < r->groups; g++) {
        uint32_t *own = control + CTL_GROUP + (int)GROUP_WORDS * g;
        put_float(&own[GROUP_LR], rate_at(&r->group[g].rate, step));
        const struct rate *decay = &r->group[g].decay;
        put_float(&own[GROUP_DECAY], decay->pieces ? rate_at(decay, step) : decay->lr);
    }
}

void control_part(uint32_t control[CTL_WORDS], int64_t done, int64_t rows)
{
    put_float(&control[CTL_FIRST], done == 0);
    control[CTL_LAST] = done + rows == control[CTL_ROWS];
    control[CTL_CHAIN] |= done > 0;
    control[CTL_POSITION] += (uint32_t)done;
    control[CTL_ROWS] = (uint32_t)rows;
    put_float(&control[CTL_INV_RUN], 1.0 / (double)rows);
}
