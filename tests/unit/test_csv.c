/* CSV: which fields are read, on which line, and what is refused; whatever the bytes, nothing beyond them is touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv.h"

/* A text that comes `step` bytes at a time. */
struct piecewise {
    const char *at;
    uint64_t left, step;
};

static bool next_piece(void *from, void *to, uint64_t size, uint64_t *got, struct data_error *error)
{
    struct piecewise *p = from;
    (void)error;
    *got = p->left < p->step ? p->left : p->step;
    *got = *got < size ? *got : size;
    memcpy(to, p->at, *got);
    p->at += *got;
    p->left -= *got;
    return true;
}

/* Rows as text: LINE:field|field, ended by a space; or the message. */
static void read_pieces(const char *path, const char *text, size_t size, uint64_t step, char out[400])
{
    struct csv c;
    struct data_error error = {""};
    struct piecewise from = {text, size, step};
    bool more = true, ok = csv_begin(&c, path, next_piece, &from, &error);
    *out = '\0';
    while (ok && (ok = csv_next(&c, &more, &error)) && more) {
        sprintf(out + strlen(out), "%d:", (int)c.line);
        for (int64_t i = 0; i < c.fields; i++)
            sprintf(out + strlen(out), "%s%s", i ? "|" : "", c.field[i]);
        strcat(out, " ");
    }
    if (!ok)
        snprintf(out, 400, "%s", error.text);
    csv_close(&c);
}

static void read_text(const char *path, const char *text, size_t size, char out[400])
{
    char again[400];
    read_pieces(path, text, size, size + 1, out);
    for (uint64_t step = 1; step <= 3; step++) {
        read_pieces(path, text, size, step, again);
        assert_string_equal(again, out);
    }
}

