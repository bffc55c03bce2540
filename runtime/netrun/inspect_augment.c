/* inspect_augment.c: the same pictures as training sees them in its first epochs, on a sheet. */
#include "inspect.h"
#include "data/sheet.h"
#include "device/order.h"
#include "run/streamed.h"
#include "run/table.h"

#include <stdlib.h>
#include <string.h>

enum { PICTURES = 8, EPOCHS = 8, COLUMNS = 1 + EPOCHS, LABEL = 80 };

/* The first of each class, then the second of each, and so on; without classes the first ones. Returns how many. */
static int choose(const struct dataset *set, int64_t chosen[PICTURES])
{
    int n = 0;
    for (int64_t turn = 0; set->classes && turn < PICTURES && n < PICTURES; turn++)
        for (int64_t class = 0; class < set->classes && n < PICTURES; class ++) {
            int64_t i = 0, seen = -1;
            while (i < set->train.count && (data_class(&set->train, i) != class || ++seen < turn))
                i++;
            if (i < set->train.count)
                chosen[n++] = i;
        }
    for (int64_t i = 0; !set->classes && i < set->train.count && n < PICTURES; i++)
        chosen[n++] = i;
    return n;
}

struct view {
    struct augment_step step[MAX_AUGMENT];
    int steps;
    struct augment_size size;
    const struct data_split *split;
    const struct recipe *recipe;
    void *room[2]; /* for a picture and for the one that is mixed in, if they have to be read */
};

static struct order order_of_epoch(const struct view *v, uint32_t epoch)
{
    return order_in((const uint32_t[]){v->recipe->seed, 0}, epoch, (uint32_t)v->split->count, v->recipe->shuffle, NULL);
}

/* Where in the epoch each of the pictures comes. */
static void find_positions(const struct view *v, const struct order *o, const int64_t *chosen, int n, int64_t *position)
{
    for (int64_t at = 0; at < v->split->count; at++)
        for (int i = 0, sample = (int)order_at(o, (uint32_t)at); i < n; i++)
            if (chosen[i] == sample)
                position[i] = at;
}

static bool sample_of(const struct view *v, int steps, uint32_t epoch, int64_t position, int64_t sample, void *room,
                      struct augment_sample *s, struct data_error *e)
{
    const void *values = data_look(v->split, sample, room, e);
    const bool f32 = v->split->sample.type == DATA_F32;
    *s = (struct augment_sample){.step = v->step,
                                 .steps = steps,
                                 .size = v->size,
                                 .id = {{v->recipe->seed, 0}, (uint32_t)position, epoch},
                                 .from = {f32 ? NULL : values, f32 ? values : NULL}};
    augment_draw(s);
    return values;
}

/* With the one that is mixed in: the batch tells which. */
static bool make_picture(const struct view *v, const struct order *o, int steps, uint32_t epoch, int64_t position,
                         float *to, struct data_error *e)
{
    const int64_t batch = v->recipe->batch > 0 ? v->recipe->batch : AUGMENT_BLOCK, row = position % batch,
                  first = position - row;
    const int64_t rows = v->split->count - first < batch ? v->split->count - first : batch;
    const int64_t from = first + augment_partner(row, rows);
    struct augment_sample s, other;
    if (!sample_of(v, steps, epoch, position, order_at(o, (uint32_t)position), v->room[0], &s, e) ||
        !sample_of(v, steps, epoch, from, order_at(o, (uint32_t)from), v->room[1], &other, e))
        return false;
    s.other = &other;
    for (int c = 0; c < v->size.channels; c++)
        for (int y = 0; y < v->size.height; y++)
            for (int x = 0; x < v->size.width; x++)
                *to++ = augmented(&s, steps, c, y, x);
    return true;
}

static const char *output_of(const struct options *o)
{
    return o->output ? o->output : "augmented.png";
}

static int draw(const struct job *j, const struct view *v, const int64_t *chosen, int n, float *pixels)
{
    static char column[COLUMNS][LABEL], label[PICTURES][LABEL];
    const char *row[PICTURES];
    struct sheet_cell cell[PICTURES * COLUMNS] = {{0}};
    const int64_t each = (int64_t)v->size.channels * v->size.height * v->size.width;
    const char *output = output_of(j->options);
    struct data_error e;
    for (int k = 0; k < COLUMNS; k++) {
        const uint32_t epoch = (uint32_t)(k ? k - 1 : 0);
        const struct order order = order_of_epoch(v, epoch);
        int64_t position[PICTURES] = {0};
        snprintf(column[k], LABEL, k ? "epoch %d" : "as read", k);
        find_positions(v, &order, chosen, n, position);
        for (int i = 0; i < n; i++) {
            float *to = pixels + (i * COLUMNS + k) * each;
            if (!make_picture(v, &order, k ? v->steps : 0, epoch, position[i], to, &e))
                return complain(STATUS_DATA, "%s", e.text);
            cell[i * COLUMNS + k] = (struct sheet_cell){.image = to, .line = {{.text = column[k]}}};
        }
    }
    for (int i = 0; i < n; i++) {
        const int64_t class = j->data.classes ? data_class(v->split, chosen[i]) : chosen[i];
        snprintf(label[i], LABEL, "%lld%s%s", (long long)class, class < j->data.class_names ? " " : "",
                 class < j->data.class_names ? j->data.class_name[class] : "");
        row[i] = label[i];
    }
    const struct sheet s = {.type = DATA_F32,
                            .channels = v->size.channels,
                            .height = v->size.height,
                            .width = v->size.width,
                            .white = v->split->sample.type == DATA_F32 ? 1 : 255,
                            .cells = n * COLUMNS,
                            .columns = COLUMNS,
                            .cell = cell,
                            .row = row};
    if (!sheet_save(&s, output, &e))
        return complain(STATUS_DATA, "%s", e.text);
    printf("%s: %d pictures as they are read, and as training with seed %lu sees them in its first %d epochs\n", output,
           n, (unsigned long)j->recipe.seed, EPOCHS);
    return 0;
}

int inspect_augment(struct job *j)
{
    const struct options *o = j->options;
    struct view v = {.recipe = &j->recipe};
    v.steps = plan_augment(j->plan, v.step);
    int64_t chosen[PICTURES];
    if (v.steps == 0)
        return complain(STATUS_USAGE, "%s augments nothing: `data { augment = [RandomFlip] }` would", o->plan);
    int status = output_spares(j, NULL, output_of(o));
    if (status)
        return status;
    status = samples_open(j->plan, o->folder, o->skip_damaged, samples_most(o), &j->data);
    if (status == 0 && j->data.train.count == 0)
        status = complain(STATUS_DATA, "%s: no training set there", o->folder);
    if (status == 0 && j->recipe.holdout > 0)
        status = holdout_take(&j->data, j->recipe.holdout, j->recipe.seed);
    if (status)
        return status;
    v.size = augment_size(&j->plan->tensor[tensor_with_role(j->plan, ROLE_INPUT)]);
    v.split = &j->data.train;
    const int n = choose(&j->data, chosen);
    float *pixels = calloc((size_t)n * COLUMNS,
                           (size_t)v.size.channels * (size_t)v.size.height * (size_t)v.size.width * sizeof *pixels);
    for (int i = 0; i < 2; i++)
        v.room[i] = malloc((size_t)v.split->sample.bytes);
    status =
        pixels && v.room[0] && v.room[1] ? draw(j, &v, chosen, n, pixels) : complain(STATUS_INTERNAL, "out of memory");
    free(v.room[0]);
    free(v.room[1]);
    free(pixels);
    return status;
}
