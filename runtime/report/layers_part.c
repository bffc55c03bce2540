/* layers_part.c: the model, compiled once more from the text in its plan, as a table of layers; and the plan's memory. */
#include "netc/layers.h"
#include "netc/map.h"
#include "plan/plan_text.h"
#include "page.h"
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MAP = 600000, MOST_LAYERS = 1500 }; /* bytes of the picture of memory; rows */

/* ---- time ---- */

/* The training step of profile.json; NULL: there is none. */
static const json_t *step_of(const json_t *profile)
{
    size_t i;
    json_t *phase;
    json_array_foreach(json_object_get(profile, "phases"), i, phase)
    {
        const char *word = json_string_value(json_object_get(phase, "phase"));
        if (word && strcmp(word, phase_word[PHASE_TRAIN]) == 0)
            return phase;
    }
    return NULL;
}

/* Names of layers without parameters have _ for dots in kernels. */
static bool is_of(const char *name, const struct layer *l)
{
    size_t i = 0;
    for (; name[i] && (name[i] == l->path[i] || (!l->params && name[i] == '_' && l->path[i] == '.')); i++)
        ;
    return !name[i] && !l->path[i];
}

/* Share of the step in which the layer's kernels ran; NaN: it has none of its own. */
static double share_of(const json_t *step, const struct layer *l)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(step, "layers"), i, one)
    {
        const char *name = json_string_value(json_object_get(one, "layer"));
        if (name && is_of(name, l))
            return json_number_value(json_object_get(one, "share"));
    }
    return NAN;
}

static void put_share(double share, FILE *out)
{
    char text[32];
    snprintf(text, sizeof text, "%.1f %%", 100 * share);
    page_number(share, text, out);
}

static void explain_time(const json_t *step, double layers, FILE *out)
{
    const double seconds = json_number_value(json_object_get(step, "seconds"));
    fputs(" ", out);
    markup_print(
        out,
        "Time: the share of a training step of %.4g ms, forward and backward, as --profile measured it; what is fused into "
        "a layer is in that one's. All else takes %.1f %%: the optimizer, the loss, and what is between kernels.",
        1000 * seconds, 100 * (1 - layers));
}

/* ---- layers ---- */

static void put_layer(struct region *region, const struct layer *l, const json_t *step, FILE *out)
{
    fputs("<tr>", out);
    fprintf(out, l->input ? "<td></td>" : "<td class=\"n\">%d</td>", l->number);
    page_cell(l->named ? l->path : "", out);
    page_cell(l->label, out);
    fprintf(out, "<td class=\"n\" data-v=\"%lld\">", (long long)value_elements(l->out));
    markup_text(shape_text(region, l->out), out);
    fputs("</td>", out);
    page_number((double)l->params, grouped(region, l->params), out);
    page_number((double)l->macs, grouped(region, l->macs), out);
    if (step)
        put_share(share_of(step, l), out);
    page_cell(l->input ? "" : l->trains ? l->fate : "prediction only", out);
    fputs("</tr>\n", out);
}

static void put_layers(const struct compilation *c, const json_t *step, FILE *out)
{
    static const char *const plain[] = {"#", "name", "layer", "output", "parameters", "MACs", "how", NULL},
                             *const timed[] = {"#",    "name", "layer", "output", "parameters",
                                               "MACs", "time", "how",   NULL};
    int n;
    const struct layer *list = layers_of(c, &n);
    int64_t macs = 0;
    double share = 0;
    fputs("<div class=\"scroll\"><table class=\"sorts\">\n", out);
    page_head(step ? timed : plain, step ? "nllnnnnl" : "nllnnnl", out);
    fputs("<tbody>\n", out);
    for (int i = 0; i < n; i++) {
        const double own = step ? share_of(step, &list[i]) : NAN;
        macs += list[i].macs;
        share += isnan(own) ? 0 : own;
        if (i < MOST_LAYERS)
            put_layer(c->region, &list[i], step, out);
    }
    fprintf(
        out,
        "</tbody>\n<tfoot><tr><td></td><td>total</td><td></td><td></td><td class=\"n\">%s</td><td class=\"n\">%s</td>",
        grouped(c->region, c->plan->params), grouped(c->region, macs));
    if (step)
        put_share(share, out);
    fputs("<td></td></tr></tfoot>\n</table></div>\n<p class=\"soft\">", out);
    if (n > MOST_LAYERS)
        fprintf(out, "The first %d of %d; netc --summary has all. ", MOST_LAYERS, n);
    fputs("Output: the shape of one sample's result. MACs: multiply-adds of Conv and Linear in one "
          "sample's forward pass. How: the kernel that computes a layer, and what is done in it at once.",
          out);
    if (step)
        explain_time(step, share, out);
    fputs("</p>\n", out);
}

void report_layers(const struct report *r, FILE *out)
{
    struct region *region = region_new();
    struct compilation c;
    if (model_again(r->plan, region, &c))
        put_layers(&c, step_of(r->profile), out);
    else
        report_nothing("The text in the plan is not one that this version compiles.", out);
    region_free(region);
}

/* ---- memory ---- */

static int64_t rows_of(const struct report *r, const char *key, const char *instead)
{
    const json_t *value = json_object_get(r->settings, key);
    if (!value && instead)
        value = json_object_get(r->settings, instead);
    const int64_t n = json_integer_value(value);
    return n > 0 && n <= INT32_MAX ? (n + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK : 0;
}

/* Of the phases that a training runs. */
static char *draw_memory(const struct report *r, bool evaluates)
{
    const char *device = json_string_value(json_object_get(r->settings, "device"));
    const struct target *target = target_find(device && strncmp(device, "cuda", 4) == 0 ? "cuda" : "cpu");
    int64_t rows[PHASE_COUNT] = {[PHASE_TRAIN] = rows_of(r, "micro_batch", "batch"),
                                 [PHASE_EVALUATE] = evaluates ? rows_of(r, "evaluation_batch", NULL) : 0};
    char *text = NULL;
    size_t size;
    bool some = false;
    for (int ph = 0; target && ph < PHASE_COUNT; ph++) {
        const struct schedule *s = plan_schedule(r->plan, target_schedules(target), (enum phase)ph);
        rows[ph] = s && schedule_alone(r->plan, s, rows[ph]) > 0 ? rows[ph] : 0;
        some |= rows[ph] > 0;
    }
    FILE *to = some ? open_memstream(&text, &size) : NULL;
    if (!to)
        return NULL;
    memory_svg(r->plan, target_schedules(target), rows, to);
    if (fclose(to) == 0 && size <= MOST_MAP)
        return text;
    free(text);
    return NULL;
}

void report_memory(const struct report *r, FILE *out)
{
    char *picture = draw_memory(r, true);
    picture = picture ? picture : draw_memory(r, false);
    if (!picture) {
        report_nothing(
            "Too many buffers for this page, or no batch that is known: netc MODEL --memory-map=FILE.svg draws the plan.",
            out);
        return;
    }
    fputs("<figure class=\"wide map\">", out);
    fputs(picture, out);
    fputs(
        "<figcaption>Time goes to the right, a kernel a column; addresses go up. Each rectangle is a buffer: it tells its name, size "
        "and life under the mouse. The black line is the arena, the one piece of memory that was taken; the dashed red one is LB, "
        "the least that any plan could have.</figcaption></figure>\n",
        out);
    free(picture);
}
