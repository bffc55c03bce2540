/* lessons.c: the table of warnings that teach, and when each is so.
 *
 * The bounds are far from what the networks in models/ show when they are trained as their files say, and from what broken ones do:
 * docs/warnings.md has both. */
#include "run.h"
#include "teach.h"

#include <math.h>
#include <string.h>

#define TEXT(to_, ...) snprintf(to_, sizeof(to_), __VA_ARGS__)

enum { STEPS = 100 }; /* before so many a network may still be where its seed put it */

/* ---- order ---- */

/* An order by lot of 100 expected changes has less than a quarter of them in no training set that anybody will see; sorted, there are
 * as many as classes. A. M. Mood, The distribution theory of runs, Ann. Math. Stat. 11 (1940). */
static bool in_order(const struct job *j, const struct epoch_report *r, struct remark *m)
{
    const struct taught *t = &j->taught;
    (void)r;
    if (j->recipe.shuffle || j->recipe.batch >= j->data.train.count || t->changes_expected < 100 ||
        (double)t->changes > t->changes_expected / 4)
        return false;
    m->found.value = (double)t->changes;
    TEXT(
        m->text,
        "shuffling is off, and the classes of the training set lie in order: the class changes %lld times from one sample "
        "to the next, by lot it would %.0f times; steps see few classes each, and forget the others",
        (long long)t->changes, t->changes_expected);
    TEXT(m->help, "leave out `shuffle = false`, or mix the files once");
    return true;
}

/* ---- one class ---- */

static bool one_class_there(const struct job *j, struct remark *m)
{
    const struct taught *t = &j->taught;
    if (t->classes != 1)
        return false;
    m->found.value = 1;
    TEXT(m->text, "all %lld samples of the training set are of class %lld: there is nothing to tell apart",
         (long long)j->data.train.count, (long long)t->only);
    TEXT(m->help, "look at the labels: netrun --inspect %.200s", j->options->folder ? j->options->folder : "DIR");
    return true;
}

static int64_t count_class(const struct data_split *s, int64_t class)
{
    int64_t n = 0;
    for (int64_t i = 0; i < s->count; i++)
        n += data_class(s, i) == class;
    return n;
}

/* A class of which there are n samples, `first` if it is one; `classes`: none is. */
static int64_t class_with(const struct data_split *s, int64_t n, int64_t first, int64_t classes)
{
    int64_t class = 0;
    if (count_class(s, first) == n)
        return first;
    while (class < classes && count_class(s, class) != n)
        class ++;
    return class;
}

/* Right answers on the test set; -1: they were not counted. */
static int64_t right_answers(const struct job *j, const struct result *r)
{
    const struct data_split *s = choose_split(j);
    for (int k = 0; r->n > 0 && s->label.rank == 0 && s->label.type != DATA_F32 && k < r->metrics; k++)
        if (strcmp(r->metric[k], "accuracy") == 0)
            return r->correct[k];
    return -1;
}

/* The last samples of the epoch were of several classes and all taken for one; and on the test set, as many answers are right as there
 * are samples of some class: another than before, if the last update has changed it. */
static bool one_class(const struct job *j, const struct epoch_report *r, struct remark *m)
{
    const struct looking *l = &j->taught.look;
    int64_t class = l->predicted, classes = samples_classes(j->plan);
    if (!r)
        return one_class_there(j, m);
    if (j->at.step < STEPS || l->rows < LOOK_SAMPLES || class < 0 || l->truth != -2)
        return false;
    const int64_t right = right_answers(j, &r->test);
    if (right >= 0)
        class = class_with(choose_split(j), right, class, classes);
    if (class == classes)
        return false;
    TEXT(m->text, "whatever it is shown, the network answers class %lld", (long long)class);
    if (right > 0) {
        m->found.value = (double)right / (double)r->test.n;
        text_append(m->text, sizeof m->text, ": its accuracy of %.4g %% is that class's share of the %s set",
                    100 * m->found.value, choose_tested(j));
    }
    TEXT(m->help, "a smaller learning rate (--lr %g) if the loss has jumped, a larger one if it stands still",
         j->recipe.rate.lr / 10);
    return true;
}

/* ---- no progress ---- */

/* Who knows the shares of the classes and no more has their entropy as loss: ln(classes) where they are equal. */
static bool no_progress(const struct job *j, const struct epoch_report *r, struct remark *m)
{
    const struct taught *t = &j->taught;
    const struct setting *loss = plan_setting(j->plan, "train.loss");
    if (!loss || !loss->text || strcmp(loss->text, "CrossEntropy") != 0 || t->classes < 2 || r->steps < STEPS ||
        r->steps - j->recipe.rate.steps >= STEPS || !(r->train.loss >= 0.99 * t->entropy))
        return false;
    m->found.value = r->train.loss;
    TEXT(m->text,
         "with learning rate %g the loss of epoch %lld was %.4g, and guessing by the shares of the %lld classes gives "
         "%.4g%s: nothing was learnt",
         j->recipe.rate.lr, (long long)r->epoch, r->train.loss, (long long)t->classes, t->entropy,
         fabs(t->entropy - log((double)t->classes)) < 1e-3 ? ", their logarithm" : "");
    if (r->train.loss > 2 * t->entropy)
        TEXT(m->help, "the loss has jumped: a smaller learning rate (--lr %g)", j->recipe.rate.lr / 10);
    else
        TEXT(m->help, "another learning rate (--lr %g, --lr %g); do labels belong to their samples (netrun --inspect)?",
             j->recipe.rate.lr * 10, j->recipe.rate.lr / 10);
    return true;
}

/* ---- ReLUs ---- */

