#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_ATTEMPTS 100
#define MOST_LINKS 40
#define OPEN_FILES "/proc/"

static bool fail(struct atomic_file *file, const char *action, int cause, struct data_error *error)
{
    data_fail(error, "%s: %s: %s", file->path ? file->path : "a file", action, strerror(cause));
    atomic_abandon(file);
    return false;
}

/* Length of the folder part, slash included; 0 if there is none. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* What the path leads to, be it there or not. A link in /proc stands for something open, which need not have a path:
 * none is followed there. NULL with errno set. */
static char *behind_links(const char *path)
{
    char *at = strdup(path);
    for (int links = 0; at && links < MOST_LINKS; links++) {
        char to[PATH_MAX];
        ssize_t length = strncmp(at, OPEN_FILES, strlen(OPEN_FILES)) == 0 ? -1 : readlink(at, to, sizeof to - 1);
        if (length < 0)
            return at;
        to[length] = '\0';
        char *next = malloc(strlen(at) + (size_t)length + 1);
        if (next)
            sprintf(next, "%.*s%s", to[0] == '/' ? 0 : (int)folder_length(at), at, to);
        free(at);
        at = next;
    }
    errno = at ? ELOOP : ENOMEM;
    free(at);
    return NULL;
}

/* A file of our own beside the target; -1 with errno set. */
static int open_beside(struct atomic_file *file, size_t room)
{
    size_t folder = folder_length(file->target);
    int descriptor = -1;
    errno = EEXIST;
    for (int attempt = 0; descriptor < 0 && errno == EEXIST && attempt < NAME_ATTEMPTS; attempt++) {
        snprintf(file->temporary, room, "%.*s.%s.tmp-%ld-%d", (int)folder, file->target, file->target + folder,
                 (long)getpid(), attempt);
        descriptor = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (descriptor < 0)
        file->temporary[0] = '\0';
    return descriptor;
}

bool atomic_open(struct atomic_file *file, const char *path, struct data_error *error)
{
    struct stat old;
    *file = (struct atomic_file){.path = strdup(path), .target = behind_links(path)};
    int cause = errno;
    size_t room = file->target ? strlen(file->target) + 40 : 1;
    file->temporary = calloc(room, 1);
    if (!file->path || !file->temporary || !file->target)
        return fail(file, "cannot be opened for writing", file->target ? ENOMEM : cause, error);
    bool there = stat(path, &old) == 0, open_file = strncmp(file->target, OPEN_FILES, strlen(OPEN_FILES)) == 0;
    if (there && S_ISREG(old.st_mode) && access(path, W_OK) != 0)
        return fail(file, "cannot be written", errno, error);
    bool in_place = open_file || (there && !S_ISREG(old.st_mode));
    int descriptor = in_place ? open(path, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC) : open_beside(file, room);
    if (descriptor < 0)
        return fail(file, in_place ? "cannot be opened for writing" : "cannot create a temporary file beside it", errno,
                    error);
    if (there && !in_place)
        fchmod(descriptor, old.st_mode & 0777); /* where that cannot be kept, the usual mode will do */
    file->stream = fdopen(descriptor, "wb");
    if (!file->stream) {
        cause = errno;
        close(descriptor);
        return fail(file, "cannot be opened for writing", cause, error);
    }
    return true;
}

bool atomic_write(struct atomic_file *file, const void *data, uint64_t size, struct data_error *error)
{
    if (size && fwrite(data, 1, size, file->stream) != size)
        return fail(file, "cannot be written", errno, error);
    return true;
}

static int sync_folder(const char *path)
{
    size_t length = folder_length(path);
    char *folder = length ? strndup(path, length) : strdup(".");
    int descriptor = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int cause = descriptor < 0 ? errno : 0;
    if (descriptor >= 0) {
        /* Some file systems cannot sync a folder; there the rename is as durable as they make it. */
        if (fsync(descriptor) != 0 && errno != EINVAL && errno != ENOTSUP)
            cause = errno;
        close(descriptor);
    }
    free(folder);
    return cause;
}

bool atomic_commit(struct atomic_file *file, struct data_error *error)
{
    /* A failed fprintf to the stream shows in ferror, but its errno is gone. */
    bool failed_before = ferror(file->stream);
    bool in_place = !file->temporary[0];
    if (fflush(file->stream) != 0 || (!in_place && fsync(fileno(file->stream)) != 0))
        return fail(file, "cannot be written", errno, error);
    if (failed_before)
        return fail(file, "cannot be written", EIO, error);
    FILE *stream = file->stream;
    file->stream = NULL;
    if (fclose(stream) != 0)
        return fail(file, "cannot be written", errno, error);
    if (!in_place && rename(file->temporary, file->target) != 0)
        return fail(file, "cannot be replaced", errno, error);
    file->temporary[0] = '\0';
    int cause = in_place ? 0 : sync_folder(file->target);
    if (cause)
        return fail(file, "is written, but its folder cannot be synced", cause, error);
    atomic_abandon(file);
    return true;
}

void atomic_abandon(struct atomic_file *file)
{
    if (file->stream)
        fclose(file->stream);
    if (file->temporary && file->temporary[0])
        unlink(file->temporary);
    free(file->temporary);
    free(file->target);
    free(file->path);
    *file = (struct atomic_file){0};
}

bool atomic_save(const char *path, const void *data, uint64_t size, struct data_error *error)
{
    struct atomic_file file;
    return atomic_open(&file, path, error) && atomic_write(&file, data, size, error) && atomic_commit(&file, error);
}

bool atomic_is_temporary(const char *name)
{
    static const char digits[] = "0123456789", mark[] = ".tmp-";
    const char *at = name[0] == '.' ? strstr(name, mark) : NULL;
    for (const char *next; at && (next = strstr(at + 1, mark));)
        at = next;
    size_t process = at ? strspn(at += strlen(mark), digits) : 0;
    size_t attempt = process && at[process] == '-' ? strspn(at + process + 1, digits) : 0;
    return attempt && at[process + 1 + attempt] == '\0';
}

bool atomic_destroys(const char *output, const char *input)
{
    struct stat in, out;
    return stat(output, &out) == 0 && S_ISREG(out.st_mode) &&
           (strcmp(input, "-") == 0 ? fstat(STDIN_FILENO, &in) : stat(input, &in)) == 0 && in.st_dev == out.st_dev &&
           in.st_ino == out.st_ino;
}
