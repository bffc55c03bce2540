/* Running another program without a shell. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { COMMAND_WORDS = 128 };

/* Words copied from elsewhere; NULL ends them. Start with {0}, end with command_free. */
struct command {
    int n;
    char *word[COMMAND_WORDS + 1];
};

/* False with errno set: no memory, or E2BIG. */
bool command_add(struct command *c, const char *word);
bool command_split(struct command *c, const char *text); /* at blanks; NULL: no words */
void command_free(struct command *c);

/* The file that a program's name stands for: the name itself if it holds a slash, else the first match in PATH. NULL
 * with errno set if there is none that may be run. The caller frees it. */
char *command_find(const char *program);

/* The file `path` with the command's words, running with no input. False with errno set if it could not be started. */
struct running {
    pid_t child;
    int said; /* its output and errors together */
};
bool command_start(const struct command *c, const char *path, struct running *r);
/* Once it has ended: what it said in `output` (room >= 1 bytes, the last of it if it is more, zero-ended). Returns the exit status,
 * 128 + n after signal n, -1 with errno set if it is not known. */
int command_end(struct running *r, char *output, size_t room);
/* Both; -1 with errno set also if it could not be started. */
int command_run(const struct command *c, const char *path, char *output, size_t room);

#endif
