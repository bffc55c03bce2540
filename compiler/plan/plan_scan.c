/* plan_scan.c: the characters of a plan file. Nothing is believed before it is bounded. */
#include "plan_scan.h"
#include "plan_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void scan_fail(struct reader *r, const char *format, ...)
{
    if (r->failed)
        return;
    va_list ap;
    va_start(ap, format);
    vsnprintf(r->error->text, sizeof r->error->text, format, ap);
    va_end(ap);
    r->error->line = r->line;
    r->failed = true;
    r->at = r->eol = r->end;
}

/* ---- lines and tokens ---- */

void scan_raw_line(struct reader *r, const char *what)
{
    const char *next = r->line ? r->eol + (r->eol < r->end) : r->at;
    if (r->failed)
        return;
    if (next == r->end) {
        scan_fail(r, "the file ends, expected %s", what);
        return;
    }
    r->line++;
    r->at = next;
    const char *newline = memchr(next, '\n', (size_t)(r->end - next));
    r->eol = newline ? newline : r->end;
}

bool scan_more(struct reader *r)
{
    while (r->at < r->eol && *r->at == ' ')
        r->at++;
    return r->at < r->eol && *r->at != '#';
}

void scan_line(struct reader *r, const char *what)
{
    do
        scan_raw_line(r, what);
    while (!r->failed && !scan_more(r));
}

void scan_end(struct reader *r)
{
    if (scan_more(r))
        scan_fail(r, "more text than expected on this line");
}

struct token scan_token(struct reader *r, const char *what)
{
    if (!scan_more(r)) {
        scan_fail(r, "the line ends, expected %s", what);
        return (struct token){"", 0};
    }
    struct token t = {r->at, 0};
    while (r->at < r->eol && *r->at != ' ')
        r->at++;
    t.size = (size_t)(r->at - t.text);
    return t;
}

bool scan_is(struct token t, const char *word)
{
    return t.size == strlen(word) && !memcmp(t.text, word, t.size);
}

void scan_expected(struct reader *r, struct token t, const char *what)
{
    char shown[33];
    size_t n = t.size < sizeof shown - 1 ? t.size : sizeof shown - 1;
    for (size_t i = 0; i < n; i++)
        shown[i] = t.text[i] > ' ' && t.text[i] < 0x7f ? t.text[i] : '?';
    shown[n] = 0;
    scan_fail(r, "`%s%s` found, expected %s", shown, t.size > n ? "..." : "", what);
}

void scan_keyword(struct reader *r, const char *word)
{
    struct token t = scan_token(r, word);
    if (!scan_is(t, word))
        scan_expected(r, t, word);
}

int64_t scan_integer_of(struct reader *r, struct token t, const char *what, int64_t least, int64_t most)
{
    bool negative = t.size && *t.text == '-';
    int64_t x = 0;
    bool good = t.size > negative;
    for (size_t i = negative; good && i < t.size; i++) {
        int digit = t.text[i] - '0';
        good = digit >= 0 && digit <= 9 && !__builtin_mul_overflow(x, 10, &x) &&
               !__builtin_sub_overflow(x, digit, &x); /* downwards: the range is larger there */
    }
    good = good && (negative || !__builtin_sub_overflow(0, x, &x));
    if (!good || x < least || x > most) {
        char text[160];
        snprintf(text, sizeof text, "%s, an integer from %" PRId64 " to %" PRId64, what, least, most);
        scan_expected(r, t, text);
        return 0;
    }
    return x;
}

int64_t scan_integer(struct reader *r, const char *what, int64_t least, int64_t most)
{
    return scan_integer_of(r, scan_token(r, what), what, least, most);
}

/* `-` says that there is none. */
int64_t scan_optional(struct reader *r, const char *what, int64_t otherwise, int64_t most)
{
    struct token t = scan_token(r, what);
    return scan_is(t, "-") ? otherwise : scan_integer_of(r, t, what, 0, most);
}

