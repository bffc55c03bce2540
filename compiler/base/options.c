/* options.c: the parser of the option table, on top of getopt_long. */
#include "options.h"
#include "base.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_LONG = 256 };       /* getopt's value of row i is FIRST_LONG + i, so that letters never clash */

struct option_reader {
    const struct option_table *table;
    int argc, rows;
    char **argv;
    struct region *region;
    struct option *longs;
    char *letters;
    bool *seen;                  /* of each row */
};

static int argument_kind(const struct option_row *row)
{
    if (!row->arg)
        return no_argument;
    return row->arg[0] == '[' ? optional_argument : required_argument;
}

struct option_reader *options_open(const struct option_table *t, int argc, char **argv)
{
    int rows = 0;
    while (t->row[rows].name)
        rows++;
    struct region *region = region_new();
    struct option_reader *r = region_alloc(region, 1, sizeof *r);
    *r = (struct option_reader){ .table = t, .argc = argc, .rows = rows, .argv = argv, .region = region };
    r->longs = region_alloc(region, (size_t)rows + 1, sizeof *r->longs);
    r->letters = region_alloc(region, 3 * (size_t)rows + 2, 1);
    r->seen = region_alloc(region, (size_t)rows + 1, sizeof *r->seen);
    char *letter = r->letters;
    *letter++ = ':';             /* a missing argument is told apart from an unknown option */
    for (int i = 0; i < rows; i++) {
        const struct option_row *row = &t->row[i];
        r->longs[i] = (struct option){ row->name, argument_kind(row), NULL, FIRST_LONG + i };
        if (!row->letter)
            continue;
        *letter++ = row->letter;
        for (int colons = argument_kind(row); colons > 0; colons--)
            *letter++ = ':';
    }
    opterr = 0;
    optind = 0;                  /* glibc, musl: start afresh */
    return r;
}

static int row_of(const struct option_reader *r, int value)
{
    if (value >= FIRST_LONG)
        return value - FIRST_LONG;
    for (int i = 0; i < r->rows; i++)
        if (r->table->row[i].letter == value)
            return i;
    return OPTIONS_WRONG;
}

static int unknown(const struct option_reader *r, FILE *errors)
{
    const char *program = r->table->program, *given = r->argv[optind - 1];
    if (optopt > 0 && optopt < FIRST_LONG) {
        fprintf(errors, "%s: error: there is no option -%c\n", program, optopt);
    } else if (optopt >= FIRST_LONG) {
        fprintf(errors, "%s: error: --%s takes no argument\n", program, r->table->row[optopt - FIRST_LONG].name);
    } else {
        const char **names = region_alloc(r->region, (size_t)r->rows, sizeof *names);
        for (int i = 0; i < r->rows; i++)
            names[i] = r->table->row[i].name;
        char *name = region_copy(r->region, given + 2);
        name[strcspn(name, "=")] = '\0';
        const char *nearest = diag_nearest(name, names, r->rows);
        fprintf(errors, "%s: error: there is no option --%s", program, name);
        if (nearest)
            fprintf(errors, "; did you mean --%s?", nearest);
        fputc('\n', errors);
    }
    fprintf(errors, "  = help: `%s --help` shows examples, `%s --help=all` every option\n", program, program);
    return OPTIONS_WRONG;
}

static bool in_choice(const char *choice, const char *value)
{
    size_t length = strlen(value);
    for (const char *word = choice;; word++) {
        size_t n = strcspn(word, "|");
        /* "cuda[:N]" stands for every word that starts with cuda; its reader looks at the rest. */
        size_t stem = strcspn(word, "[");
        if (stem < n ? strncmp(word, value, stem) == 0 : n == length && strncmp(word, value, n) == 0)
            return true;
        word += n;
        if (!*word)
            return false;
    }
}

/* Is an option among those that `list` names with their dashes? */
static bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += length)
        if (at - list >= 2 && at[-1] == '-' && at[-2] == '-' && strchr(" ,", at[length]))      /* or its end */
            return true;
    return false;
}

/* An option that would change nothing is a mistake of somebody. */
static int end_of(const struct option_reader *r, FILE *errors)
{
    for (const struct option_pair *p = r->table->pair; p && p->option; p++) {
        bool given = false, beside = false;
        for (int i = 0; i < r->rows; i++) {
            given |= r->seen[i] && strcmp(r->table->row[i].name, p->option) == 0;
            beside |= r->seen[i] && is_listed(p->with, r->table->row[i].name);
        }
        if (!given || beside)
            continue;
        fprintf(errors, "%s: error: --%s has no effect without %s\n", r->table->program, p->option, p->with);
        return OPTIONS_WRONG;
    }
    return OPTIONS_END;
}

int options_next(struct option_reader *r, const char **value, FILE *errors)
{
    *value = NULL;
    int got = getopt_long(r->argc, r->argv, r->letters, r->longs, NULL);
    if (got == -1)
        return end_of(r, errors);
    if (got == '?')
        return unknown(r, errors);
    if (got == ':') {
        int i = row_of(r, optopt);
        fprintf(errors, "%s: error: --%s needs an argument: %s\n", r->table->program, r->table->row[i].name,
                r->table->row[i].arg);
        return OPTIONS_WRONG;
    }
    int i = row_of(r, got);
    const struct option_row *row = &r->table->row[i];
    bool may_be_apart = row->arg && row->arg[0] == '[' && row->arg[1] != '=';
    if (!optarg && may_be_apart && optind < r->argc && r->argv[optind][0] != '-')
        optarg = r->argv[optind++];
    *value = optarg;
    r->seen[i] = true;
    if (option_is_choice(row) && !in_choice(row->arg, optarg)) {
        fprintf(errors, "%s: error: --%s is one of %s, not `%s`\n", r->table->program, row->name, row->arg, optarg);
        return OPTIONS_WRONG;
    }
    return i;
}

int options_rest(const struct option_reader *r)
{
    return optind < r->argc ? optind : r->argc;
}

void options_close(struct option_reader *r)
{
    region_free(r->region);
}
