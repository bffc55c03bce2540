#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_ATTEMPTS 100

static bool fail(struct atomic_file *file, const char *action, int cause, struct data_error *error) {
    data_fail(error, "%s: %s: %s", file->path, action, strerror(cause));
    atomic_abandon(file);
    return false;
}

/* Length of the folder part, slash included; 0 if there is none. */
static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

bool atomic_open(struct atomic_file *file, const char *path, struct data_error *error) {
    size_t folder = folder_length(path), room = strlen(path) + 40;
    *file = (struct atomic_file){.path = strdup(path), .temporary = malloc(room)};
    if (!file->path || !file->temporary) {
        data_fail(error, "%s: out of memory", path);
        free(file->path);
        free(file->temporary);
        *file = (struct atomic_file){0};
        return false;
    }
    int descriptor = -1, cause = EEXIST;
    for (int attempt = 0; descriptor < 0 && cause == EEXIST && attempt < NAME_ATTEMPTS; attempt++) {
        snprintf(file->temporary, room, "%.*s.%s.tmp-%ld-%d", (int)folder, path, path + folder, (long)getpid(),
                 attempt);
        descriptor = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        cause = errno;
    }
    if (descriptor < 0) {
        file->temporary[0] = '\0';
        return fail(file, "cannot create a temporary file beside it", cause, error);
    }
    file->stream = fdopen(descriptor, "wb");
    if (!file->stream) {
        cause = errno;
        close(descriptor);
        return fail(file, "cannot be opened for writing", cause, error);
    }
    return true;
}

bool atomic_write(struct atomic_file *file, const void *data, uint64_t size, struct data_error *error) {
    if (size && fwrite(data, 1, size, file->stream) != size)
        return fail(file, "cannot be written", errno, error);
    return true;
}

static int sync_folder(const char *path) {
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

bool atomic_commit(struct atomic_file *file, struct data_error *error) {
    /* A failed fprintf to the stream shows in ferror, but its errno is gone. */
    bool failed_before = ferror(file->stream);
    if (fflush(file->stream) != 0 || fsync(fileno(file->stream)) != 0)
        return fail(file, "cannot be written", errno, error);
    if (failed_before)
        return fail(file, "cannot be written", EIO, error);
    FILE *stream = file->stream;
    file->stream = NULL;
    if (fclose(stream) != 0)
        return fail(file, "cannot be written", errno, error);
    if (rename(file->temporary, file->path) != 0)
        return fail(file, "cannot be replaced", errno, error);
    file->temporary[0] = '\0';
    int cause = sync_folder(file->path);
    if (cause)
        return fail(file, "is written, but its folder cannot be synced", cause, error);
    atomic_abandon(file);
    return true;
}

void atomic_abandon(struct atomic_file *file) {
    if (file->stream)
        fclose(file->stream);
    if (file->temporary && file->temporary[0])
        unlink(file->temporary);
    free(file->temporary);
    free(file->path);
    *file = (struct atomic_file){0};
}

bool atomic_save(const char *path, const void *data, uint64_t size, struct data_error *error) {
    struct atomic_file file;
    return atomic_open(&file, path, error) && atomic_write(&file, data, size, error) && atomic_commit(&file, error);
}
