/* mutate: changes a good plan in many ways, makes the checksum right again, and reads each result. What is refused is
 * counted, what is accepted and says something else can be kept, to be compiled and run. The same seed, the same plans.
 *
 *     mutate PLAN [--count N] [--seed S] [--keep DIR K]
 *
 * Exit status: 0, 1 if an accepted plan does not survive writing and reading, 2 usage, 4 a file. */
#define _GNU_SOURCE 1
#include "netc/compile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

struct random {
    uint64_t state;
};

/* splitmix64: Steele, Lea and Flood, OOPSLA 2014. */
static uint64_t draw(struct random *r, uint64_t below)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % below;
}

/* A plan under change. Lines without their newlines; a changed line belongs to the region. */
struct draft {
    struct random *random;
    struct region *region;
    int n;
    char **line; /* with room for one more */
};

struct span {
    size_t at, size;
}; /* within a line */

/* A line of the plan's own text: not head, comment, source or empty. -1: bad luck. */
static int pick_line(const struct draft *d)
{
    for (int tries = 0; tries < 100; tries++) {
        int i = (int)draw(d->random, (uint64_t)d->n);
        if (i >= 2 && d->line[i][0] && !strchr("#|", d->line[i][0]))
            return i;
    }
    return -1;
}

/* The words of a line up to its comment; list may be NULL. */
static int words(const char *line, struct span *list, int most)
{
    int n = 0;
    for (size_t i = strspn(line, " "); line[i] && line[i] != '#' && n < most; n++) {
        size_t size = strcspn(line + i, " ");
        if (list)
            list[n] = (struct span){i, size};
        i += size + strspn(line + i + size, " ");
    }
    return n;
}

static void replace(struct draft *d, int i, struct span s, const char *text, size_t size)
{
    const char *old = d->line[i];
    d->line[i] = region_printf(d->region, "%.*s%.*s%s", (int)s.at, old, (int)size, text, old + s.at + s.size);
}

/* ---- mutations: each changes the draft, or leaves it if there is nothing to change ---- */

static void delete_line(struct draft *d)
{
    int i = pick_line(d);
    if (i < 0)
        return;
    memmove(d->line + i, d->line + i + 1, (size_t)(d->n - i - 1) * sizeof *d->line);
    d->n--;
}

static void repeat_line(struct draft *d)
{
    int i = pick_line(d);
    if (i < 0)
        return;
    memmove(d->line + i + 1, d->line + i, (size_t)(d->n - i) * sizeof *d->line);
    d->n++;
}

static void swap_lines(struct draft *d)
{
    int i = pick_line(d), j = pick_line(d);
    if (i < 0 || j < 0)
        return;
    char *line = d->line[i];
    d->line[i] = d->line[j];
    d->line[j] = line;
}

static void reverse_lines(struct draft *d)
{
    int i = pick_line(d), j = i + 1 + (int)draw(d->random, 8);
    for (; i >= 0 && j < d->n && i < j; i++, j--) {
        char *line = d->line[i];
        d->line[i] = d->line[j];
        d->line[j] = line;
    }
}

/* Any run of digits: places, dimensions, operands, attributes, counts. */
static void change_number(struct draft *d)
{
    static const char *const odd[] = {"0",
                                      "-1",
                                      "1",
                                      "2",
                                      "16",
                                      "64",
                                      "256",
                                      "2147483647",
                                      "2147483648",
                                      "4294967296",
                                      "9223372036854775807",
                                      "-9223372036854775808",
                                      "123456789012345678901234567890"};
    int i = pick_line(d), n = 0;
    struct span run[64];
    for (size_t at = 0; i >= 0 && d->line[i][at] && d->line[i][at] != '#' && n < COUNT(run);) {
        size_t size = strspn(d->line[i] + at, "0123456789");
        if (size)
            run[n++] = (struct span){at, size};
        at += size ? size : 1;
    }
    if (n == 0)
        return;
    struct span s = run[draw(d->random, (uint64_t)n)];
    const char *text = odd[draw(d->random, COUNT(odd))];
    long long step = (long long)draw(d->random, 7) - 3, old = strtoll(d->line[i] + s.at, NULL, 10);
    if (draw(d->random, 2) && old > -1000 && old < INT64_MAX / 64)
        text = region_printf(d->region, "%lld", draw(d->random, 2) ? old + step : old + 16 * step);
    replace(d, i, s, text, strlen(text));
}

