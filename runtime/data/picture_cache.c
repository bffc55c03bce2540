#include "picture_cache.h"

#include "base/options.h"
#include "graph/word.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".pictures";

struct header {
    char magic[8];
    XXH128_canonical_t key, hash; /* of the header with 0 here, and the records */
    int64_t count;
    int32_t dims[3], unused;
};
static const char magic[8] = "nrpics1";

static XXH128_canonical_t hash_of(struct header head, const struct picture_record *record)
{
    XXH3_state_t *s = XXH3_createState();
    XXH128_canonical_t hash = {0};
    head.hash = hash;
    if (s && XXH3_128bits_reset(s) == XXH_OK && XXH3_128bits_update(s, &head, sizeof head) == XXH_OK &&
        XXH3_128bits_update(s, record, (size_t)head.count * sizeof *record) == XXH_OK)
        XXH128_canonicalFromHash(&hash, XXH3_128bits_digest(s));
    XXH3_freeState(s);
    return hash;
}

bool picture_cache_works(const struct picture_cache *c)
{
    return c->cache.folder >= 0;
}

/* ---- which file ---- */

/* Of where the folder is, what is done to its pictures, and by whom. */
static bool key_of(const char *folder, const struct data_wish *wish, XXH128_hash_t *key)
{
    char *real = realpath(folder, NULL), *text = NULL;
    size_t size;
    FILE *out = real ? open_memstream(&text, &size) : NULL;
    if (out) {
        fprintf(out, "%s\n%s\n", PROJECT_VERSION, real);
        for (int i = 0; i < wish->steps; i++) {
            fputs(wish->step[i].word->name, out);
            for (int k = 0; k < MAX_WORD_ARGS && wish->step[i].word->arg[k].name; k++)
                fprintf(out, " %a", wish->step[i].num[k]);
            fputc('\n', out);
        }
        for (const struct data_where *w = wish->where; w && w < wish->where + DATA_SPLITS; w++)
            fprintf(out, "%s %s\n", w->word ? w->word->name : "", w->word ? w->text[0] : "");
    }
    bool ok = out && fclose(out) == 0;
    if (ok)
        *key = XXH3_128bits(text, size);
    free(real);
    free(text);
    return ok;
}

static void name_of(XXH128_hash_t key, char name[64])
{
    snprintf(name, 64, "%016" PRIx64 "%016" PRIx64 "%s", (uint64_t)key.high64, (uint64_t)key.low64, suffix);
}

/* ---- what is in it ---- */

static _Thread_local const struct picture_record *sorted; /* qsort takes no context */

static int by_file(const void *a, const void *b)
{
    return XXH128_cmp(&sorted[*(const int64_t *)a].file, &sorted[*(const int64_t *)b].file);
}

static int by_content(const void *a, const void *b)
{
    return XXH128_cmp(&sorted[*(const int64_t *)a].content, &sorted[*(const int64_t *)b].content);
}

static int64_t *order(const struct picture_cache *c, int (*compare)(const void *, const void *))
{
    int64_t *number = malloc((size_t)c->count * sizeof *number);
    for (int64_t i = 0; number && i < c->count; i++)
        number[i] = i;
    sorted = c->record;
    if (number)
        qsort(number, (size_t)c->count, sizeof *number, compare);
    return number;
}

/* As the transforms make pictures: they settle the size, and may settle the channels. The hash tells damage only, not what a file
 * that was made up says. */
static bool dims_agree(const int32_t dims[3], const struct pixels *made)
{
    return (made->channels ? dims[0] == made->channels : dims[0] == 1 || dims[0] == 3) && dims[1] == made->height &&
           dims[2] == made->width;
}

/* The size of the file bounds the count before memory is taken for it. */
static bool read_records(struct picture_cache *c, const struct pixels *made)
{
    struct header head;
    struct stat s;
    XXH128_canonical_t key;
    XXH128_canonicalFromHash(&key, c->key);
    if (fstat(c->file, &s) != 0 || pread(c->file, &head, sizeof head, 0) != sizeof head ||
        memcmp(head.magic, magic, sizeof magic) != 0 || memcmp(&head.key, &key, sizeof key) != 0 || head.count <= 0 ||
        head.count > s.st_size / (off_t)sizeof *c->record || !dims_agree(head.dims, made))
        return false;
    const size_t size = (size_t)head.count * sizeof *c->record;
    c->record = malloc(size);
    if (!c->record || pread(c->file, c->record, size, sizeof head) != (ssize_t)size)
        return false;
    const XXH128_canonical_t hash = hash_of(head, c->record);
    if (memcmp(&hash, &head.hash, sizeof hash) != 0)
        return false;
    c->count = head.count;
    memcpy(c->dims, head.dims, sizeof c->dims);
    c->bytes = (int64_t)c->dims[0] * c->dims[1] * c->dims[2];
    return (c->by_file = order(c, by_file)) && (c->by_content = order(c, by_content));
}

static void forget(struct picture_cache *c)
{
    if (c->file >= 0)
        close(c->file);
    free(c->record);
    free(c->by_file);
    free(c->by_content);
    c->file = -1;
    c->record = NULL;
    c->by_file = c->by_content = NULL;
    c->count = 0;
}

