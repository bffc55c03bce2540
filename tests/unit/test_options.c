/* The option table: parser, help, manual page and completion agree; mistakes are answered with what to type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "netrun/options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_WORDS = 16 };

/* Parses "a b c"; the words live in `line`. */
static int read_line(char *line, struct options *o)
{
    static char *argv[MAX_WORDS + 2];
    int argc = 0;
    argv[argc++] = "netrun";
    for (char *word = strtok(line, " "); word && argc <= MAX_WORDS; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return options_read(argc, argv, o);
}

/* clang-format off */
#define READ(text_, o_) read_line((char[]){ text_ }, o_)
/* clang-format on */

static void test_train(void **state)
{
    (void)state;
    struct options o;
    char line[] = "m.plan --train data --epochs 3 --set train.x=1 --seed=7 --lr=1e-3 --log-every 10 -q --json";
    assert_int_equal(read_line(line, &o), OPTIONS_GO);
    assert_int_equal(o.action, ACTION_TRAIN);
    assert_string_equal(o.plan, "m.plan");
    assert_string_equal(o.folder, "data");
    assert_int_equal(o.overrides, 4);
    assert_string_equal(o.override[0], "train.epochs=3");
    assert_string_equal(o.override[1], "train.x=1");
    assert_string_equal(o.override[2], "train.seed=7");
    assert_string_equal(o.override[3], "train.optimizer.lr=1e-3");
    assert_int_equal(o.log_every, 10);
    assert_true(o.quiet && o.json && !o.verbose && !o.dry_run);
    assert_string_equal(o.runs, "runs");
    options_free(&o);
}

/* --train takes DIR if there is one, wherever the plan stands. */
static void test_optional(void **state)
{
    (void)state;
    struct options o;
    assert_int_equal(READ("m.plan --train", &o), OPTIONS_GO);
    assert_null(o.folder);
    assert_int_equal(READ("m.plan --train --steps 4", &o), OPTIONS_GO);
    assert_null(o.folder);
    assert_int_equal(o.steps, 4);
    assert_int_equal(READ("--train data m.plan", &o), OPTIONS_GO);
    assert_string_equal(o.folder, "data");
    assert_string_equal(o.plan, "m.plan");
    assert_int_equal(READ("--threads 2 m.plan --train data --steps 1", &o), OPTIONS_GO);
    assert_string_equal(o.folder, "data");
    assert_string_equal(o.plan, "m.plan");
    assert_int_equal(READ("--resume last", &o), OPTIONS_GO);
    assert_int_equal(o.action, ACTION_TRAIN);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "m.plan",
        "--train",
        "--train m.plan",
        "m.plan extra --train d",
        "m.plan --train d --test d",
        "m.plan --epoch",
        "m.plan --train d --steps 0",
        "m.plan --train d --threads 0",
        "m.plan --train d --device gpu",
        "m.plan --train d --progress=maybe",
        "m.plan --train d --set epochs",
        "m.plan --train d --set =3",
        "m.plan --train d --bogus",
        "m.plan --train d -z",
        "m.plan --train d --json=1",
        "m.plan --train d --steps",
        "m.plan --test d --resume last",
        "m.plan --test d --dry-run",
        "m.plan --resume last --weights w",
        "m.plan --help=everything",
    };
    struct options o;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char line[128];
        snprintf(line, sizeof line, "%s", lines[i]);
        if (read_line(line, &o) != STATUS_USAGE)
            fail_msg("accepted: %s", lines[i]);
        options_free(&o);
    }
}

static void test_typo(void **state)
{
    (void)state;
    char text[256] = "";
    FILE *errors = tmpfile();
    int kept = dup(STDERR_FILENO);
    struct options o;
    dup2(fileno(errors), STDERR_FILENO);
    int status = READ("--epoch-s=3", &o);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(errors);
    assert_int_equal(status, OPTIONS_USAGE);
    assert_non_null(fgets(text, sizeof text, errors));
    assert_non_null(strstr(text, "there is no option --epoch-s; did you mean --epochs?"));
    fclose(errors);
}