/* Two lines of one form and a column that both have. */
static bool pick_column(struct draft *d, int *i, int *j, struct span *a, struct span *b)
{
    enum { MOST = 40 };
    struct span x[MOST], y[MOST];
    *i = pick_line(d);
    int n = *i < 0 ? 0 : words(d->line[*i], x, MOST);
    for (int tries = 0; n > 1 && tries < 50; tries++) {
        *j = pick_line(d);
        if (*j < 0 || *j == *i || words(d->line[*j], y, MOST) != n)
            continue;
        uint64_t column = 1 + draw(d->random, (uint64_t)n - 1);
        *a = x[column];
        *b = y[column];
        return true;
    }
    return false;
}

/* Two tensors at one offset, with one base, one life ... */
static void copy_word(struct draft *d)
{
    int i, j;
    struct span a, b;
    if (pick_column(d, &i, &j, &a, &b))
        replace(d, i, a, d->line[j] + b.at, b.size);
}

static void exchange_words(struct draft *d)
{
    int i, j;
    struct span a, b;
    if (!pick_column(d, &i, &j, &a, &b))
        return;
    const char *first = d->line[i], *second = d->line[j];
    replace(d, i, a, second + b.at, b.size);
    replace(d, j, b, first + a.at, a.size);
}

/* All but the first word: the contents of two tensors, or stages in each other's kernel. */
static void exchange_tails(struct draft *d)
{
    int i, j;
    struct span a, b, first[2], second[2];
    if (!pick_column(d, &i, &j, &a, &b))
        return;
    words(d->line[i], first, 2);
    words(d->line[j], second, 2);
    const char *x = d->line[i] + first[1].at, *y = d->line[j] + second[1].at;
    size_t size = strlen(x);
    replace(d, i, (struct span){first[1].at, size}, y, strlen(y));
    replace(d, j, (struct span){second[1].at, strlen(y)}, x, size);
}

/* Operands in another order. */
static void swap_words(struct draft *d)
{
    struct span list[40];
    int i = pick_line(d), n = i < 0 ? 0 : words(d->line[i], list, COUNT(list));
    if (n < 2)
        return;
    uint64_t left = draw(d->random, (uint64_t)n - 1), right = left + 1 + draw(d->random, (uint64_t)n - left - 1);
    const char *old = d->line[i];
    replace(d, i, list[right], old + list[left].at, list[left].size);
    replace(d, i, list[left], old + list[right].at, list[right].size);
}

static void flip_bit(struct draft *d)
{
    int i = pick_line(d);
    if (i < 0)
        return;
    d->line[i] = region_copy(d->region, d->line[i]);
    d->line[i][draw(d->random, strlen(d->line[i]))] ^= (char)(1 << draw(d->random, 8));
}

static void truncate_text(struct draft *d)
{
    if (d->n < 3)
        return;
    d->n = 2 + (int)draw(d->random, (uint64_t)d->n - 2);
    char *last = d->line[d->n - 1];
    d->line[d->n - 1] = region_printf(d->region, "%.*s", (int)draw(d->random, strlen(last) + 1), last);
}

static void (*const mutations[])(struct draft *d) = {
    change_number,  change_number,  change_number, change_number, copy_word, copy_word,
    exchange_words, exchange_tails, swap_words,    swap_words,    flip_bit,  swap_lines,
    reverse_lines,  delete_line,    repeat_line,   truncate_text,
};

/* ---- the loop ---- */

/* Bytes that the caller frees, with the checksum of what they say now. */
static char *join(const struct draft *d, size_t *size)
{
    char *text = NULL, sum[17];
    FILE *out = open_memstream(&text, size);
    for (int i = 0; i < d->n; i++)
        fprintf(out, "%s\n", d->line[i]);
    fclose(out);
    char *second = strchr(text, '\n') + 1, *body = memchr(second, '\n', *size - (size_t)(second - text));
    if (body && body - second == 25 && !strncmp(second, "checksum ", 9)) {
        body++;
        snprintf(sum, sizeof sum, "%016" PRIx64, (uint64_t)XXH3_64bits(body, *size - (size_t)(body - text)));
        memcpy(second + 9, sum, 16);
    }
    return text;
}