void picture_cache_open(struct picture_cache *c, const char *folder, const struct data_wish *wish)
{
    struct pixels p = {0};
    char name[64];
    *c = (struct picture_cache){.cache = {.folder = -1}, .file = -1};
    if (!wish || wish->steps == 0 || picture_sized(wish->step, wish->steps, &p) || p.height == 0 || p.width == 0 ||
        !key_of(folder, wish, &c->key) || !cache_open(&c->cache))
        return;
    name_of(c->key, name);
    c->file = cache_find(&c->cache, name);
    if (c->file < 0 || !read_records(c, &p))
        forget(c);
    else
        futimens(c->file, NULL); /* it is in use */
}

void picture_cache_close(struct picture_cache *c)
{
    forget(c);
    cache_close(&c->cache);
    for (int i = 0; i < DATA_SPLITS; i++) {
        free(c->now[i]);
        c->now[i] = NULL;
    }
}

static int64_t find(const struct picture_cache *c, const int64_t *number, size_t field, XXH128_hash_t wanted)
{
    int64_t low = 0, high = c->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        const XXH128_hash_t *at = (const void *)((const char *)&c->record[number[middle]] + field);
        int side = XXH128_cmp(at, &wanted);
        if (side == 0)
            return number[middle];
        if (side < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

int64_t picture_cache_file(const struct picture_cache *c, XXH128_hash_t stamp)
{
    return find(c, c->by_file, offsetof(struct picture_record, file), stamp);
}

int64_t picture_cache_content(const struct picture_cache *c, XXH128_hash_t content)
{
    return find(c, c->by_content, offsetof(struct picture_record, content), content);
}

bool picture_cache_read(const struct picture_cache *c, int64_t number, unsigned char *to)
{
    const size_t size = (size_t)c->bytes;
    const off_t at = (off_t)sizeof(struct header) + c->count * (off_t)sizeof *c->record + number * (off_t)c->bytes;
    return pread(c->file, to, size, at) == (ssize_t)size && XXH3_64bits(to, size) == c->record[number].sample;
}

/* ---- keeping ---- */

static bool put(int file, const void *from, size_t size)
{
    for (ssize_t n; size > 0; size -= (size_t)n, from = (const char *)from + n)
        if ((n = write(file, from, size)) <= 0)
            return false;
    return true;
}

static bool put_all(int file, const struct header *head, const struct picture_record *record, const struct dataset *set)
{
    bool ok = put(file, head, sizeof *head) && put(file, record, (size_t)head->count * sizeof *record);
    for (int i = 0; ok && i < DATA_SPLITS; i++) {
        const struct data_split *split = data_split_of(set, i);
        ok = put(file, split->sample.values, (size_t)split->count * (size_t)split->sample.bytes);
    }
    return ok;
}

/* The records of all sets, one after the other; NULL: nothing can be kept. */
static struct picture_record *records_now(const struct picture_cache *c, const struct dataset *set, int64_t *count)
{
    bool known = picture_cache_works(c);
    *count = 0;
    for (int i = 0; i < DATA_SPLITS; i++) {
        *count += data_split_of(set, i)->count;
        known = known && (data_split_of(set, i)->count == 0 || c->now[i]);
    }
    struct picture_record *all = known ? malloc((size_t)*count * sizeof *all) : NULL, *at = all;
    for (int i = 0; all && i < DATA_SPLITS; at += data_split_of(set, i++)->count)
        if (c->now[i])
            memcpy(at, c->now[i], (size_t)data_split_of(set, i)->count * sizeof *at);
    return all;
}

void picture_cache_write(struct picture_cache *c, const struct dataset *set)
{
    const struct data_field *like = &data_first(set)->sample;
    int64_t count;
    for (int i = 0; i < DATA_SPLITS; i++)
        if (data_split_of(set, i)->reader)
            return; /* it would be written twice at each start */
    struct picture_record *now = records_now(c, set, &count);
    const int64_t bytes = count * (int64_t)(like->bytes + sizeof *now);
    char *path = NULL, name[64];
    bool same = now && count == c->count && memcmp(now, c->record, (size_t)count * sizeof *now) == 0;
    int file = now && !same && cache_affords(&c->cache, bytes, PICTURE_CACHE_MOST)
                   ? cache_make(&c->cache, c->cache.path, false, &path)
                   : -1;
    if (file >= 0) {
        struct header head = {.count = count,
                              .dims = {(int32_t)like->dims[0], (int32_t)like->dims[1], (int32_t)like->dims[2]}};
        memcpy(head.magic, magic, sizeof magic);
        XXH128_canonicalFromHash(&head.key, c->key);
        head.hash = hash_of(head, now);
        name_of(c->key, name);
        if (!put_all(file, &head, now, set) || !cache_place(&c->cache, path, name))
            unlink(path);
        close(file);
        cache_trim(&c->cache, suffix, PICTURE_CACHE_MOST);
    }
    free(path);
    free(now);
}
