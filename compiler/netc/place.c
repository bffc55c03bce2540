/* place.c: netc --place, the packer on its own. Reads lifetimes and sizes as CSV, writes them back with offsets. */
#include "compile.h"
#include "graph/pack.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "id,lower,upper,size"

enum { MAX_LINE = 1024 }; /* bytes, without the line end */
enum { FITS = 0, TOO_LARGE = 3, BAD_FILE = 4, NO_MEMORY = 70 };

struct row {
    char *text; /* the line as it stood, without its end */
    int id_length;
    int line;
};

struct table {
    const char *path;
    FILE *in, *err;
    int line;
    int n, room;
    struct row *row;
    struct interval *buffer;
    int status; /* of the first error */
};

static bool refuse(struct table *t, int line, int column, const char *expected)
{
    fprintf(t->err, "%s:%d:%d: error: expected %s\n", t->path, line, column, expected);
    t->status = BAD_FILE;
    return false;
}

static bool refuse_file(struct table *t, const char *verb)
{
    fprintf(t->err, "%s: error: cannot %s it: %s\n", t->path, verb, strerror(errno));
    t->status = BAD_FILE;
    return false;
}

static bool no_memory(struct table *t)
{
    fprintf(t->err, "%s: error: no memory for %d buffers\n", t->path, t->n);
    t->status = NO_MEMORY;
    return false;
}

/* ---- reading ---- */

/* Reads a line of text into line[MAX_LINE + 1] without its end, LF or CRLF. False at the end of the file (t->status is
 * FITS) and after an error. */
static bool read_line(struct table *t, char *line)
{
    int length = 0, c;
    t->line++;
    while ((c = getc(t->in)) != EOF && c != '\n') {
        if (length > 0 && line[length - 1] == '\r')
            return refuse(t, t->line, length, "a line feed after the carriage return");
        if ((c < ' ' && c != '\r') || c == 127)
            return refuse(t, t->line, length + 1, "text, found a control character");
        if (length == MAX_LINE)
            return refuse(t, t->line, length + 1, "a line of at most 1024 bytes");
        line[length++] = (char)c;
    }
    if (ferror(t->in))
        return refuse_file(t, "read");
    if (c == EOF && length == 0)
        return false;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    line[length] = '\0';
    return true;
}

/* Reads an integer that ends at `end` (',' or NUL) and steps behind that. */
static bool read_number(struct table *t, const char *line, const char **at, char end, const char *what, int64_t *number)
{
    const char *digits = *at + (**at == '-');
    size_t count = strspn(digits, "0123456789");
    int column = (int)(*at - line) + 1;
    char expected[120];
    if (count == 0 || digits[count] != end) {
        snprintf(expected, sizeof expected, "%s, an integer, and then %s", what,
                 end ? "a comma" : "the end of the line");
        return refuse(t, t->line, column, expected);
    }
    errno = 0;
    *number = strtoll(*at, NULL, 10);
    if (errno) {
        snprintf(expected, sizeof expected, "%s of at most 64 bits", what);
        return refuse(t, t->line, column, expected);
    }
    *at = digits + count + (end != '\0');
    return true;
}

static bool read_row(struct table *t, const char *line, struct row *row, struct interval *b)
{
    const char *comma = strchr(line, ',');
    if (!comma || comma == line)
        return refuse(t, t->line, 1, "an id and a comma (" HEADER ")");
    const char *at = comma + 1;
    if (!read_number(t, line, &at, ',', "lower", &b->lower))
        return false;
    int upper = (int)(at - line) + 1;
    if (!read_number(t, line, &at, ',', "upper", &b->upper))
        return false;
    if (b->upper <= b->lower)
        return refuse(t, t->line, upper, "upper greater than lower: a buffer is live at [lower, upper)");
    int size = (int)(at - line) + 1;
    if (!read_number(t, line, &at, '\0', "size", &b->size))
        return false;
    if (b->size < 0)
        return refuse(t, t->line, size, "a size of 0 bytes or more");
    *row = (struct row){strdup(line), (int)(comma - line), t->line};
    return row->text || no_memory(t);
}

static bool make_room(struct table *t)
{
    if (t->n < t->room)
        return true;
    int room = t->room > 0 ? t->room : 64;
    if (room > INT_MAX / 16)
        return no_memory(t);
    room *= 2;
    struct row *row = realloc(t->row, (size_t)room * sizeof *row);
    if (!row)
        return no_memory(t);
    t->row = row;
    struct interval *buffer = realloc(t->buffer, (size_t)room * sizeof *buffer);
    if (!buffer)
        return no_memory(t);
    t->buffer = buffer;
    t->room = room;
    return true;
}

