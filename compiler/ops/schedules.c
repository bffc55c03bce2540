/* schedules.c: words for how the learning rate changes, or another number of the optimizer. Rules see the step, the epoch and the end
 * from the beginning of their piece; values are those of PyTorch's schedulers (torch.optim.lr_scheduler), named behind each rule, which
 * are stepped once an epoch where ours counts epochs, and else once a step. */
#include "graph/graph.h"

#include <math.h>

static double epoch_of(const struct training_step *s)
{
    return (double)(s->step / s->steps);
}

/* Half a cosine from `from` to `to` at part 1. */
static double half_cosine(double from, double to, double part)
{
    return to + (from - to) * (1 + cos(acos(-1) * part)) / 2;
}

static double part_of(const struct training_step *s)
{
    return s->step >= s->total ? 1 : (double)(s->step - s->warmup) / (double)(s->total - s->warmup);
}

/* StepLR */
static double step(const double *num, const struct training_step *s)
{
    return s->lr * pow(num[1], (double)(s->step / s->steps / (int64_t)num[0]));
}

/* MultiStepLR */
static double multi_step(const double *num, const struct training_step *s)
{
    int passed = 0;
    for (int i = 0; i < s->listed; i++)
        passed += epoch_of(s) >= s->list[i];
    return s->lr * pow(num[1], passed);
}

/* ExponentialLR */
static double exponential(const double *num, const struct training_step *s)
{
    return s->lr * pow(num[0], epoch_of(s));
}

/* PolynomialLR */
static double polynomial(const double *num, const struct training_step *s)
{
    return num[1] + (s->lr - num[1]) * pow(1 - part_of(s), num[0]);
}

/* CosineAnnealingLR. Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, without restarts. */
static double cosine(const double *num, const struct training_step *s)
{
    return s->step >= s->total ? num[1] : half_cosine(s->lr, num[1], part_of(s));
}

/* CosineAnnealingWarmRestarts: the same with them. */
static double cosine_restarts(const double *num, const struct training_step *s)
{
    double at = (double)(s->step - s->warmup), length = num[0] * (double)s->steps;
    if (num[1] == 1)
        at = fmod(at, length);
    for (; at >= length; length *= num[1])
        at -= length;
    return half_cosine(s->lr, num[2], at / length);
}

/* LinearLR */
static double linear(const double *num, const struct training_step *s)
{
    return s->lr * (num[0] + (num[1] - num[0]) * part_of(s));
}

/* ConstantLR */
static double constant(const double *num, const struct training_step *s)
{
    return s->lr * num[0];
}

/* OneCycleLR. Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates", arXiv
 * 1708.07120. Phases end at steps; the value goes from the end of one to the end of the next. */
enum { RISE, DIV, FINAL_DIV, STRAIGHT, THREE_PHASE, CYCLE_MOMENTUM, LOW_MOMENTUM, HIGH_MOMENTUM };

static double one_cycle_between(const double *num, const struct training_step *s, const double value[4])
{
    const double last = (double)s->total - 1, top = num[RISE] * (double)s->total - 1,
                 end[] = {0, top, num[THREE_PHASE] != 0 ? 2 * top : last, last}, at = (double)s->step;
    const int phases = num[THREE_PHASE] != 0 ? 3 : 2;
    int i = 1;
    while (i < phases && at > end[i])
        i++;
    const double part = end[i] > end[i - 1] && at < end[i] ? (at - end[i - 1]) / (end[i] - end[i - 1]) : 1;
    return num[STRAIGHT] != 0 ? (value[i] - value[i - 1]) * part + value[i - 1]
                              : half_cosine(value[i - 1], value[i], part);
}

static double one_cycle(const double *num, const struct training_step *s)
{
    const double first = s->lr / num[DIV], final = first / num[FINAL_DIV],
                 value[] = {first, s->lr, num[THREE_PHASE] != 0 ? first : final, final};
    return one_cycle_between(num, s, value);
}

static double one_cycle_momentum(const double *num, const struct training_step *s)
{
    const double low = num[LOW_MOMENTUM], high = num[HIGH_MOMENTUM];
    return num[CYCLE_MOMENTUM] != 0 ? one_cycle_between(num, s, (const double[]){high, low, high, high}) : NAN;
}

/* ReduceLROnPlateau */
enum { FACTOR, PATIENCE, THRESHOLD, RELATIVE, COOLDOWN, LEAST };

static double reduced_rate(const double *num, double lr, int64_t times)
{
    const double rate = lr * pow(num[FACTOR], (double)times), least = num[LEAST] < lr ? num[LEAST] : lr;
    return rate > least ? rate : least;
}

static double plateau(const double *num, const struct training_step *s)
{
    return reduced_rate(num, s->lr, s->reduced);
}

static bool is_better(const double *num, double value, double best, bool falls)
{
    const double by = num[THRESHOLD];
    if (num[RELATIVE] != 0)
        return falls ? value < best * (1 - by) : value > best * (1 + by);
    return falls ? value < best - by : value > best + by;
}

static void plateau_watch(const double *num, struct watched *w, double value, bool falls, double lr)
{
    const bool better = w->epochs == 0 ? !isnan(value) : is_better(num, value, w->best, falls);
    w->bad = better ? 0 : w->bad + 1;
    if (better) {
        w->best = value;
        w->epochs++;
    }
    if (w->rest > 0) {
        w->rest--;
        w->bad = 0;
    }
    if (w->bad <= (int64_t)num[PATIENCE])
        return;
    w->reduced += reduced_rate(num, lr, w->reduced) - reduced_rate(num, lr, w->reduced + 1) > 1e-8;
    w->rest = (int64_t)num[COOLDOWN];
    w->bad = 0;
}

