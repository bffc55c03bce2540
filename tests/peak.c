/* peak FILE COMMAND...: runs a command; FILE gets the most memory, in KiB, that it or a child of it had resident. */
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv)
{
    pid_t child;
    int status;
    struct rusage used;
    FILE *out = argc > 2 ? fopen(argv[1], "we") : NULL;
    if (!out || posix_spawnp(&child, argv[2], NULL, NULL, argv + 2, environ) != 0 ||
        wait4(child, &status, 0, &used) != child)
        return 127;
    fprintf(out, "%ld\n", used.ru_maxrss);
    if (fclose(out) != 0)
        return 127;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
