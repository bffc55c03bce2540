/* option_help.c: the option table as help text, manual page (roff, man(7)) and completion for bash. */
#include "options.h"

#include <ctype.h>
#include <string.h>

enum { COLUMN = 30, WIDTH = 80 }; /* where help texts start, and where lines end */

/* "  -q, --quiet", "      --train[=DIR]", "      --epochs=N"; returns its length. */
static int spelling(const struct option_row *row, char *text, size_t size)
{
    char letter[8] = "    ";
    if (row->letter)
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    if (!row->arg)
        return snprintf(text, size, "  %s--%s", letter, row->name);
    if (row->arg[0] != '[')
        return snprintf(text, size, "  %s--%s=%s", letter, row->name, row->arg);
    return snprintf(text, size, "  %s--%s[=%s", letter, row->name, row->arg + (row->arg[1] == '=' ? 2 : 1));
}

/* Words of `text` from column `at`, continued at column `indent`. */
static void wrapped(const char *text, int at, int indent, FILE *out)
{
    bool first = true;
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (!first && at + 1 + n > WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            fputc(' ', out);
            at++;
        }
        fwrite(text, 1, (size_t)n, out);
        at += n;
        text += n;
        text += strspn(text, " ");
        first = false;
    }
    fputc('\n', out);
}

static void help_row(const struct option_row *row, FILE *out)
{
    char text[160];
    int n = spelling(row, text, sizeof text);
    fputs(text, out);
    if (n + 2 > COLUMN) {
        fputc('\n', out);
        n = 0;
    }
    fprintf(out, "%*s", COLUMN - n, "");
    wrapped(row->help, COLUMN, COLUMN, out);
}

static void help_text(const struct option_table *t, bool all, FILE *out)
{
    int longest = 0;
    for (const struct option_example *e = t->example; e->command; e++)
        longest = (int)strlen(e->command) > longest ? (int)strlen(e->command) : longest;
    fprintf(out, "%s: %s\n\nExamples:\n", t->program, t->purpose);
    for (const struct option_example *e = t->example; e->command; e++)
        fprintf(out, "  %-*s  # %s\n", longest, e->command, e->purpose);
    fprintf(out, "\nUsage: %s %s\n", t->program, t->usage);
    const char *group = "";
    for (const struct option_row *row = t->row; row->name; row++) {
        if (row->rare && !all)
            continue;
        if (strcmp(group, row->group) != 0)
            fprintf(out, "\n%s:\n", row->group);
        group = row->group;
        help_row(row, out);
    }
    if (!all) {
        fprintf(out, "\n`%s --help=all` shows every option, `%s --help=man` is the manual page.\n", t->program,
                t->program);
        return;
    }
    for (const struct option_section *s = t->section; s->heading; s++) {
        fprintf(out, "\n%s:\n", s->heading);
        for (const char *line = s->text; *line;) {
            int n = (int)strcspn(line, "\n");
            fprintf(out, "  %.*s\n", n, line);
            line += n + (line[n] == '\n');
        }
    }
}

/* ---- manual page ---- */

static void roff(const char *text, size_t length, FILE *out)
{
    if (length && (text[0] == '.' || text[0] == '\''))
        fputs("\\&", out);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '-' || text[i] == '\\')
            fputs(text[i] == '-' ? "\\-" : "\\e", out);
        else
            fputc(text[i], out);
    }
}

static void roff_line(const char *before, const char *text, const char *after, FILE *out)
{
    fputs(before, out);
    roff(text, strlen(text), out);
    fputs(after, out);
}

static void capitals(const char *text, FILE *out)
{
    for (; *text; text++)
        fputc(toupper((unsigned char)*text), out);
}

static void manual(const struct option_table *t, FILE *out)
{
    fputs(".TH ", out);
    capitals(t->program, out);
    fprintf(out, " 1 \"\" \"%s %s\" \"User Commands\"\n.SH NAME\n%s", t->program, PROJECT_VERSION, t->program);
    roff_line(" \\- ", t->purpose, "\n.SH SYNOPSIS\n", out);
    fprintf(out, ".B %s\n", t->program);
    roff_line("", t->usage, "\n.SH EXAMPLES\n", out);
    for (const struct option_example *e = t->example; e->command; e++) {
        roff_line(".TP\n.B ", e->command, "\n", out);
        roff_line("", e->purpose, "\n", out);
    }
    fputs(".SH OPTIONS\n", out);
    const char *group = "";
    for (const struct option_row *row = t->row; row->name; row++) {
        if (strcmp(group, row->group) != 0)
            roff_line(".SS ", row->group, "\n", out);
        group = row->group;
        char text[160];
        spelling(row, text, sizeof text);
        roff_line(".TP\n.B ", text + strspn(text, " "), "\n", out);
        roff_line("", row->help, "\n", out);
    }
    for (const struct option_section *s = t->section; s->heading; s++) {
        fputs(".SH ", out);
        capitals(s->heading, out);
        fputs("\n.nf\n", out);
        for (const char *line = s->text; *line;) {
            size_t n = strcspn(line, "\n");
            roff(line, n, out);
            fputc('\n', out);
            line += n + (line[n] == '\n');
        }
        fputs(".fi\n", out);
    }
}

