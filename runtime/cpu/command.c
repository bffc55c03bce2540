#define _GNU_SOURCE 1
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool add(struct command *c, const char *text, size_t length)
{
    if (c->n == COMMAND_WORDS) {
        errno = E2BIG;
        return false;
    }
    c->word[c->n] = strndup(text, length);
    return c->word[c->n] && ++c->n;
}

bool command_add(struct command *c, const char *word)
{
    return add(c, word, strlen(word));
}

bool command_split(struct command *c, const char *text)
{
    static const char blank[] = " \t\n";
    while (text && *(text += strspn(text, blank))) {
        size_t length = strcspn(text, blank);
        if (!add(c, text, length))
            return false;
        text += length;
    }
    return true;
}

void command_free(struct command *c)
{
    for (int i = 0; i < c->n; i++)
        free(c->word[i]);
    *c = (struct command){0};
}

static bool runnable(const char *path)
{
    struct stat s;
    if (stat(path, &s) != 0 || access(path, X_OK) != 0)
        return false;
    if (!S_ISREG(s.st_mode))
        errno = EACCES;
    return S_ISREG(s.st_mode);
}

char *command_find(const char *program)
{
    if (strchr(program, '/'))
        return runnable(program) ? strdup(program) : NULL;
    const char *folders = getenv("PATH");
    for (const char *at = folders ? folders : "/usr/local/bin:/usr/bin:/bin"; *program; at++) {
        int length = (int)strcspn(at, ":");
        char *path;
        if (asprintf(&path, "%.*s/%s", length ? length : 1, length ? at : ".", program) < 0)
            return NULL;
        if (runnable(path))
            return path;
        free(path);
        at += length;
        if (!*at)
            break;
    }
    errno = ENOENT;
    return NULL;
}

/* Reads to the end; where it is more than fits, the first half is dropped again and again. */
static void collect(int from, char *output, size_t room)
{
    size_t length = 0;
    for (;;) {
        if (length == room - 1) {
            size_t drop = (length + 1) / 2;
            memmove(output, output + drop, length - drop);
            length -= drop;
        }
        ssize_t n = read(from, output + length, room - 1 - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    output[length] = '\0';
}

static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool command_start(const struct command *c, const char *path, struct running *r)
{
    int end[2];
    posix_spawn_file_actions_t actions;
    if (pipe2(end, O_CLOEXEC) != 0)
        return false;
    int cause = posix_spawn_file_actions_init(&actions);
    if (!cause) {
        cause = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        cause = cause ? cause : posix_spawn_file_actions_adddup2(&actions, end[1], STDOUT_FILENO);
        cause = cause ? cause : posix_spawn_file_actions_adddup2(&actions, end[1], STDERR_FILENO);
        cause = cause ? cause : posix_spawn(&r->child, path, &actions, NULL, c->word, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    close(end[1]);
    r->said = end[0];
    if (cause)
        close(end[0]);
    errno = cause;
    return !cause;
}

int command_end(struct running *r, char *output, size_t room)
{
    collect(r->said, output, room);
    const int status = wait_for(r->child), cause = errno;
    close(r->said);
    errno = cause;
    return status;
}

int command_run(const struct command *c, const char *path, char *output, size_t room)
{
    struct running r;
    output[0] = '\0';
    return command_start(c, path, &r) ? command_end(&r, output, room) : -1;
}