static int by_id(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int length = x->id_length < y->id_length ? x->id_length : y->id_length;
    int order = memcmp(x->text, y->text, (size_t)length);
    if (order == 0)
        order = x->id_length - y->id_length;
    return order ? order : x->line - y->line;
}

/* Finds the first line whose id stood before. */
static bool ids_are_unique(struct table *t)
{
    struct row *sorted = malloc(((size_t)t->n + 1) * sizeof *sorted);
    if (!sorted)
        return no_memory(t);
    if (t->n > 0)
        memcpy(sorted, t->row, (size_t)t->n * sizeof *sorted);
    qsort(sorted, (size_t)t->n, sizeof *sorted, by_id);
    int line = 0, before = 0;
    for (int i = 1; i < t->n; i++) {
        const struct row *x = &sorted[i - 1], *y = &sorted[i];
        bool same = x->id_length == y->id_length && memcmp(x->text, y->text, (size_t)x->id_length) == 0;
        if (same && (line == 0 || y->line < line)) {
            line = y->line;
            before = x->line;
        }
    }
    free(sorted);
    if (line == 0)
        return true;
    char expected[80];
    snprintf(expected, sizeof expected, "an id of its own, this one stands in line %d", before);
    return refuse(t, line, 1, expected);
}

static bool read_table(struct table *t)
{
    char line[MAX_LINE + 1];
    t->in = fopen(t->path, "rb");
    if (!t->in)
        return refuse_file(t, "open");
    if (!read_line(t, line) || strcmp(line, HEADER) != 0)
        return t->status == FITS ? refuse(t, 1, 1, "the header " HEADER) : false;
    while (read_line(t, line)) {
        if (!make_room(t) || !read_row(t, line, &t->row[t->n], &t->buffer[t->n]))
            return false;
        t->n++;
    }
    return t->status == FITS && ids_are_unique(t);
}

/* ---- the answer ---- */

static bool pack_table(struct table *t, int64_t *arena, int64_t *bound)
{
    *bound = pack_bound(t->buffer, t->n);
    *arena = *bound < 0 ? -1 : pack(t->buffer, t->n, 1);
    if (*arena >= 0)
        return true;
    return errno == ENOMEM ? no_memory(t) : refuse(t, t->line - 1, 1, "sizes whose arena is below 2^63 bytes");
}

static bool write_table(struct table *t, FILE *out)
{
    fputs(HEADER ",offset\n", out);
    for (int i = 0; i < t->n; i++)
        fprintf(out, "%s,%" PRId64 "\n", t->row[i].text, t->buffer[i].offset);
    if (fflush(out) == 0 && !ferror(out))
        return true;
    fprintf(t->err, "%s: error: cannot write the placement: %s\n", t->path, strerror(errno));
    t->status = BAD_FILE;
    return false;
}

static void report_arena(struct table *t, int64_t arena, int64_t bound, int64_t capacity)
{
    int64_t gap = arena - bound;
    double percent = bound > 0 ? 100.0 * (double)gap / (double)bound : 0;
    fprintf(t->err, "%s: %d buffers, arena %" PRId64 " bytes, LB %" PRId64 " bytes, gap %" PRId64 " bytes (%.2f %%)\n",
            t->path, t->n, arena, bound, gap, percent);
    if (capacity < 0 || arena <= capacity)
        return;
    t->status = TOO_LARGE;
    fprintf(t->err, "%s: does not fit: arena is %" PRId64 " bytes above the capacity of %" PRId64 "%s\n", t->path,
            arena - capacity, capacity, bound > capacity ? "; LB is above it too, so nothing can fit" : "");
}

int place_file(const char *path, int64_t capacity, FILE *out, FILE *err)
{
    struct table t = {.path = path, .err = err};
    int64_t arena, bound;
    if (read_table(&t) && pack_table(&t, &arena, &bound) && write_table(&t, out))
        report_arena(&t, arena, bound, capacity);
    for (int i = 0; i < t.n; i++)
        free(t.row[i].text);
    free(t.row);
    free(t.buffer);
    if (t.in)
        fclose(t.in);
    return t.status;
}
