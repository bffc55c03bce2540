/* count_line.c: the lines of a body as the counter reads them: statements of C, with loops whose bounds are numbers. */
#include "count.h"

#include <ctype.h>
#include <stdlib.h>

void count_open(struct counter *c)
{
    if (c->depth == COUNT_NESTING - 1)
        count_give_up(c);
    else
        c->nest[++c->depth] = c->next;
}

static void close_brace(struct counter *c)
{
    if (!c->depth)
        count_give_up(c);
    else
        c->next = c->nest[--c->depth];
}

/* `const V x = e, y[] = {e, e};` behind its type. A list that does not end in the line is a block of lines of its own. */
static void declaration(struct counter *c, struct type t)
{
    do {
        const char *what = region_copy(c->writer->region, count_word(c));
        struct type of = t;
        if (count_take(c, "[")) {
            of = (struct type){.kind = VALUE_POINTER, .element = t.kind};
            while (*c->at && *c->at != ']')
                c->at++;
            count_need(c, "]");
        }
        const bool begins = count_take(c, "=");
        if (begins && count_take(c, "{")) {
            count_blank(c);
            if (!*c->at)
                count_open(c);
            while (*c->at && !count_take(c, "}")) {
                count_used(c, count_expression(c));
                count_take(c, ",");
            }
        } else if (begins) {
            const struct type value = count_used(c, count_expression(c));
            if (t.kind == VALUE_POINTER)
                of = value;
        }
        count_name(c, what, of);
    } while (count_take(c, ","));
}

/* By what put_times told. */
static double told(struct counter *c)
{
    const double times = c->told;
    c->told = -1;
    if (times < 0)
        count_give_up(c);
    return times;
}

static const char *rows_text(struct counter *c)
{
    return region_printf(c->writer->region, "a->control[%d]", CTL_ROWS);
}

/* `(int r = 0; r < 3; r++)`; the bound may be the rows of the batch. */
static void loop(struct counter *c)
{
    double times = -1;
    struct type t;
    count_need(c, "(");
    if (!count_type(c, &t))
        count_give_up(c);
    count_name(c, count_word(c), t);
    count_need(c, "=");
    const bool zero = count_take(c, "0");
    if (!zero)
        count_expression(c);
    count_need(c, ";");
    count_word(c);
    count_need(c, "<");
    count_blank(c);
    if (zero && isdigit((unsigned char)*c->at))
        times = strtod(c->at, (char **)&c->at);
    else if (zero && (count_take(c, "rows") || count_take(c, rows_text(c)))) {
        c->next.rows = true;
        times = 1;
    }
    count_blank(c);
    if (*c->at != ';') {
        count_take(c, "=");
        count_expression(c);
        times = -1;
    }
    c->next.most *= times < 0 ? c->told_most : times;
    c->next.times *= times < 0 ? told(c) : times;
    count_need(c, ";");
    count_word(c);
    count_need(c, "++");
    count_need(c, ")");
}

static void assignment(struct counter *c)
{
    const char *from = c->at;
    const struct counted_name *sum = isalpha((unsigned char)*from) ? count_find(c, count_word(c)) : NULL;
    c->at = from;
    const struct type to = count_operand(c);
    const char *const at = c->at;
    const bool adds = count_take(c, "+="),
               changes = adds || count_take(c, "-=") || count_take(c, "*=") || count_take(c, "/=");
    if (!changes && !(count_take(c, "=") && *c->at != '=')) {
        c->at = at;
        count_used(c, count_rest(c, to));
        return;
    }
    if (changes)
        count_used(c, to);
    const struct type both = count_wider(to, count_used(c, count_expression(c)));
    count_work(c)->written += to.bytes * c->next.times;
    if (changes && both.kind > VALUE_CONSTANT)
        count_flops(c, both, 1);
    if (adds && both.kind > VALUE_CONSTANT)
        count_term(c, sum, to.wide);
}

static void simple(struct counter *c)
{
    struct type t;
    if (count_take(c, "enum")) {
        count_need(c, "{");
        while (*c->at && !count_take(c, "}")) {
            count_name(c, count_word(c), (struct type){0});
            count_need(c, "=");
            count_expression(c);
            count_take(c, ",");
        }
    } else if (count_take(c, "continue")) {
        c->nest[c->depth].times *= told(c);
    } else if (!count_take(c, "return")) {
        if (count_type(c, &t))
            declaration(c, t);
        else
            assignment(c);
    }
    if (*c->at && !count_take(c, ","))
        count_need(c, ";");
    c->next = c->nest[c->depth];
}

void count_line(struct writer *w, const char *line)
{
    struct counter *c = w->counter;
    c->at = line;
    c->loads = 0;
    for (count_blank(c); *c->at; count_blank(c)) {
        if (count_take(c, "{"))
            count_open(c);
        else if (count_take(c, "}"))
            close_brace(c), count_take(c, ";");
        else if (count_take(c, "for") || (count_take(c, "UNROLL") && count_take(c, "for")))
            loop(c);
        else if (count_take(c, "if")) {
            count_need(c, "(");
            count_expression(c);
            count_need(c, ")");
        } else
            simple(c);
    }
}
