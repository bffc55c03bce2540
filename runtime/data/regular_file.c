#include "regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

FILE *regular_open(const char *path, uint64_t *size, struct data_error *error)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* of a FIFO: returns at once */
    bool found = descriptor >= 0 && fstat(descriptor, &status) == 0;
    FILE *stream = found && S_ISREG(status.st_mode) ? fdopen(descriptor, "rb") : NULL;
    if (stream) {
        *size = (uint64_t)status.st_size;
        return stream;
    }
    data_fail(error, "%s: %s", path, found && !S_ISREG(status.st_mode) ? "is not a regular file" : strerror(errno));
    if (descriptor >= 0)
        close(descriptor);
    return NULL;
}

size_t regular_start(const char *path, void *start, size_t size)
{
    struct data_error ignored;
    uint64_t whole;
    FILE *stream = regular_open(path, &whole, &ignored);
    size_t n = stream ? fread(start, 1, size, stream) : 0;
    if (stream)
        fclose(stream);
    return n;
}

bool file_unchanged(FILE *stream, const struct stat *before, const char *path, struct data_error *error)
{
    struct stat now;
    if (fstat(fileno(stream), &now) != 0)
        return data_fail(error, "%s: %s", path, strerror(errno));
    if (now.st_size != before->st_size)
        return data_fail(error, "%s: changed while it was read: it had %lld bytes, and has %lld", path,
                         (long long)before->st_size, (long long)now.st_size);
    return (now.st_mtim.tv_sec == before->st_mtim.tv_sec && now.st_mtim.tv_nsec == before->st_mtim.tv_nsec) ||
           data_fail(error, "%s: changed while it was read: it was written to", path);
}

XXH128_hash_t file_stamp(const struct stat *s)
{
    const int64_t known[] = {s->st_size,         (int64_t)s->st_ino, s->st_mtim.tv_sec,
                             s->st_mtim.tv_nsec, s->st_ctim.tv_sec,  s->st_ctim.tv_nsec};
    return XXH3_128bits(known, sizeof known);
}

/* Two seconds are the coarsest that a file system counts in. */
bool file_settled(const struct stat *s)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return s->st_mtim.tv_sec + 2 < now.tv_sec && s->st_ctim.tv_sec + 2 < now.tv_sec;
}