/* Spaces and line ends made one space each, backslashes of roff taken off. */
static char *help(const char *topic)
{
    char *text = NULL;
    size_t size, used = 0;
    FILE *out = open_memstream(&text, &size);
    assert_true(options_help(&netrun_options, topic, out));
    fclose(out);
    for (char *c = text; *c; c++)
        if (*c != '\\' && !(strchr(" \n", *c) && used && text[used - 1] == ' '))
            text[used++] = *c == '\n' ? ' ' : *c;
    text[used] = '\0';
    return text;
}

static void test_texts_agree(void **state)
{
    (void)state;
    char *common = help(NULL), *all = help("all"), *man = help("man"), *completion = help("completion"), name[64];
    assert_true(strstr(all, "Examples:") < strstr(all, "Usage:"));
    for (const struct option_row *row = netrun_options.row; row->name; row++) {
        snprintf(name, sizeof name, "--%s", row->name);
        assert_non_null(strstr(completion, name));
        assert_non_null(strstr(all, name));
        assert_non_null(strstr(man, name));
        assert_non_null(strstr(all, row->help));
        assert_non_null(strstr(man, row->help));
        assert_int_equal(strstr(common, row->help) != NULL, !row->rare);
    }
    free(common), free(all), free(man), free(completion);
    assert_false(options_help(&netrun_options, "nothing", stdout));
}

static void test_help_fits(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    options_help(&netrun_options, NULL, out);
    fclose(out);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (strlen(line) > 100)
            fail_msg("too wide: %s", line);
    free(text);
}

static void test_values(void **state)
{
    (void)state;
    int64_t n;
    assert_true(option_bytes("4096", 0, &n) && n == 4096);
    assert_true(option_bytes("1.5KiB", 0, &n) && n == 1536);
    assert_true(option_bytes("8GiB", 0, &n) && n == (int64_t)8 << 30);
    assert_true(option_bytes("80%", 1000, &n) && n == 800);
    assert_false(option_bytes("80%", 0, &n) || option_bytes("120%", 1000, &n) || option_bytes("8GB", 0, &n));
    assert_false(option_bytes("", 0, &n) || option_bytes("-1", 0, &n) || option_bytes("9e99TiB", 0, &n));
    double seconds;
    assert_true(option_seconds("30s", &seconds) && seconds == 30);
    assert_true(option_seconds("1.5h", &seconds) && seconds == 5400);
    assert_true(option_seconds("10min", &seconds) && seconds == 600);
    assert_false(option_seconds("30", &seconds) || option_seconds("0s", &seconds) || option_seconds("-1s", &seconds));
    assert_false(option_seconds("1m", &seconds) || option_seconds("", &seconds) || option_seconds("9e99h", &seconds));
    assert_true(option_integer("-3", -5, 5, &n) && n == -3);
    assert_false(option_integer("6", -5, 5, &n) || option_integer("", 0, 9, &n) || option_integer(" 1", 0, 9, &n));
    char text[32];
    assert_string_equal(bytes_text(17, text, sizeof text), "17 B");
    assert_string_equal(bytes_text(9933, text, sizeof text), "9.7 KiB");
    assert_string_equal(bytes_text((int64_t)18 << 20, text, sizeof text), "18 MiB");
    assert_string_equal(bytes_text((1 << 20) - 1, text, sizeof text), "1.0 MiB");
}

static void test_colour(void **state)
{
    (void)state;
    unsetenv("CLICOLOR_FORCE"), unsetenv("FORCE_COLOR"), unsetenv("NO_COLOR");
    FILE *file = tmpfile();
    assert_false(option_colour(COLOUR_AUTO, file));
    assert_true(option_colour(COLOUR_ALWAYS, file));
    setenv("FORCE_COLOR", "1", 1);
    assert_true(option_colour(COLOUR_AUTO, file));
    assert_false(option_colour(COLOUR_NEVER, file));
    setenv("NO_COLOR", "", 1); /* empty does not count */
    assert_true(option_colour(COLOUR_AUTO, file));
    setenv("NO_COLOR", "1", 1);
    assert_false(option_colour(COLOUR_AUTO, file));
    assert_true(option_colour(COLOUR_ALWAYS, file));
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train),  cmocka_unit_test(test_optional),    cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_typo),   cmocka_unit_test(test_texts_agree), cmocka_unit_test(test_help_fits),
        cmocka_unit_test(test_values), cmocka_unit_test(test_colour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