static char *mutate(char **line, int n, struct random *random, size_t *size)
{
    struct region *r = region_new();
    struct draft d = {random, r, n, region_alloc(r, (size_t)n + 8, sizeof *line)};
    memcpy(d.line, line, (size_t)n * sizeof *line);
    for (uint64_t times = 1 + (draw(random, 4) == 0); times; times--)
        mutations[draw(random, COUNT(mutations))](&d);
    char *text = join(&d, size);
    region_free(r);
    return text;
}

static char *written(const struct plan *p, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    bool good = plan_write(p, out);
    return fclose(out) == 0 && good ? text : NULL;
}

static char *read_file(const char *path, size_t *size)
{
    char *text = NULL;
    FILE *in = fopen(path, "rb"), *out = open_memstream(&text, size);
    for (int c; in && (c = getc(in)) != EOF;)
        putc(c, out);
    fclose(out);
    if (in && !fclose(in))
        return text;
    free(text);
    return NULL;
}

static bool keep(const char *folder, int number, const char *text, size_t size)
{
    char *path = NULL;
    mkdir(folder, 0777); /* if it is not there; what goes wrong shows below */
    if (asprintf(&path, "%s/mutant-%04d.plan", folder, number) < 0)
        return false;
    FILE *out = fopen(path, "wb");
    bool good = out && fwrite(text, 1, size, out) == size;
    good = out && fclose(out) == 0 && good;
    if (!good)
        perror(path);
    free(path);
    return good;
}

struct tally {
    int refused, same, different, kept;
};

/* 0, or the exit status. `text` is what plan_write makes of the original. */
static int try_one(const char *bytes, size_t size, const char *text, size_t text_size, const char *folder, int most,
                   struct tally *t)
{
    struct plan_error e;
    struct plan *p = plan_read(bytes, size, &e), *again = NULL;
    int status = 0;
    if (!p) {
        t->refused++;
        return 0;
    }
    size_t n = 0, m = 0;
    char *now = written(p, &n), *twice = NULL;
    if (now && n == text_size && !memcmp(now, text, n)) {
        t->same++;
    } else {
        t->different++;
        again = now ? plan_read(now, n, &e) : NULL;
        twice = again ? written(again, &m) : NULL;
        if (!twice || m != n || memcmp(now, twice, n)) {
            fprintf(stderr, "an accepted plan does not read back: line %d: %s\n%.*s", e.line, e.text, (int)size, bytes);
            status = 1;
        } else if (t->kept < most) {
            status = keep(folder, ++t->kept, now, n) ? 0 : 4;
        }
    }
    free(now);
    free(twice);
    plan_free(again);
    plan_free(p);
    return status;
}

static int usage(void)
{
    fputs("usage: mutate PLAN [--count N] [--seed S] [--keep DIR K]\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    int count = 10000, most = 0;
    struct random random = {1};
    const char *folder = NULL;
    if (argc < 2)
        return usage();
    for (int i = 2; i < argc; i++) {
        if (!strcmp(argv[i], "--count") && i + 1 < argc)
            count = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            random.state = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--keep") && i + 2 < argc) {
            folder = argv[++i];
            most = atoi(argv[++i]);
        } else
            return usage();
    }
    size_t size = 0, text_size = 0;
    struct plan_error e = {0};
    char *bytes = read_file(argv[1], &size);
    struct plan *p = bytes ? plan_read(bytes, size, &e) : NULL;
    if (!p) {
        fprintf(stderr, "%s:%d: %s\n", argv[1], e.line, bytes ? e.text : "cannot be read");
        free(bytes);
        return 4;
    }
    char *text = written(p, &text_size);
    plan_free(p);

    struct region *r = region_new();
    char **line = NULL, *rest = bytes;
    int n = 0, status = 0;
    for (char *one; (one = strsep(&rest, "\n")) && (rest || *one);) {
        region_grow(r, line, n);
        line[n++] = one;
    }
    struct tally t = {0};
    for (int i = 0; i < count && status == 0; i++) {
        char *changed = mutate(line, n, &random, &size);
        status = try_one(changed, size, text, text_size, folder, most, &t);
        free(changed);
    }
    printf("%d mutations: %d refused, %d say the same, %d say something else, %d kept\n",
           t.refused + t.same + t.different, t.refused, t.same, t.different, t.kept);
    region_free(r);
    free(text);
    free(bytes);
    return status;
}