/* -1.5e-7: no hexadecimal, no infinities, nothing that depends on the locale. */
static bool decimal(const char *c)
{
    static const char digits[] = "0123456789";
    size_t n = strspn(c += *c == '-', digits);
    bool good = n > 0;
    c += n;
    if (*c == '.') {
        n = strspn(++c, digits);
        good = good && n > 0;
        c += n;
    }
    if (*c == 'e') {
        c++;
        n = strspn(c += *c == '-' || *c == '+', digits);
        good = good && n > 0;
        c += n;
    }
    return good && !*c;
}

double scan_number_of(struct reader *r, struct token t, const char *what)
{
    char text[48] = "";
    if (t.size < sizeof text)
        memcpy(text, t.text, t.size);
    double x = decimal(text) ? strtod(text, NULL) : NAN;
    if (isfinite(x))
        return x;
    scan_expected(r, t, what);
    return 0;
}

int scan_choice(struct reader *r, const char *what, const char *const *words, int n)
{
    struct token t = scan_token(r, what);
    for (int i = 0; i < n; i++)
        if (scan_is(t, words[i]))
            return i;
    scan_expected(r, t, what);
    return 0;
}

static char *copy(struct reader *r, struct token t)
{
    return memcpy(region_alloc(r->region, t.size + 1, 1), t.text, t.size);
}

char *scan_name(struct reader *r, const char *what, bool valid(const char *))
{
    struct token t = scan_token(r, what);
    char *text = t.size <= MAX_TENSOR_NAME ? copy(r, t) : "";
    if (!valid(text))
        scan_expected(r, t, what);
    return text;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A quoted string; escapes are \" \\ and \xHH. */
char *scan_string(struct reader *r, const char *what)
{
    if (!scan_more(r) || *r->at != '"') {
        scan_fail(r, "expected %s in quotes", what);
        return "";
    }
    const char *close = ++r->at;
    while (close < r->eol && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= r->eol || close - r->at > MAX_STRING) {
        scan_fail(r, "%s: the quotes are not closed within %d bytes", what, MAX_STRING);
        return "";
    }
    char *text = region_alloc(r->region, (size_t)(close - r->at) + 1, 1), *out = text;
    while (r->at < close) {
        char c = *r->at++;
        if (c == '\\') {
            c = *r->at++;
            if (c == 'x' && close - r->at >= 2 && hex(r->at[0]) >= 0 && hex(r->at[1]) >= 0 &&
                (hex(r->at[0]) || hex(r->at[1]))) {
                c = (char)(hex(r->at[0]) * 16 + hex(r->at[1]));
                r->at += 2;
            } else if (c != '"' && c != '\\') {
                scan_fail(r, "%s: an escape is neither \\\" nor \\\\ nor \\x01 to \\xff", what);
                return "";
            }
        }
        *out++ = c;
    }
    r->at++;
    return text;
}

uint64_t scan_hash(struct reader *r)
{
    struct token t = scan_token(r, "a hash of 16 hexadecimal digits");
    uint64_t x = 0;
    bool good = t.size == 16;
    for (size_t i = 0; good && i < 16; i++) {
        good = hex(t.text[i]) >= 0;
        x = x << 4 | (unsigned)hex(t.text[i]);
    }
    if (!good)
        scan_expected(r, t, "a hash of 16 hexadecimal digits");
    return x;
}

/* The head of a section: `<word> <count>`. Each entry takes at least `least_bytes` of the text that is left. */
int scan_section(struct reader *r, const char *word, int most, int least_bytes)
{
    scan_line(r, word);
    scan_keyword(r, word);
    int n = (int)scan_integer(r, "a count", 0, most);
    scan_end(r);
    if (n > (r->end - r->at) / least_bytes)
        scan_fail(r, "%d %s do not fit into the rest of the file", n, word);
    return r->failed ? 0 : n;
}
