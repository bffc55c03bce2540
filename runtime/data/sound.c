#include "sound.h"

#include <inttypes.h>
#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

const char sound_formats[] = "WAV, FLAC";
enum { MOST = 1 << 26 }; /* values: 25 minutes of 44,100 a second; silence of FLAC stands for more than it takes */

static bool is_wav(const unsigned char *start)
{
    return (memcmp(start, "RIFF", 4) == 0 || memcmp(start, "RF64", 4) == 0) && memcmp(start + 8, "WAVE", 4) == 0;
}

bool sound_is(const unsigned char start[DATA_START])
{
    return is_wav(start) || memcmp(start, "fLaC", 4) == 0;
}

/* ---- the file as libsndfile wants it ---- */

static sf_count_t length(void *of)
{
    return (sf_count_t)((const struct image_source *)of)->size;
}

static sf_count_t tell(void *of)
{
    return (sf_count_t)((const struct image_source *)of)->at;
}

static sf_count_t seek(sf_count_t offset, int whence, void *of)
{
    struct image_source *s = of;
    sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (sf_count_t)s->at : (sf_count_t)s->size;
    if (offset < -from || offset > (sf_count_t)s->size - from)
        return -1;
    s->at = (size_t)(from + offset);
    return (sf_count_t)s->at;
}

static sf_count_t take(void *to, sf_count_t count, void *of)
{
    struct image_source *s = of;
    size_t n = s->size - s->at, most = count > 0 ? (size_t)count : 0;
    n = n < most ? n : most;
    memcpy(to, s->bytes + s->at, n);
    s->at += n;
    return (sf_count_t)n;
}

static sf_count_t give(const void *from, sf_count_t count, void *of)
{
    (void)from, (void)count, (void)of;
    return 0;
}

/* ---- reading ---- */

/* What libsndfile passes over: values that end with the file, before the chunk that should hold them does. A length of 2^32 - 1 says
 * nothing. Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0, 1991. */
static bool is_whole(const struct image_source *s, struct data_error *error)
{
    for (size_t at = 12; is_wav(s->bytes) && s->size - at >= 8;) {
        const unsigned char *b = s->bytes + at;
        const size_t left = s->size - at - 8;
        const uint32_t size = b[4] | (uint32_t)b[5] << 8 | (uint32_t)b[6] << 16 | (uint32_t)b[7] << 24;
        const bool data = memcmp(b, "data", 4) == 0;
        if (data && size != UINT32_MAX && size > left)
            return data_fail(error, "%s: truncated: %" PRIu32 " bytes of values from byte %zu, but it ends at byte %zu",
                             s->path, size, at + 8, s->size);
        if (data || size >= left)
            break;
        at += 8 + size + (size & 1 && size < left);
    }
    return true;
}

static bool read_values(SNDFILE *file, const struct image_source *source, struct pixels *p, struct data_error *error)
{
    const size_t n = (size_t)(p->width * p->channels);
    float *value = malloc(n * sizeof *value);
    p->at = (unsigned char *)value;
    if (!value)
        return data_fail(error, "%s: out of memory", source->path);
    sf_count_t got = sf_readf_float(file, value, p->width);
    if (got != p->width || sf_error(file) != SF_ERR_NO_ERROR)
        return data_fail(error, "%s: damaged: value %" PRId64 " of %" PRId64 " cannot be read: %s", source->path, got,
                         p->width, got < p->width ? "it ends too early" : sf_strerror(file));
    for (size_t i = 0; i < n; i++)
        if (!isfinite(value[i]))
            return data_fail(error, "%s: value %zu is not finite", source->path, i / (size_t)p->channels);
    return true;
}

bool sound_read(struct image_source *source, picture_fits *fits, void *wanted, struct pixels *p,
                struct data_error *error)
{
    SF_VIRTUAL_IO io = {length, seek, take, give, tell};
    SF_INFO info = {0};
    *p = (struct pixels){0};
    if (source->size < DATA_START || !sound_is(source->bytes))
        return data_fail(error, "%s: byte 0: not a sound known here; expected %s", source->path, sound_formats);
    if (!is_whole(source, error))
        return false;
    SNDFILE *file = sf_open_virtual(&io, SFM_READ, &info, source);
    if (!file)
        return data_fail(error, "%s: damaged, or not known here: %s", source->path, sf_strerror(NULL));
    *p = (struct pixels){
        .height = 1, .width = info.frames, .channels = info.channels, .sound = true, .rate = info.samplerate};
    bool ok = (info.channels > 0 && info.samplerate > 0 && info.frames > 0 && info.frames <= MOST / info.channels) ||
              data_fail(error, "%s: %" PRId64 " values in each of %d channels; expected at least one, and at most 2^26",
                        source->path, (int64_t)info.frames, info.channels);
    struct data_error why;
    if (ok && fits && !fits(wanted, p, &why))
        ok = data_fail(error, "%s: %s", source->path, why.text);
    ok = ok && read_values(file, source, p, error);
    sf_close(file);
    if (!ok) {
        free(p->at);
        p->at = NULL;
    }
    return ok;
}
