/* options.h: the command line of both programs, from one table each.
 *
 * A row says what an option is called, what it takes and where that goes. The parser, the help text, the manual page and
 * the completion are made from the rows, so they cannot drift apart. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PROJECT_VERSION "0.1.0"

enum option_kind {
    OPTION_IS_FLAG = 1,
    OPTION_IS_TEXT,
    OPTION_IS_WHOLE,
    OPTION_IS_BYTES,
    OPTION_IS_CHOICE,
    OPTION_IS_CALL
};

/* What a row does; one of the macros below makes it. The file of the table defines OPTIONS as the struct that its options
 * fill. A row without effect, or with a member of another type than its kind, does not compile. */
struct option_effect {
    enum option_kind kind;
    size_t at;         /* of the member in OPTIONS */
    int64_t min, max;  /* of a whole number */
    const char *words; /* what is expected, "a number of samples"; NULL: a whole number of that range */
    /* Returns OPTIONS_GO, or the exit status to stop at. For it alone are `number` and, here, `words`. */
    int (*call)(void *options, const struct option_effect *e, const char *value);
    int number;
};

#define OPTION_AT(type_, member_) _Generic(((OPTIONS *)0)->member_, type_ : offsetof(OPTIONS, member_))
/* clang-format off */
#define OPTION_FLAG(member_) { .kind = OPTION_IS_FLAG, .at = OPTION_AT(bool, member_) }
#define OPTION_TEXT(member_) { .kind = OPTION_IS_TEXT, .at = OPTION_AT(const char *, member_) }
#define OPTION_WHOLE(member_, min_, max_, words_) \
    { .kind = OPTION_IS_WHOLE, .at = OPTION_AT(int64_t, member_), .min = min_, .max = max_, .words = words_ }
#define OPTION_BYTES(member_, words_) { .kind = OPTION_IS_BYTES, .at = OPTION_AT(int64_t, member_), .words = words_ }
/* clang-format on */
/* The place of the word among those of `arg`: an enum, in their order. */
/* clang-format off */
#define OPTION_CHOICE(enum_, member_) { .kind = OPTION_IS_CHOICE, .at = OPTION_AT(enum_, member_) }
#define OPTION_CALL(function_, number_, words_) \
    { .kind = OPTION_IS_CALL, .call = function_, .number = number_, .words = words_ }
/* clang-format on */

struct option_row {
    const char *name; /* long name without dashes; NULL ends the table */
    char letter;      /* short name, 0: none */
    /* NULL: takes nothing. "N": required. "[DIR]": optional, `--train DIR` or `--train=DIR`. "[=TOPIC]": optional, only
     * after '='. A choice, all in small letters such as "auto|cpu|cuda[:N]", is checked and completed. What else is in small
     * letters is completed, as `last` of "last|RUN"; RUN, DIR and FILE complete to names of run folders, folders and files. */
    const char *arg;
    const char *group; /* heading; rows of a group stand together */
    const char *help;  /* one sentence, lower case, no full stop */
    bool rare;         /* shown by --help=all and the manual page, not by --help */
    struct option_effect effect;
};

struct option_example {
    const char *command, *purpose;
};
struct option_section {
    const char *heading, *text;
}; /* of --help=all and the manual page; lines end in '\n' */

struct option_pair {
    const char *option, *with;
}; /* no effect but beside one of these: "--train or --resume" */

struct option_table {
    const char *program, *purpose;        /* purpose: "trains networks ...", without full stop */
    const char *usage;                    /* "PLAN --train DIR [options]" */
    const struct option_example *example; /* command NULL ends */
    const struct option_row *row;
    const struct option_section *section; /* heading NULL ends */
    const struct option_pair *pair;       /* option NULL ends; NULL: any go together */
    /* Says what is wrong with the value of an option, and what was expected; returns OPTIONS_USAGE. */
    int (*refuse)(const char *option, const char *value, const char *expected);
};

/* ---- options.c: parser ---- */

enum { OPTIONS_GO = -1, OPTIONS_USAGE = 2 };

/* Fills `options`, which holds what is true where nothing is said. OPTIONS_GO: what remains in argv from *rest on are operands;
 * OPTIONS_USAGE after a message on stderr, with the nearest option for a typo, or about one without effect; or what a call
 * returned. Texts point into argv. Not for two threads: getopt_long underneath has global state. */
int options_parse(const struct option_table *t, int argc, char **argv, void *options, int *rest);

/* ---- option_value.c: what the arguments of options say; false if it is not that ---- */

bool option_is_choice(const struct option_row *row);

bool option_integer(const char *text, int64_t min, int64_t max, int64_t *out);
/* "30s", "10min", "1.5h": more than 0 seconds, and at most a year. */
bool option_seconds(const char *text, double *out);
/* "4096", "512KiB", "64MiB", "8GiB", "1.5GiB", or "80%" of `whole` bytes (whole <= 0: percentages are refused). */
bool option_bytes(const char *text, int64_t whole, int64_t *out);
/* Colour on a stream; COLOUR_AUTO: a terminal that is not dumb, unless NO_COLOR is set to something; CLICOLOR_FORCE or
 * FORCE_COLOR set to something force it. */
enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };
bool option_colour(enum colour mode, FILE *stream);
/* "17 B", "9.7 KiB", "18 MiB": three digits at most; returns `text`. */
const char *bytes_text(int64_t bytes, char *text, size_t size);

/* ---- streams.c ---- */

/* At the start: whatever is closed of stdin, stdout and stderr is opened, so that no file of ours gets its number. */
void streams_open(void);
/* At the end: the exit status; 4, after a message, instead of 0 if something that was printed is lost. */
int streams_close(const char *program, int status);

/* ---- option_help.c: the same table as text ---- */

/* topic NULL: examples and common options; "all": everything; "man": roff; "completion": for bash. False for another
 * topic (nothing is written). */
bool options_help(const struct option_table *t, const char *topic, FILE *out);

#endif