static void test_rows(void **state)
{
    static const struct {
        const char *text, *rows;
    } cases[] = {
        {"", ""},
        {"a", "1:a "},
        {"a,b\n1,2\n", "1:a|b 2:1|2 "},
        {"a,b\r\n1,2\r\n3,4", "1:a|b 2:1|2 3:3|4 "},
        {"a\rb\rc", "1:a 2:b 3:c "},
        {"\n\r\n  \na,b\n\n\n1,2\n \n", "4:a|b 7:1|2 "},
        {",\n,", "1:| 2:| "},
        {"a, b ,\" c \" \n", "1:a|b| c  "},
        {"\"a\"\"b\",\"\",\"\"\"\"\n", "1:a\"b||\" "},
        {"\"a\nb\r\nc\",d\ne,f", "1:a\nb\r\nc|d 4:e|f "},
        {"x,y\n\"a\"\"\nb\",c\n", "1:x|y 2:a\"\nb|c "},
        {"5\" pipe,x", "1:5\" pipe|x "},
        {"a;b,c;d\n1,5;2;3", "1:a|b,c|d 2:1,5|2|3 "},
        {"a\tb c\t d\n\t\t\n", "1:a|b c|d 2:|| "},
        {"\"a,b\";c\n", "1:a,b|c "},
        {"\xEF\xBB\xBF\"a\",b", "1:a|b "},
        {"a,b\n1,\"2", "it:2: a quote is never closed; it began field 2"},
        {"a\n\"1\"2", "it:2: text behind the closing quote of field 1; a quote within a field is written twice"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[400];
        read_text("it", cases[i].text, strlen(cases[i].text), out);
        assert_string_equal(out, cases[i].rows);
    }
}

static void test_names(void **state)
{
    (void)state;
    char out[400];
    assert_true(csv_is("a.csv") && csv_is("A.CSV") && csv_is("a.tsv.gz") && csv_is("x.tab"));
    assert_false(csv_is(".csv") || csv_is("a.csv.zip") || csv_is("csv") || csv_is("a.txt") || csv_is("a.gz"));
    read_text("it.tsv", "a,b\tc\n", 6, out);
    assert_string_equal(out, "1:a,b|c ");
    read_text("it", "a\0b", 3, out);
    assert_string_equal(out, "it: byte 1 is 0; expected text: CSV or TSV");
    for (int big = 0; big < 2; big++) {
        read_text("it",
                  big ? "\xFE\xFF\0a\0,\0b"
                      : "\xFF\xFE"
                        "a\0,\0b\0",
                  8, out);
        assert_string_equal(out, "it: UTF-16; expected UTF-8: save it as \"CSV UTF-8\"");
    }
}

static void test_numbers(void **state)
{
    static const char *const good[] = {"0", "-1", "+2.5", ".5", "5.", "1e3", "-1.25E-3", "00012"},
                             *const bad[] = {"", "-", "1 2", "0x10", "inf", "1e", "1-2", "1,5", "1e999", "nan", "--1"},
                             *const missing[] = {"", "NA", "nan", "NaN", "null", "N/A", "None", "?", "#N/A", "<NA>"};
    double value;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(csv_number(good[i], &value) && !csv_missing(good[i]));
        assert_true(value == strtod(good[i], NULL));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(csv_number(bad[i], &value));
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        assert_true(csv_missing(missing[i]));
    assert_false(csv_missing("0") || csv_missing("-") || csv_missing("no"));
}

/* All texts of up to five of the characters that mean something: the same in pieces, no reading beyond, as sanitizers see, and lines that
 * only grow. */
static void test_all_short(void **state)
{
    static const char letter[] = "a,\"\r\n \t;";
    (void)state;
    for (int size = 0; size <= 5; size++) {
        int count = 1;
        for (int i = 0; i < size; i++)
            count *= (int)sizeof letter - 1;
        for (int n = 0; n < count; n++) {
            char text[8];
            for (int i = 0, rest = n; i < size; i++, rest /= (int)sizeof letter - 1)
                text[i] = letter[rest % ((int)sizeof letter - 1)];
            char out[400];
            read_text("it", text, (size_t)size, out);
            struct csv c;
            struct data_error error;
            struct piecewise from = {text, (uint64_t)size, 8};
            int64_t line = 0;
            bool more = true, ok = csv_begin(&c, "it", next_piece, &from, &error);
            while (ok && (ok = csv_next(&c, &more, &error)) && more) {
                assert_true(c.line > line && c.fields > 0);
                line = c.line;
            }
            csv_close(&c);
        }
    }
}

/* Rows that are longer than what is read at once, and many that are not. */
static void test_long(void **state)
{
    enum { LONG = 300000, ROWS = 50000 };
    char *text = malloc(2 * LONG + 32 * ROWS), *at = text;
    struct csv c;
    struct data_error error;
    bool more = true;
    (void)state;
    at += sprintf(at, "a,b\n\"");
    memset(at, 'x', LONG);
    at += LONG;
    at += sprintf(at, "\",\"");
    memset(at, '\n', LONG);
    at += LONG;
    at += sprintf(at, "\"\n");
    for (int i = 0; i < ROWS; i++)
        at += sprintf(at, "%d,\"%d\"\r\n", i, -i);
    struct piecewise from = {text, (uint64_t)(at - text), 1 << 20};
    assert_true(csv_begin(&c, "it", next_piece, &from, &error));
    assert_true(csv_next(&c, &more, &error) && more && c.fields == 2);
    assert_true(csv_next(&c, &more, &error) && more && c.fields == 2 && c.line == 2);
    assert_int_equal(strlen(c.field[0]), LONG);
    assert_int_equal(strlen(c.field[1]), LONG);
    for (int i = 0; i < ROWS; i++) {
        assert_true(csv_next(&c, &more, &error) && more && c.fields == 2 && c.line == LONG + 3 + i);
        assert_int_equal(atoi(c.field[0]), i);
        assert_int_equal(atoi(c.field[1]), -i);
    }
    assert_true(csv_next(&c, &more, &error) && !more);
    assert_true(c.size < 4 * LONG);
    csv_close(&c);
    free(text);
}

static void test_list(void **state)
{
    char text[CSV_LIST], *name[60];
    (void)state;
    for (int i = 0; i < 60; i++)
        name[i] = "name";
    assert_string_equal(csv_list(name, 2, text), "\"name\", \"name\"");
    assert_non_null(strstr(csv_list(name, 60, text), "\"name\", ..."));
    name[0] = calloc(1, 1000);
    memset(name[0], 'x', 999);
    assert_string_equal(csv_list(name, 1, text), "...");
    free(name[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),      cmocka_unit_test(test_names), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_all_short), cmocka_unit_test(test_long),  cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
