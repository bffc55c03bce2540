/* tools/get_data.sh without a network: mirrors are folders, the generator is a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "real_data.h"
#include "temp_files.h"

static const char *const files[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                    "t10k-labels-idx1-ubyte"};

static int close_tree(void **state)
{
    struct temp *temp = *state;
    char command[200];
    snprintf(command, sizeof command, "rm -rf %s", temp->folder);
    int status = system(command);
    free(temp);
    return status;
}

/* `make_digits --gzip DIR` in five lines. */
static void write_generator(struct temp *temp)
{
    static const char script[] = "#!/bin/sh\n"
                                 "for f in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do\n"
                                 "    echo drawn | gzip >\"$2/$f-ubyte.gz\"\n"
                                 "done\n";
    temp_write(temp, "draw", script, sizeof script - 1);
    chmod(temp->path, 0755);
}

/* Exit status of get_data.sh; `environment` and `arguments` may use $T, the folder of the test. */
static int get_data(struct temp *temp, const char *environment, const char *arguments, char *output, size_t room)
{
    char command[5000];
    snprintf(command, sizeof command, "T=%s; %s MAKE_DIGITS=$T/draw TIMEOUT=2 sh tools/get_data.sh %s 2>&1",
             temp->folder, environment, arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t size = fread(output, 1, room - 1, pipe);
    output[size] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static int count_in(struct temp *temp, const char *folder)
{
    struct temp inner = {0};
    snprintf(inner.folder, sizeof inner.folder, "%.50s/%.10s", temp->folder, folder);
    return temp_count(&inner);
}

static void test_draws_without_network(void **state)
{
    struct temp *temp = *state;
    char output[2000];
    write_generator(temp);
    assert_int_equal(get_data(temp, "MIRRORS=-", "$T/data", output, sizeof output), 0);
    assert_contains(output, "no mirror could be reached, so mnist is replaced by SYNTHETIC digits");
    assert_int_equal(count_in(temp, "data"), 5);
    assert_int_equal(access(temp_path(temp, "data/SYNTHETIC"), F_OK), 0);
    assert_int_equal(get_data(temp, "MIRRORS=-", "$T/data", output, sizeof output), 0);
    assert_contains(output, "keeps its SYNTHETIC digits, not mnist");
}

static void test_wrong_checksum(void **state)
{
    struct temp *temp = *state;
    char output[2000], name[60];
    write_generator(temp);
    mkdir(temp_path(temp, "mirror"), 0777);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "mirror/%s.gz", files[i]);
        static const unsigned char empty_gzip[20] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3};
        temp_write(temp, name, empty_gzip, sizeof empty_gzip);
    }
    assert_int_equal(get_data(temp, "MIRRORS=file://$T/mirror", "$T/data fashion", output, sizeof output), 0);
    assert_contains(output, "has the wrong SHA-256; passed over");
    assert_contains(output, "fashion is replaced by SYNTHETIC digits");
    assert_int_equal(count_in(temp, "data"), 5);
}

static void test_no_generator(void **state)
{
    struct temp *temp = *state;
    char output[2000];
    assert_int_equal(get_data(temp, "MIRRORS=-", "$T/data", output, sizeof output), 4);
    assert_contains(output, "draw failed; no data");
    assert_int_equal(count_in(temp, "data"), 0);
}

static void test_keeps_other_data(void **state)
{
    struct temp *temp = *state;
    char output[2000];
    size_t size;
    write_generator(temp);
    mkdir(temp_path(temp, "data"), 0777);
    temp_write(temp, "data/train-labels-idx1-ubyte", "mine", 4);
    assert_int_equal(get_data(temp, "MIRRORS=-", "$T/data", output, sizeof output), 4);
    assert_contains(output, "holds other or damaged data; empty it first");
    unsigned char *kept = temp_read(temp_path(temp, "data/train-labels-idx1-ubyte"), &size);
    assert_int_equal(size, 4);
    free(kept);
    assert_int_equal(count_in(temp, "data"), 1);
}

static void test_usage(void **state)
{
    char output[2000];
    assert_int_equal(get_data(*state, "MIRRORS=-", "", output, sizeof output), 2);
    assert_int_equal(get_data(*state, "MIRRORS=-", "$T/data imagenet", output, sizeof output), 2);
    assert_contains(output, "usage: get_data.sh DIR [mnist|fashion]");
}

/* A synthetic set gives way to the real one; then nothing is left to do. */
static void test_real_data(void **state)
{
    struct temp *temp = *state;
    const char *data = real_data("DATA", "mnist");
    char environment[4100], output[2000];
    if (!data)
        skip();
    write_generator(temp);
    assert_int_equal(get_data(temp, "MIRRORS=-", "$T/data", output, sizeof output), 0);
    snprintf(environment, sizeof environment, "MIRRORS=\"file:///nonexistent file://$(realpath '%s')\"", data);
    assert_int_equal(get_data(temp, environment, "$T/data", output, sizeof output), 0);
    assert_contains(output, "holds mnist (real)");
    assert_int_equal(count_in(temp, "data"), 4);
    assert_int_equal(get_data(temp, "MIRRORS=-", "$T/data", output, sizeof output), 0);
    assert_contains(output, "holds mnist already");
}

/* Clothes have names, unless somebody gave them others. */
static void test_names(void **state)
{
    struct temp *temp = *state;
    const char *data = real_data("DATA", "fashion");
    char environment[4100], output[2000], path[300];
    size_t size;
    if (!data)
        skip();
    snprintf(environment, sizeof environment, "MIRRORS=\"file://$(realpath '%s')\"", data);
    assert_int_equal(get_data(temp, environment, "$T/data fashion", output, sizeof output), 0);
    assert_int_equal(count_in(temp, "data"), 5);
    snprintf(path, sizeof path, "%s/data/classes.txt", temp->folder);
    char *names = (char *)temp_read(path, &size);
    names[size] = '\0';
    assert_string_equal(names,
                        "T-shirt/top\nTrouser\nPullover\nDress\nCoat\nSandal\nShirt\nSneaker\nBag\nAnkle boot\n");
    free(names);
    FILE *own = fopen(path, "w");
    assert_true(own && fputs("mine", own) >= 0 && fclose(own) == 0);
    assert_int_equal(get_data(temp, "MIRRORS=-", "$T/data fashion", output, sizeof output), 0);
    names = (char *)temp_read(path, &size);
    assert_int_equal(size, 4);
    free(names);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, temp_open, close_tree)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_folder(test_draws_without_network),
        with_folder(test_wrong_checksum),
        with_folder(test_no_generator),
        with_folder(test_keeps_other_data),
        with_folder(test_usage),
        with_folder(test_real_data),
        with_folder(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
