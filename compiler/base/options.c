/* options.c: the parser of the option table, on top of getopt_long. */
#include "options.h"
#include "base.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_LONG = 256 }; /* getopt's value of row i is FIRST_LONG + i, so that letters never clash */

struct reader {
    const struct option_table *table;
    int argc, rows;
    char **argv;
    struct region *region;
    struct option *longs;
    char *letters;
    bool *seen; /* of each row */
};

static int argument_kind(const struct option_row *row)
{
    if (!row->arg)
        return no_argument;
    return row->arg[0] == '[' ? optional_argument : required_argument;
}

static struct reader open_reader(const struct option_table *t, int argc, char **argv)
{
    struct reader r = {.table = t, .argc = argc, .argv = argv, .region = region_new()};
    while (t->row[r.rows].name)
        r.rows++;
    r.longs = region_alloc(r.region, (size_t)r.rows + 1, sizeof *r.longs);
    r.letters = region_alloc(r.region, 3 * (size_t)r.rows + 2, 1);
    r.seen = region_alloc(r.region, (size_t)r.rows + 1, sizeof *r.seen);
    char *letter = r.letters;
    *letter++ = ':'; /* a missing argument is told apart from an unknown option */
    for (int i = 0; i < r.rows; i++) {
        const struct option_row *row = &t->row[i];
        r.longs[i] = (struct option){row->name, argument_kind(row), NULL, FIRST_LONG + i};
        if (!row->letter)
            continue;
        *letter++ = row->letter;
        for (int colons = argument_kind(row); colons > 0; colons--)
            *letter++ = ':';
    }
    opterr = 0;
    optind = 0; /* glibc, musl: start afresh */
    return r;
}

static int row_of(const struct reader *r, int value)
{
    if (value >= FIRST_LONG)
        return value - FIRST_LONG;
    int i = 0;
    while (r->table->row[i].letter != value)
        i++;
    return i;
}

static int unknown(const struct reader *r)
{
    const char *program = r->table->program, *given = r->argv[optind - 1];
    if (optopt > 0 && optopt < FIRST_LONG) {
        fprintf(stderr, "%s: error: there is no option -%c\n", program, optopt);
    } else if (optopt >= FIRST_LONG) {
        fprintf(stderr, "%s: error: --%s takes no argument\n", program, r->table->row[optopt - FIRST_LONG].name);
    } else {
        const char **names = region_alloc(r->region, (size_t)r->rows, sizeof *names);
        for (int i = 0; i < r->rows; i++)
            names[i] = r->table->row[i].name;
        char *name = region_copy(r->region, given + 2);
        name[strcspn(name, "=")] = '\0';
        const char *nearest = diag_nearest(name, names, r->rows);
        fprintf(stderr, "%s: error: there is no option --%s", program, name);
        if (nearest)
            fprintf(stderr, "; did you mean --%s?", nearest);
        fputc('\n', stderr);
    }
    fprintf(stderr, "  = help: `%s --help` shows examples, `%s --help=all` every option\n", program, program);
    return OPTIONS_USAGE;
}

/* The place of `value` among the words of a choice; -1: it is none of them. */
static int choice_of(const char *choice, const char *value)
{
    size_t length = strlen(value);
    for (int place = 0;; place++) {
        size_t n = strcspn(choice, "|");
        /* "cuda[:N]" stands for every word that starts with cuda; its reader looks at the rest. */
        size_t stem = strcspn(choice, "[");
        if (stem < n ? strncmp(choice, value, stem) == 0 : n == length && strncmp(choice, value, n) == 0)
            return place;
        choice += n;
        if (!*choice++)
            return -1;
    }
}

/* Is an option among those that `list` names with their dashes? */
static bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += length)
        if (at - list >= 2 && at[-1] == '-' && at[-2] == '-' && strchr(" ,", at[length])) /* or its end */
            return true;
    return false;
}

/* An option that would change nothing is a mistake of somebody. */
static int have_effect(const struct reader *r)
{
    for (const struct option_pair *p = r->table->pair; p && p->option; p++) {
        bool given = false, beside = false;
        for (int i = 0; i < r->rows; i++) {
            given |= r->seen[i] && strcmp(r->table->row[i].name, p->option) == 0;
            beside |= r->seen[i] && is_listed(p->with, r->table->row[i].name);
        }
        if (!given || beside)
            continue;
        fprintf(stderr, "%s: error: --%s has no effect without %s\n", r->table->program, p->option, p->with);
        return OPTIONS_USAGE;
    }
    return OPTIONS_GO;
}

static int put_whole(const struct reader *r, const struct option_row *row, const char *value, int64_t *to)
{
    const struct option_effect *e = &row->effect;
    char range[80];
    if (option_integer(value, e->min, e->max, to))
        return OPTIONS_GO;
    int n = snprintf(range, sizeof range, "a whole number from %lld", (long long)e->min);
    if (e->max < INT64_MAX)
        snprintf(range + n, sizeof range - (size_t)n, " to %lld", (long long)e->max);
    return r->table->refuse(row->name, value, e->words ? e->words : range);
}

/* Does what the row says with the argument of its option; value NULL: there is none. */
static int apply(const struct reader *r, const struct option_row *row, const char *value, void *options)
{
    const struct option_effect *e = &row->effect;
    void *to = (char *)options + e->at;
    int place = option_is_choice(row) ? choice_of(row->arg, value) : 0;
    if (place < 0) {
        fprintf(stderr, "%s: error: --%s is one of %s, not `%s`\n", r->table->program, row->name, row->arg, value);
        return OPTIONS_USAGE;
    }
    switch (e->kind) {
    case OPTION_IS_FLAG:
        *(bool *)to = true;
        return OPTIONS_GO;
    case OPTION_IS_TEXT:
        *(const char **)to = value;
        return OPTIONS_GO;
    case OPTION_IS_WHOLE:
        return put_whole(r, row, value, to);
    case OPTION_IS_BYTES:
        return option_bytes(value, 0, to) ? OPTIONS_GO : r->table->refuse(row->name, value, e->words);
    case OPTION_IS_CHOICE:
        memcpy(to, &place, sizeof place);
        return OPTIONS_GO;
    case OPTION_IS_CALL:
        break;
    }
    return e->call(options, e, value);
}

/* The next option, done; *more is false where there is none. */
static int next(struct reader *r, void *options, bool *more)
{
    int got = getopt_long(r->argc, r->argv, r->letters, r->longs, NULL);
    *more = got != -1;
    if (!*more)
        return have_effect(r);
    if (got == '?')
        return unknown(r);
    int i = row_of(r, got == ':' ? optopt : got);
    const struct option_row *row = &r->table->row[i];
    if (got == ':') {
        fprintf(stderr, "%s: error: --%s needs an argument: %s\n", r->table->program, row->name, row->arg);
        return OPTIONS_USAGE;
    }
    bool may_be_apart = row->arg && row->arg[0] == '[' && row->arg[1] != '=';
    if (!optarg && may_be_apart && optind < r->argc && r->argv[optind][0] != '-')
        optarg = r->argv[optind++];
    r->seen[i] = true;
    return apply(r, row, optarg, options);
}

int options_parse(const struct option_table *t, int argc, char **argv, void *options, int *rest)
{
    struct reader r = open_reader(t, argc, argv);
    int status = OPTIONS_GO;
    for (bool more = true; more && status == OPTIONS_GO;)
        status = next(&r, options, &more);
    *rest = optind < argc ? optind : argc;
    region_free(r.region);
    return status;
}