/* ---- completion ---- */

/* The shell's command that offers "auto|cpu|cuda[:N]" as the words auto cpu cuda, "last|RUN" as last. */
static void offer_words(const char *arg, FILE *out)
{
    bool any = false;
    for (const char *c = arg; *c; c += strcspn(c, "|"), c += *c == '|') {
        if (!islower((unsigned char)*c))
            continue;
        fprintf(out, "%s%.*s", any ? " " : "mapfile -t COMPREPLY < <(compgen -W '", (int)strcspn(c, "|["), c);
        any = true;
    }
    fputs(any ? "' -- \"$word\"); " : "", out);
}

/* Run folders with something in them to take up, below --runs or runs/, that begin with $word. */
static const char runs_function[] =
    "_netrun_runs()\n{\n"
    "    local i runs=runs\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        if [[ ${COMP_WORDS[i]} == --runs ]]; then runs=\"${COMP_WORDS[i + 1]}\"; fi\n"
    "        if [[ $runs == '=' ]]; then runs=\"${COMP_WORDS[i + 2]}\"; fi\n"
    "    done\n"
    "    for i in \"${runs%/}\"/*/last.safetensors; do\n"
    "        if [[ -e $i && ${i%/*} == \"$word\"* ]]; then COMPREPLY+=(\"${i%/*}\"); fi\n"
    "    done\n}\n";

/* The commands that add runs, folders or files. */
static void offer_names(const char *arg, FILE *out)
{
    if (strstr(arg, "RUN"))
        fputs("_netrun_runs; ", out);
    const char *kind = strstr(arg, "FILE") ? "-f" : strstr(arg, "DIR") ? "-d" : NULL;
    if (kind)
        fprintf(out, "mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen %s -- \"$word\"); ", kind);
}

static void completion(const struct option_table *t, FILE *out)
{
    fprintf(out, "# bash completion for %s; made by `%s --help=completion`\n", t->program, t->program);
    for (const struct option_row *row = t->row; row->name; row++)
        if (row->arg && strstr(row->arg, "RUN")) {
            fputs(runs_function, out);
            break;
        }
    fprintf(out, "_%s()\n{\n", t->program);
    fputs("    local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD - 1]}\"\n"
          "    if [[ $before == '=' ]]; then before=\"${COMP_WORDS[COMP_CWORD - 2]}\"; fi\n"
          "    if [[ $word == '=' ]]; then word=''; before=\"${COMP_WORDS[COMP_CWORD - 1]}\"; fi\n"
          "    COMPREPLY=()\n"
          "    case $before in\n",
          out);
    for (const struct option_row *row = t->row; row->name; row++) {
        if (!row->arg)
            continue;
        fprintf(out, "    --%s) ", row->name);
        offer_words(row->arg, out);
        offer_names(row->arg, out);
        fputs("return ;;\n", out);
    }
    fputs("    esac\n    if [[ $word == -* ]]; then\n        mapfile -t COMPREPLY < <(compgen -W '", out);
    for (const struct option_row *row = t->row; row->name; row++)
        fprintf(out, "%s--%s", row == t->row ? "" : " ", row->name);
    fprintf(out,
            "' -- \"$word\")\n    else\n        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n    fi\n}\n"
            "complete -o filenames -F _%s %s\n",
            t->program, t->program);
}

bool options_help(const struct option_table *t, const char *topic, FILE *out)
{
    if (!topic)
        help_text(t, false, out);
    else if (strcmp(topic, "all") == 0)
        help_text(t, true, out);
    else if (strcmp(topic, "man") == 0)
        manual(t, out);
    else if (strcmp(topic, "completion") == 0)
        completion(t, out);
    else
        return false;
    return true;
}
