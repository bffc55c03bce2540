/* json.c: the compilation for other programs, as JSON. */
#include "layers.h"
#include "plan/plan_text.h"

#include <inttypes.h>
#include <string.h>

/* Length of the UTF-8 sequence at `text` (RFC 3629), 0 if it is none. */
static int utf8_length(const unsigned char *text)
{
    static const struct {
        unsigned char from, to, low, high;
        int n;
    } lead[] = {{0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
                {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (int i = 0; i < COUNT(lead); i++) {
        if (*text < lead[i].from || *text > lead[i].to)
            continue;
        if (lead[i].n > 1 && (text[1] < lead[i].low || text[1] > lead[i].high))
            return 0;
        for (int k = 2; k < lead[i].n; k++)
            if ((text[k] & 0xc0) != 0x80)
                return 0;
        return lead[i].n;
    }
    return 0;
}

/* A quoted string; bytes that are no UTF-8 (they can stand in a file's name) become U+FFFD. */
static void json_text(const char *text, FILE *out)
{
    putc('"', out);
    for (int n; *text; text += n ? n : 1) {
        n = utf8_length((const unsigned char *)text);
        if (!n)
            fputs("\\ufffd", out);
        else if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < 32 || *text == 127)
            fprintf(out, "\\u%04x", *text);
        else
            fwrite(text, 1, (size_t)n, out);
    }
    putc('"', out);
}

static void json_member(const char *name, const char *text, FILE *out)
{
    fprintf(out, "\"%s\": ", name);
    json_text(text, out);
    fputs(", ", out);
}

static void json_number(const char *name, int64_t n, FILE *out)
{
    fprintf(out, "\"%s\": %" PRId64 ", ", name, n);
}

static void json_shape(const struct tensor *t, FILE *out)
{
    fputs("\"shape\": [", out);
    for (int i = 0; i < t->rank; i++)
        fprintf(out, "%s%" PRId64, i ? ", " : "", t->dim[i]);
    fputs("]", out);
}

/* Between the elements of a list, one a line. */
static const char *comma(int i)
{
    return i ? ",\n    " : "\n    ";
}

static void json_settings(const struct plan *p, FILE *out)
{
    fputs("  \"settings\": {", out);
    for (int i = 0; i < p->nsetting; i++) {
        const struct setting *s = &p->setting[i];
        fputs(comma(i), out);
        json_text(s->key, out);
        fputs(": ", out);
        if (s->text)
            json_text(s->text, out);
        for (int k = 0; !s->text && k < s->n; k++)
            fprintf(out, "%s%.17g", k ? ", " : s->n > 1 ? "[" : "", s->num[k]);
        if (!s->text && s->n != 1)
            fputs(s->n ? "]" : "[]", out);
    }
    fputs("\n  },\n", out);
}

static void json_layers(const struct compilation *c, FILE *out)
{
    int n;
    const struct layer *list = layers_of(c, &n);
    fputs("  \"layers\": [", out);
    for (int i = 0; i < n; i++) {
        const struct layer *l = &list[i];
        fprintf(out, "%s{", comma(i));
        json_number("index", l->number, out);
        json_member("name", l->path, out);
        json_member("layer", l->label, out);
        json_number("line", l->out->loc.line, out);
        json_number("params", l->params, out);
        for (int rule = 0; rule < FLOPS_RULES; rule++)
            json_number(flops_rules[rule].name, layer_flops(list, i, rule), out);
        json_number("kept", l->kept, out);
        fprintf(out, "\"trains\": %s, ", l->trains ? "true" : "false");
        fprintf(out, "\"predicts\": %s, ", l->predicts ? "true" : "false");
        json_member("how", l->fate, out);
        json_shape(&l->out->t, out);
        fputs("}", out);
    }
    fputs("\n  ],\n", out);
}

static void json_phases(const struct plan *p, FILE *out)
{
    fputs("  \"phases\": [", out);
    for (int i = 0; i < p->nschedule; i++) {
        const struct schedule *s = &p->schedule[i];
        fprintf(out, "%s{", comma(i));
        json_member("phase", phase_word[s->phase], out);
        json_member("target", s->target->name, out);
        json_number("fixed", s->fixed, out);
        json_number("parts", s->parts, out);
        json_number("per_row", s->per_row, out);
        json_number("bound_per_row", s->bound_per_row, out);
        json_number("peak_step", s->peak_step, out);
        fputs("\"kernels\": [", out);
        for (int k = s->first_kernel; k < s->last_kernel; k++) {
            fputs(k > s->first_kernel ? ", " : "", out);
            json_text(p->kernel[k].name, out);
        }
        fputs("]}", out);
    }
    fputs("\n  ],\n", out);
}

static void json_tensors(const struct plan *p, FILE *out)
{
    fputs("  \"tensors\": [", out);
    for (int i = 0; i < p->ntensor; i++) {
        const struct tensor *t = &p->tensor[i];
        fprintf(out, "%s{", comma(i));
        json_member("name", t->name, out);
        json_member("role", role_word[t->role], out);
        json_member("dtype", dtype_word[t->dtype], out);
        json_member("layout", layout_word(t), out);
        json_number("phase", t->schedule, out);
        json_number("base", t->base, out);
        json_number("at", t->at, out);
        json_number("bytes", t->bytes, out);
        json_number("offset", t->offset, out);
        json_number("first", t->first, out);
        json_number("last", t->last, out);
        fprintf(out, "\"rows\": %s, ", t->rows ? "true" : "false");
        json_shape(t, out);
        fputs("}", out);
    }
    fputs("\n  ]\n", out);
}

/* Bytes are exact; `slots` of the persistent ones come first, and only training has them; a tensor's phase is its index in phases, -1: all of them share it. */
void print_json(const struct compilation *c, FILE *out)
{
    const struct plan *p = c->plan;
    fputs("{\n  ", out);
    json_member("net", p->net, out);
    json_member("file", p->file, out);
    json_number("params", p->params, out);
    json_number("macs", p->macs, out);
    json_number("persistent", p->persistent, out);
    json_number("slots", plan_slots(p), out);
    fprintf(out, "\"row_block\": %d,\n", ROW_BLOCK);
    json_settings(p, out);
    json_layers(c, out);
    json_phases(p, out);
    json_tensors(p, out);
    fputs("}\n", out);
}