static bool multi_step_check(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)x, (void)nx;
    for (int i = 1; i < a->count[0]; i++)
        if (a->num[0][i] <= a->num[0][i - 1]) {
            diag_error(s->diag, "N0420", a->loc[0], NULL, "epoch %.12g of `at` comes after %.12g", a->num[0][i],
                       a->num[0][i - 1]);
            diag_help(s->diag, "epochs in ascending order, each once, as in `MultiStep([30, 60, 80])`");
            return false;
        }
    return true;
}

/* clang-format off */
#define WARMUP {.name = "warmup", .help = "steps of linear warm-up", .type = ARG_INT, .min = 0, .max = 1e9}
#define EPOCHS {.name = "epochs", .help = "that it takes; 0: all that are left", .type = ARG_INT, .min = 0, .max = 1e6}
#define FINAL {.name = "final", .help = "last learning rate", .type = ARG_NUMBER, .min = 0, .max = 1e6}
#define NUMBER(name_, help_, otherwise_, min_, max_) \
    {.name = name_, .help = help_, .type = ARG_NUMBER, .otherwise = otherwise_, .min = min_, .max = max_}
#define FLAG(name_, help_, otherwise_) {.name = name_, .help = help_, .type = ARG_BOOL, .otherwise = otherwise_}
#define GAMMA NUMBER("gamma", "factor", 0.1, 0, 1e6)

static const struct word word[] = {
    {.kind = WORD_SCHEDULE, .name = "Step", .doc = "lr * gamma^(epoch / every)", .rate = step,
     .arg = {{.name = "every", .help = "epochs between the steps", .type = ARG_INT, .required = true, .min = 1, .max = 1e9},
             GAMMA, WARMUP, EPOCHS}},
    {.kind = WORD_SCHEDULE, .name = "MultiStep", .doc = "lr * gamma^(how many of these epochs have come)", .rate = multi_step,
     .check = multi_step_check,
     .arg = {{.name = "at", .help = "epochs, in ascending order", .type = ARG_INTS, .required = true, .min = 0, .max = 1e9},
             GAMMA, WARMUP, EPOCHS}},
    {.kind = WORD_SCHEDULE, .name = "Exponential", .doc = "lr * gamma^epoch", .rate = exponential,
     .arg = {{.name = "gamma", .help = "factor of an epoch", .type = ARG_NUMBER, .required = true, .min = 0, .max = 1e6}, WARMUP, EPOCHS}},
    {.kind = WORD_SCHEDULE, .name = "Polynomial", .doc = "(1 - part)^power from lr to final", .rate = polynomial, .spans = true,
     .arg = {NUMBER("power", "1: a line", 1, 0, 1e3), FINAL, WARMUP, EPOCHS}},
    {.kind = WORD_SCHEDULE, .name = "Linear", .doc = "a line from lr * start to lr * end", .rate = linear, .spans = true,
     .arg = {NUMBER("start", "factor at the first step", 1. / 3, 0, 1e6), NUMBER("end", "factor behind the last", 1, 0, 1e6), EPOCHS}},
    {.kind = WORD_SCHEDULE, .name = "Constant", .doc = "lr * factor", .rate = constant,
     .arg = {NUMBER("factor", "of the learning rate", 1, 0, 1e6), EPOCHS}},
    {.kind = WORD_SCHEDULE, .name = "Cosine", .doc = "half a cosine from lr to final", .rate = cosine, .spans = true,
     .arg = {WARMUP, FINAL, EPOCHS}},
    {.kind = WORD_SCHEDULE, .name = "CosineRestarts", .doc = "half a cosine from lr to final, over and over", .rate = cosine_restarts,
     .arg = {{.name = "every", .help = "epochs of the first", .type = ARG_INT, .required = true, .min = 1, .max = 1e6},
             {.name = "factor", .help = "how many times as long each is as the one before", .type = ARG_INT, .otherwise = 1, .min = 1,
              .max = 1e6},
             FINAL, WARMUP, EPOCHS}},
    {.kind = WORD_SCHEDULE, .name = "OneCycle", .doc = "up to lr and down to nearly nothing, the momentum the other way", .spans = true,
     .rate = one_cycle, .momentum = one_cycle_momentum,
     .arg = {NUMBER("rise", "share of the steps until lr is reached", 0.3, 0, 1), NUMBER("div", "it begins at lr / div", 25, 1e-6, 1e12),
             NUMBER("final_div", "it ends at lr / div / final_div", 1e4, 1e-6, 1e12), FLAG("linear", "lines, not cosines", 0),
             FLAG("three_phase", "as far down as up, then to the end", 0), FLAG("cycle_momentum", "or leave it", 1),
             NUMBER("base_momentum", "at the highest learning rate", 0.85, 0, 1), NUMBER("max_momentum", "at the lowest", 0.95, 0, 1),
             EPOCHS}},
    {.kind = WORD_SCHEDULE, .name = "Plateau", .doc = "lr * factor whenever the measure of `save` has not improved for a while",
     .rate = plateau, .watch = plateau_watch,
     .arg = {NUMBER("factor", "of the learning rate", 0.1, 0, 1), {.name = "patience", .help = "epochs without an improvement that are borne",
              .type = ARG_INT, .otherwise = 10, .min = 0, .max = 1e6},
             NUMBER("threshold", "less is no improvement", 1e-4, 0, 1e9), FLAG("relative", "of the best; or else as it is", 1),
             {.name = "cooldown", .help = "epochs after a step in which none is counted", .type = ARG_INT, .min = 0, .max = 1e6},
             FINAL, WARMUP}},
};
/* clang-format on */

const struct module module_schedules = {NULL, 0, word, COUNT(word)};
