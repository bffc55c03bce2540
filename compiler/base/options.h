/* options.h: the command line of both programs, from one table each.
 *
 * A row says what an option is called, what it takes and what it does. The parser, the help text, the manual page and
 * the completion are made from the rows, so they cannot drift apart. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PROJECT_VERSION "0.1.0"

struct option_row {
    const char *name;            /* long name without dashes; NULL ends the table */
    char letter;                 /* short name, 0: none */
    /* NULL: takes nothing. "N": required. "[DIR]": optional, `--train DIR` or `--train=DIR`. "[=TOPIC]": optional, only
     * after '='. A choice, all in small letters such as "auto|cpu|cuda[:N]", is checked and completed. What else is in small
     * letters is completed, as `last` of "last|RUN"; RUN, DIR and FILE complete to names of run folders, folders and files. */
    const char *arg;
    const char *group;           /* heading; rows of a group stand together */
    const char *help;            /* one sentence, lower case, no full stop */
    bool rare;                   /* shown by --help=all and the manual page, not by --help */
};

struct option_example { const char *command, *purpose; };
struct option_section { const char *heading, *text; };       /* of --help=all and the manual page; lines end in '\n' */

struct option_pair { const char *option, *with; };           /* no effect but beside one of these: "--train or --resume" */

struct option_table {
    const char *program, *purpose;                           /* purpose: "trains networks ...", without full stop */
    const char *usage;                                       /* "PLAN --train DIR [options]" */
    const struct option_example *example;                    /* command NULL ends */
    const struct option_row *row;
    const struct option_section *section;                    /* heading NULL ends */
    const struct option_pair *pair;                          /* option NULL ends; NULL: any go together */
};

/* ---- options.c: parser ---- */

enum { OPTIONS_END = -1, OPTIONS_WRONG = -2 };

struct option_reader;            /* one at a time: getopt_long underneath has global state */
struct option_reader *options_open(const struct option_table *t, int argc, char **argv);
/* Index of the next option's row, its argument (or NULL) in *value; OPTIONS_END: what remains in argv from options_rest
 * on are operands; OPTIONS_WRONG: a message is on `errors`, with the nearest option for a typo, or about one without effect. */
int options_next(struct option_reader *r, const char **value, FILE *errors);
int options_rest(const struct option_reader *r);
void options_close(struct option_reader *r);

/* ---- option_value.c: what the arguments of options say; false if it is not that ---- */

bool option_is_choice(const struct option_row *row);

bool option_integer(const char *text, int64_t min, int64_t max, int64_t *out);
bool option_real(const char *text, double min, double max, double *out);     /* finite */
/* "4096", "512KiB", "64MiB", "8GiB", "1.5GiB", or "80%" of `whole` bytes (whole <= 0: percentages are refused). */
bool option_bytes(const char *text, int64_t whole, int64_t *out);
/* Colour on a stream: `mode` is "always" or "never", or "auto" (or NULL): a terminal that is not dumb, unless NO_COLOR is
 * set to something; CLICOLOR_FORCE or FORCE_COLOR set to something force it. */
bool option_colour(const char *mode, FILE *stream);
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
