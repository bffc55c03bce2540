/* The jit: what is cached, what is trusted, what is said when there is no compiler. */
#define _GNU_SOURCE 1
#include "device/cache.h"
#include "cpu/command.h"
#include "cpu/jit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char source[] =
    "#include <stdint.h>\n"
    "struct kernel { void (*run)(const void *a, int64_t first, int64_t last); int32_t b, s; const void *stream; };\n"
    "static void nothing(const void *a, int64_t first, int64_t last) { (void)a; (void)first; (void)last; }\n"
    "static const struct kernel table[] = {{nothing, 0, 7}};\n"
    "const struct { int32_t abi, kernels, lanes, real_bytes; const struct kernel *kernel; }\n"
    "    nr_object = {3, 1, 4, 4, table};\n";

static const struct jit_options options = {.name = "tiny", .kernels = 1, .lanes = 4, .real_bytes = 4};

static char folder[] = "/tmp/test_jit-XXXXXX";
static char *usual_path;

static void in_folder(char path[PATH_MAX], const char *name)
{
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
}

static void write_text(const char *name, const char *text, mode_t mode)
{
    char path[PATH_MAX];
    in_folder(path, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    assert_int_equal(chmod(path, mode), 0);
}

/* Each test has an empty cache and scratch folder, and a compiler that notes each real call in `calls`. */
static int enter(void **state)
{
    (void)state;
    char path[PATH_MAX];
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    setenv("XDG_CACHE_HOME", folder, 1);
    setenv("PATH", usual_path, 1);
    in_folder(path, "scratch");
    assert_int_equal(mkdir(path, 0700), 0);
    setenv("TMPDIR", path, 1);
    unsetenv("NETRUN_CFLAGS");
    char script[2 * PATH_MAX];
    snprintf(script, sizeof script,
             "#!/bin/sh\nlast=\nfor last; do :; done\n[ \"$last\" = --version ] || echo \"$*\" >> %s/calls\n"
             "exec cc \"$@\"\n",
             folder);
    write_text("compiler", script, 0700);
    in_folder(path, "compiler");
    setenv("CC", path, 1);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    char command[PATH_MAX];
    setenv("PATH", usual_path, 1);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static int calls(void)
{
    char path[PATH_MAX];
    int lines = 0;
    in_folder(path, "calls");
    FILE *in = fopen(path, "r");
    for (int c; in && (c = getc(in)) != EOF;)
        lines += c == '\n';
    if (in)
        fclose(in);
    return lines;
}

static void load(bool cached)
{
    struct jit j;
    struct device_error e = {0};
    if (!jit_load(source, sizeof source - 1, &options, &j, &e))
        fail_msg("%s", e.text);
    assert_int_equal(j.cached, cached);
    assert_int_equal(j.object->kernel[0].splits, 7);
    jit_unload(&j);
    assert_null(j.handle);
}

static void refuse(int status, const char *text)
{
    struct jit j;
    struct device_error e = {0};
    assert_false(jit_load(source, sizeof source - 1, &options, &j, &e));
    assert_int_equal(e.status, status);
    if (!strstr(e.text, text))
        fail_msg("`%s` is not in `%s`", text, e.text);
    jit_unload(&j);
}

/* The one object of the cache; also checks that nothing else lies there. */
static void cached_object(char path[PATH_MAX])
{
    char cache[PATH_MAX];
    in_folder(cache, "netrun");
    DIR *d = opendir(cache);
    assert_non_null(d);
    int found = 0;
    for (struct dirent *entry; (entry = readdir(d));)
        if (entry->d_name[0] != '.') {
            found++;
            assert_true(snprintf(path, PATH_MAX, "%s/%s", cache, entry->d_name) < PATH_MAX);
        }
    closedir(d);
    assert_int_equal(found, 1);
}

static int entries(const char *name)
{
    char path[PATH_MAX];
    in_folder(path, name);
    DIR *d = opendir(path);
    int found = 0;
    for (struct dirent *entry; d && (entry = readdir(d));)
        found += entry->d_name[0] != '.';
    if (d)
        closedir(d);
    return found;
}

static void test_hit_and_miss(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct stat s;
    load(false);
    load(true);
    int first = calls();
    assert_true(first >= 1);
    cached_object(path);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    setenv("NETRUN_CFLAGS", "-O1  -DANYTHING=1", 1);
    load(false);
    load(true);
    assert_int_equal(calls(), 2 * first);
    assert_int_equal(entries("netrun"), 2);
    assert_int_equal(entries("scratch"), 0);
}

static void test_two_objects_at_once(void **state)
{
    (void)state;
    char other[sizeof source];
    struct jit a, b;
    struct device_error e = {0};
    strcpy(other, source);
    *strchr(other, '7') = '8';
    assert_true(jit_load(source, strlen(source), &options, &a, &e));
    assert_true(jit_load(other, strlen(other), &options, &b, &e));
    assert_int_equal(a.object->kernel[0].splits, 7);
    assert_int_equal(b.object->kernel[0].splits, 8);
    jit_unload(&a);
    assert_true(jit_load(other, strlen(other), &options, &a, &e));
    assert_true(a.cached);
    assert_int_equal(a.object->kernel[0].splits, 8);
    jit_unload(&a);
    jit_unload(&b);
}

/* The first of two that have one object is gone, and its descriptor becomes that of another object. */
static void test_shared_object_is_no_other(void **state)
{
    (void)state;
    char other[sizeof source];
    struct jit first, second, third;
    struct device_error e = {0};
    strcpy(other, source);
    *strchr(other, '7') = '8';
    load(false);
    assert_true(jit_load(other, strlen(other), &options, &third, &e));
    jit_unload(&third);
    assert_true(jit_load(source, strlen(source), &options, &first, &e));
    assert_true(jit_load(source, strlen(source), &options, &second, &e));
    int file = first.file;
    jit_unload(&first);
    assert_true(jit_load(other, strlen(other), &options, &third, &e));
    assert_true(third.cached);
    assert_int_equal(third.file, file);
    assert_int_equal(third.object->kernel[0].splits, 8);
    jit_unload(&third);
    jit_unload(&second);
}

static void test_eight_processes(void **state)
{
    (void)state;
    char path[PATH_MAX];
    for (int i = 0; i < 8; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (!child) {
            struct jit j;
            struct device_error e;
            bool ok = jit_load(source, sizeof source - 1, &options, &j, &e) && j.object->kernel[0].splits == 7;
            _exit(ok ? 0 : 1);
        }
    }
    for (int i = 0, status; i < 8; i++) {
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    cached_object(path);
    load(true);
}

static void test_object_that_others_may_write(void **state)
{
    (void)state;
    char path[PATH_MAX], moved[PATH_MAX];
    load(false);
    cached_object(path);
    assert_int_equal(chmod(path, 0620), 0);
    load(false);
    load(true);
    assert_int_equal(chmod(path, 0602), 0);
    load(false);
    in_folder(moved, "elsewhere.so");
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(symlink(moved, path), 0);
    load(false);
    load(true);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    load(false);
}

static void test_folder_that_others_may_write(void **state)
{
    (void)state;
    char path[PATH_MAX], moved[PATH_MAX];
    load(false);
    in_folder(path, "netrun");
    assert_int_equal(chmod(path, 0770), 0);
    load(false);
    assert_int_equal(chmod(path, 0700), 0);
    load(true);
    in_folder(moved, "elsewhere");
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(symlink(moved, path), 0);
    load(false);
    assert_int_equal(entries("scratch"), 0);
}

static void damage(const char *path, off_t at)
{
    int file = open(path, O_RDWR);
    char byte;
    assert_int_equal(pread(file, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(file, &byte, 1, at), 1);
    close(file);
}

static void test_damaged_object_is_replaced(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct stat s;
    load(false);
    cached_object(path);
    assert_int_equal(stat(path, &s), 0);
    const off_t lengths[] = {0, 1, 31, 32, 33, 64, 4096, s.st_size / 2, s.st_size - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        assert_int_equal(truncate(path, lengths[i]), 0);
        load(false);
        load(true);
    }
    const off_t places[] = {0, 16, s.st_size / 2, s.st_size - 30, s.st_size - 20, s.st_size - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        damage(path, places[i]);
        load(false);
    }
    assert_int_equal(truncate(path, s.st_size + 100), 0);
    load(false);
    load(true);
}

/* Sealed well, but no object, or not the one wanted. */
static void test_wrong_object_is_replaced(void **state)
{
    (void)state;
    char path[PATH_MAX], name[33], half[17] = "";
    load(false);
    cached_object(path);
    memcpy(name, strrchr(path, '/') + 1, 32);
    name[32] = '\0';
    memcpy(half, name, 16);
    XXH128_hash_t key = {.high64 = strtoull(half, NULL, 16), .low64 = strtoull(name + 16, NULL, 16)};
    int file = open(path, O_RDWR | O_TRUNC);
    assert_int_equal(write(file, "no object", 9), 9);
    assert_true(cache_seal(file, key));
    close(file);
    load(false);
    load(true);

    struct jit_options other = options;
    struct jit j;
    struct device_error e;
    other.kernels = 2;
    assert_false(jit_load(source, sizeof source - 1, &other, &j, &e));
    assert_int_equal(e.status, 70);
    jit_unload(&j);
}

static void test_no_cache(void **state)
{
    (void)state;
    char path[PATH_MAX], here[PATH_MAX];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0); /* the compiler may have a cache of its own, and believe in a relative folder */
    in_folder(path, "home");
    assert_int_equal(mkdir(path, 0700), 0);
    setenv("HOME", path, 1);
    setenv("XDG_CACHE_HOME", "relative", 1);
    load(false);
    load(true);
    assert_int_equal(entries("home/.cache/netrun"), 1);
    assert_int_equal(entries("relative/netrun"), 0);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    load(false);
    load(false);
    in_folder(path, "compiler"); /* a file where a folder should be */
    setenv("XDG_CACHE_HOME", path, 1);
    load(false);
    assert_int_equal(entries("scratch"), 0);
    setenv("TMPDIR", "/nowhere/at/all", 1);
    refuse(5, "/nowhere/at/all");
    assert_int_equal(chdir(here), 0);
}

static void test_no_compiler(void **state)
{
    (void)state;
    setenv("CC", "/nowhere/cc -O3", 1);
    refuse(5, "`/nowhere/cc -O3`, cannot be run: No such file");
    setenv("CC", "false", 1);
    refuse(5, "help: set CC");
    unsetenv("CC");
    setenv("PATH", "/nowhere:", 1);
    refuse(5, "apt-get install gcc");
    setenv("CC", "  ", 1);
    refuse(5, "apt-get install gcc");
}

static void test_first_compiler_that_works(void **state)
{
    (void)state;
    char path[2 * PATH_MAX];
    write_text("cc", "#!/bin/sh\nexit 1\n", 0700);
    write_text("gcc", "not for execution\n", 0600);
    unsetenv("CC");
    snprintf(path, sizeof path, "%s:%s", folder, usual_path);
    setenv("PATH", path, 1);
    load(false);
    load(true);
}

static void test_compiler_with_arguments(void **state)
{
    (void)state;
    char path[2 * PATH_MAX], line[1000] = "";
    snprintf(path, sizeof path, "  %s/compiler  -DTWO\t-DTHREE ", folder);
    setenv("CC", path, 1);
    setenv("NETRUN_CFLAGS", "-DFOUR", 1);
    load(false);
    in_folder(path, "calls");
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    assert_non_null(fgets(line, sizeof line, in));
    fclose(in);
    assert_int_equal(strncmp(line, "-DTWO -DTHREE -O2 ", 18), 0);
    assert_non_null(strstr(line, " -DFOUR -fno-fast-math "));
}

static void test_unknown_machine_flags(void **state)
{
    (void)state;
    write_text("compiler", "#!/bin/sh\ncase \"$*\" in *=native*) exit 1;; esac\nexec cc \"$@\"\n", 0700);
    load(false);
    load(true);
}

static void test_source_that_does_not_compile(void **state)
{
    (void)state;
    static const char wrong[] = "int half(";
    char *at, path[PATH_MAX] = "", text[sizeof wrong] = "";
    struct jit j;
    struct device_error e = {0};
    assert_false(jit_load(wrong, sizeof wrong - 1, &options, &j, &e));
    assert_int_equal(e.status, 5);
    assert_non_null(strstr(e.text, "error"));
    assert_int_equal(entries("netrun"), 0);
    at = strstr(e.text, "kernels in ");
    assert_non_null(at);
    sscanf(at + strlen("kernels in "), "%[^:]", path);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    assert_int_equal(fread(text, 1, sizeof wrong - 1, in), sizeof wrong - 1);
    fclose(in);
    assert_string_equal(text, wrong);
}

static void test_emit_dir(void **state)
{
    (void)state;
    char path[PATH_MAX], text[sizeof source] = "";
    struct jit_options o = options;
    struct jit j;
    struct device_error e = {0};
    in_folder(path, "emitted");
    o.emit_dir = path;
    o.name = "../strange net";
    for (int i = 0; i < 2; i++) {
        assert_true(jit_load(source, sizeof source - 1, &o, &j, &e));
        jit_unload(&j);
    }
    char file[PATH_MAX];
    in_folder(file, "emitted/___strange_net.c");
    FILE *in = fopen(file, "r");
    assert_non_null(in);
    assert_int_equal(fread(text, 1, sizeof text, in), sizeof source - 1);
    fclose(in);
    assert_string_equal(text, source);
    in_folder(path, "compiler");
    assert_false(jit_load(source, sizeof source - 1, &o, &j, &e));
    assert_int_equal(e.status, 4);
}

static void test_command_keeps_the_end(void **state)
{
    (void)state;
    struct command c = {0};
    char output[64], *path = command_find("sh");
    assert_non_null(path);
    assert_true(
        command_add(&c, "sh") && command_add(&c, "-c") &&
        command_add(&c, "i=0; while [ $i -lt 999 ]; do i=$((i+1)); echo line $i; done; echo the end >&2; exit 9"));
    assert_int_equal(command_run(&c, path, output, sizeof output), 9);
    assert_non_null(strstr(output, "line 999\nthe end\n"));
    command_free(&c);
    assert_true(command_split(&c, "sh -c kill\t"));
    free(c.word[2]);
    c.word[2] = strdup("kill -9 $$");
    assert_int_equal(command_run(&c, path, output, sizeof output), 137);
    command_free(&c);
    free(path);
    for (int i = 0; i < COMMAND_WORDS; i++)
        assert_true(command_add(&c, "word"));
    assert_false(command_split(&c, "one more"));
    command_free(&c);
    assert_null(command_find(""));
}

static void test_lanes(void **state)
{
    (void)state;
    int lanes = jit_lanes();
    assert_true(lanes == 4 || lanes == 8 || lanes == 16);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_hit_and_miss),
        CASE(test_two_objects_at_once),
        CASE(test_shared_object_is_no_other),
        CASE(test_eight_processes),
        CASE(test_object_that_others_may_write),
        CASE(test_folder_that_others_may_write),
        CASE(test_damaged_object_is_replaced),
        CASE(test_wrong_object_is_replaced),
        CASE(test_no_cache),
        CASE(test_no_compiler),
        CASE(test_first_compiler_that_works),
        CASE(test_compiler_with_arguments),
        CASE(test_unknown_machine_flags),
        CASE(test_source_that_does_not_compile),
        CASE(test_emit_dir),
        cmocka_unit_test(test_command_keeps_the_end),
        cmocka_unit_test(test_lanes),
    };
    const char *path = getenv("PATH");
    usual_path = strdup(path ? path : "/usr/bin:/bin");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(usual_path);
    return failed;
}