/* A unit that is 0 for every sample has no gradient and stays so: Maas, Hannun and Ng, Rectifier nonlinearities improve neural
 * network acoustic models (2013); He et al., arXiv 1502.01852, on the weights that keep it from happening. */
static const struct look_relu *first_dead(const struct job *j)
{
    static const double many = 0.9;
    const struct looking *l = &j->taught.look;
    if (l->rows < LOOK_SAMPLES && l->rows < j->data.train.count)
        return NULL;
    for (const struct look_relu *x = l->relu; x < l->relu + l->relus; x++)
        if ((double)(x->units - x->active) > many * (double)x->units)
            return x;
    return NULL;
}

static bool dead_relu(const struct job *j, const struct epoch_report *r, struct remark *m)
{
    const struct look_relu *x = first_dead(j);
    (void)r;
    if (!x)
        return false;
    m->found.value = (double)(x->units - x->active) / (double)x->units;
    m->found.line = j->plan->kernel[x->kernel].stage[x->stage].line;
    layer_of_stage(j->plan, x->kernel, x->stage, m->layer);
    TEXT(
        m->text,
        "%lld of the %lld %s of %s were 0 for all %lld samples that were looked at: they pass on nothing, and no gradient "
        "brings them back",
        (long long)(x->units - x->active), (long long)x->units, x->places > 1 ? "channels" : "units", m->layer,
        (long long)j->taught.look.rows);
    TEXT(m->help, "a smaller learning rate (--lr %g), BatchNorm before it, or LeakyReLU in its place",
         j->recipe.rate.lr / 10);
    return true;
}

/* ---- gradients ---- */

/* Root mean squares, so that wide layers and narrow ones compare. */
static void name_layer(const struct job *j, const struct look_layer *y, struct remark *m)
{
    const struct tensor *t = &j->plan->tensor[y->parameter];
    m->found.line = t->line;
    layer_of_param(t->name, m->layer);
}

/* Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks (2010): on its way back the gradient
 * shrinks at each layer, saturating ones above all. The first layer, beside the largest of all. */
static bool vanishing(const struct job *j, const struct epoch_report *r, struct remark *m)
{
    static const double small = 1e-4;
    const struct looking *l = &j->taught.look;
    const struct look_layer *least = NULL;
    double largest = 0;
    (void)r;
    for (int i = l->layers - 1; i >= 0; i--) {
        const struct look_layer *y = &l->layer[i];
        least = largest > 0 && y->slope < small * largest ? y : least;
        largest = y->slope > largest ? y->slope : largest;
    }
    if (!least || first_dead(j))
        return false;
    name_layer(j, least, m);
    m->found.value = least->slope / largest;
    TEXT(m->text,
         "the gradient vanishes on its way back: that of %s is %.2g, where it is largest %.2g; that layer hardly "
         "learns",
         m->layer, least->slope, largest);
    TEXT(m->help,
         "fewer layers, ReLU in place of Sigmoid and Tanh, BatchNorm between them, or sums past them (`x + y`)");
    return true;
}

/* Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, arXiv 1211.5063. Beside the weights, for what
 * a loss is measured in is the user's. */
static bool exploding(const struct job *j, const struct epoch_report *r, struct remark *m)
{
    static const double large = 100;
    const struct looking *l = &j->taught.look;
    (void)r;
    for (const struct look_layer *y = l->layer; y < l->layer + l->layers; y++) {
        if (!(y->slope > large * y->weight && y->weight > 0))
            continue;
        name_layer(j, y, m);
        m->found.value = y->slope / y->weight;
        TEXT(m->text, "the gradient of %s is %.2g, %.2g times its weights: one step can throw away what was learnt",
             m->layer, y->slope, m->found.value);
        TEXT(m->help,
             "a smaller learning rate (--lr %g), BatchNorm between the layers, and inputs and targets near -1..1",
             j->recipe.rate.lr / 10);
        return true;
    }
    return false;
}

/* ---- overfitting ---- */

static bool overfitting(const struct job *j, const struct epoch_report *r, struct remark *m)
{
    const double *train = j->taught.train, *test = j->taught.test;
    for (int i = 0; i + 1 < EPOCHS_KEPT; i++)
        if (!(test[i] > test[i + 1] && train[i] < train[i + 1]))
            return false;
    m->found.value = r->test.loss;
    TEXT(
        m->text,
        "for three epochs the %s loss has risen, from %.4g to %.4g, while that of the training fell from %.4g to %.4g: it learns "
        "the training set by heart",
        choose_tested(j), test[EPOCHS_KEPT - 1], test[0], train[EPOCHS_KEPT - 1], train[0]);
    TEXT(
        m->help,
        "fewer epochs, or `stop = patience(3)` in `train`; Dropout, decay of the optimizer, or more data; best.safetensors has "
        "epoch %lld",
        (long long)j->at.best_epoch);
    return true;
}

/* clang-format off */
const struct teaching lessons[] = {
    {"order",       "data.shuffle",       LESSON_START,                              in_order},
    {"dead-relu",   NULL,                 LESSON_EPOCH | LESSON_LOOK,                dead_relu},
    {"vanishing",   NULL,                 LESSON_EPOCH | LESSON_LOOK,                vanishing},
    {"exploding",   "train.optimizer.lr", LESSON_EPOCH | LESSON_LOOK,                exploding},
    {"one-class",   "train.optimizer.lr", LESSON_START | LESSON_EPOCH | LESSON_LOOK, one_class},
    {"no-progress", "train.optimizer.lr", LESSON_EPOCH,                              no_progress},
    {"overfitting", "train.epochs",       LESSON_EPOCH,                              overfitting},
    {"not-finite",  NULL,                 0,                                         NULL}, /* evaluate.c */
};
/* clang-format on */
const int lesson_count = sizeof lessons / sizeof *lessons;
