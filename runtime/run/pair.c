/* pair.c: the last checkpoint of a run: last.safetensors, which any program can read, and last.optimizer.safetensors, without which
 * training cannot go on. Neither is of use with another's other half, so the second has the hash of the first.
 *
 * Written is first last.next.safetensors, then the optimizer's file, and only then the former takes its name. Whenever a process is
 * killed, the optimizer's file belongs to one of the two that lie there: before it was replaced to the old one, afterwards to the
 * next. */
#include "keep.h"
#include "data/safetensors.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

static const char weights_name[] = "last.safetensors", next_name[] = "last.next.safetensors",
                  optimizer_name[] = "last.optimizer.safetensors";
const char checkpoint_weights_key[] = "weights_hash";

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* XXH3 (128 bits) of all its bytes; false with errno set. */
static bool file_hash(const char *path, char text[HASH_TEXT])
{
    unsigned char part[ST_PART];
    size_t n;
    FILE *file = fopen(path, "rbe");
    XXH3_state_t *state = file ? XXH3_createState() : NULL;
    bool good = state && XXH3_128bits_reset(state) == XXH_OK;
    while (good && (n = fread(part, 1, sizeof part, file)) > 0)
        good = XXH3_128bits_update(state, part, n) == XXH_OK;
    good = good && !ferror(file);
    if (good) {
        XXH128_hash_t hash = XXH3_128bits_digest(state);
        snprintf(text, HASH_TEXT, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
    }
    int cause = errno;
    XXH3_freeState(state);
    if (file)
        fclose(file);
    errno = cause;
    return good;
}

int pair_save(struct job *j)
{
    char weights[PATH_MAX], next[PATH_MAX], optimizer[PATH_MAX], hash[HASH_TEXT];
    if (!run_path(j->folder, weights_name, weights) || !run_path(j->folder, next_name, next) ||
        !run_path(j->folder, optimizer_name, optimizer))
        return STATUS_DATA;
    int status = checkpoint_save(j, next);
    if (status == 0 && !file_hash(next, hash))
        status = complain(STATUS_DATA, "%s: cannot be read: %s", next, strerror(errno));
    if (status == 0)
        status = checkpoint_save_optimizer(j, optimizer, hash);
    if (status == 0 && rename(next, weights) != 0)
        status = complain(STATUS_DATA, "%s: cannot be replaced: %s", weights, strerror(errno));
    return status;
}

bool pair_there(const char *folder)
{
    char weights[PATH_MAX], optimizer[PATH_MAX];
    return run_path(folder, weights_name, weights) && run_path(folder, optimizer_name, optimizer) &&
           (is_there(weights) || is_there(optimizer));
}

/* The file has that hash. */
static bool belongs(const char *path, const char *hash)
{
    char own[HASH_TEXT];
    return is_there(path) && file_hash(path, own) && strcmp(own, hash) == 0;
}

/* The hash of the weights that the optimizer's file goes with; a status after a message. */
static int read_hash(const char *path, char hash[HASH_TEXT])
{
    struct st_file f;
    struct data_error e;
    if (!st_open(path, &f, &e))
        return complain(STATUS_DATA, "%s", e.text);
    const char *text = st_metadata(&f, checkpoint_weights_key);
    int status = text && strlen(text) < HASH_TEXT
                     ? 0
                     : complain(STATUS_DATA, "%s: its metadata do not tell which weights it belongs to", path);
    if (status == 0)
        snprintf(hash, HASH_TEXT, "%s", text);
    st_free(&f);
    return status;
}

/* An older netrun's run has one file, which is then both. */
int pair_find(const char *folder, struct pair *p)
{
    char next[PATH_MAX], hash[HASH_TEXT];
    if (!run_path(folder, weights_name, p->weights) || !run_path(folder, optimizer_name, p->optimizer) ||
        !run_path(folder, next_name, next))
        return STATUS_DATA;
    if (!is_there(p->optimizer)) {
        memcpy(p->optimizer, p->weights, sizeof p->optimizer);
        return is_there(p->weights) ? 0
                                    : complain(STATUS_DATA, "%s: the run ended before its first checkpoint", folder);
    }
    int status = read_hash(p->optimizer, hash);
    if (status || belongs(p->weights, hash))
        return status;
    if (!belongs(next, hash))
        return complain(STATUS_DATA,
                        "%s %s %s\n"
                        "  = help: --weights FILE begins a new run with the weights that are there",
                        p->optimizer, is_there(p->weights) ? "was not written together with" : "lacks", p->weights);
    memcpy(p->weights, next, sizeof next);
    return 0;
}

int pair_settle(const char *folder, struct pair *p)
{
    char weights[PATH_MAX], next[PATH_MAX];
    int status = pair_find(folder, p);
    if (status)
        return status;
    if (!run_path(folder, weights_name, weights) || !run_path(folder, next_name, next))
        return STATUS_DATA;
    if (strcmp(p->weights, next) != 0) {
        unlink(next); /* its process ended before the optimizer's was written */
        return 0;
    }
    if (rename(next, weights) != 0)
        return complain(STATUS_DATA, "%s: cannot be replaced: %s", weights, strerror(errno));
    memcpy(p->weights, weights, sizeof weights);
    return 0;
}
