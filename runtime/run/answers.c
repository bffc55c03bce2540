#include "answers.h"

#include <math.h>
#include <string.h>

enum { SHOWN = 10 }; /* classes that people see at most */

void answer_number(double value, int digits, FILE *out)
{
    if (isnan(value))
        fputs("nan", out);
    else
        fprintf(out, "%.*g", digits, value);
}

const struct answer_output *answer_classes(const struct answer *a)
{
    for (int i = 0; i < a->outputs; i++)
        if (a->output[i].classes)
            return &a->output[i];
    return NULL;
}

/* ---- text ---- */

/* " cat", or nothing. */
static void say_name(const struct answer *a, int64_t class, FILE *out)
{
    if (class < a->names)
        fprintf(out, " %s", a->name[class]);
}

static void say_truth(const struct answer *a, const struct answer_output *o, FILE *out)
{
    if (o->role == ROLE_LOGITS && a->class >= 0) {
        fprintf(out, " (it is %s%lld", o->classes ? "" : "class ", (long long)a->class);
        say_name(a, a->class, out);
        fputc(')', out);
    }
    if (o->role != ROLE_ESTIMATE || !a->target)
        return;
    fputs(" (it is", out);
    for (int64_t i = 0; i < a->targets; i++) {
        fputc(' ', out);
        answer_number(a->target[i], 6, out);
    }
    fputc(')', out);
}

static void say_output(const struct answer *a, const struct answer_output *o, FILE *out)
{
    fprintf(out, "%s: %s =", a->sample, o->name);
    if (o->classes && o->best < 0)
        fputs(" no class, its values are not finite", out);
    else if (o->classes) {
        fprintf(out, " class %lld", (long long)o->best);
        say_name(a, o->best, out);
        fprintf(out, ", %.2f %%", 100 * o->probability[o->best]);
    }
    for (int64_t i = 0; !o->classes && i < o->n; i++) {
        fputc(' ', out);
        answer_number(o->value[i], 6, out);
    }
    say_truth(a, o, out);
    fprintf(out, "%s\n", a->made_up);
}

/* Descending, equals in the order of their classes. */
static void say_classes(const struct answer *a, const struct answer_output *o, FILE *out)
{
    double above = INFINITY;
    int64_t last = -1;
    for (int shown = 0; o->best >= 0 && shown < SHOWN && shown < o->n; shown++) {
        int64_t next = -1;
        for (int64_t i = 0; i < o->n; i++) {
            bool remains = o->probability[i] < above || (o->probability[i] == above && i > last);
            if (remains && (next < 0 || o->probability[i] > o->probability[next]))
                next = i;
        }
        above = o->probability[next];
        last = next;
        fprintf(out, "  %4lld  %6.2f %%%s", (long long)next, 100 * above, a->names ? " " : "");
        say_name(a, next, out);
        fputc('\n', out);
    }
}

void answer_say(const struct answer *a, bool whole, FILE *out)
{
    for (const struct answer_output *o = a->output; o < a->output + a->outputs; o++) {
        say_output(a, o, out);
        if (whole && o->classes)
            say_classes(a, o, out);
    }
}

/* ---- JSON ---- */

static void tell_output(const struct answer *a, const struct answer_output *o, struct event_line *l)
{
    event_open(l, o->name, '{');
    if (o->classes && o->best >= 0)
        event_integer(l, "class", o->best);
    if (o->classes && o->best >= 0 && o->best < a->names)
        event_text(l, "name", a->name[o->best]);
    event_open(l, o->classes ? "probabilities" : "values", '[');
    for (int64_t i = 0; i < o->n; i++)
        event_number(l, NULL, o->classes ? o->probability[i] : (double)o->value[i]);
    event_close(l, ']');
    event_close(l, '}');
}

bool answer_tell(const struct answer *a, struct job *j)
{
    struct event_line line = {.to = j->tell.json}, *l = &line;
    event_begin(l, "predict");
    event_text(l, "sample", a->sample);
    event_weights(l, j->weights, j->synthetic_weights);
    if (a->class >= 0)
        event_integer(l, "true", a->class);
    if (a->target) {
        event_open(l, "true", '[');
        for (int64_t i = 0; i < a->targets; i++)
            event_number(l, NULL, a->target[i]);
        event_close(l, ']');
    }
    event_open(l, "outputs", '{');
    for (int i = 0; i < a->outputs; i++)
        tell_output(a, &a->output[i], l);
    event_close(l, '}');
    return event_end(l, j->data.synthetic);
}
