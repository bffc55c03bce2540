/* streams.c: what a program prints arrives, or its exit status says that it did not. */
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

void streams_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0) /* the number that open takes; writing to a closed stdout shall fail */
            open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is told as a full disk is */
}

int streams_close(const char *program, int status)
{
    enum { LOST = 4 };
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (status == 0)
            fprintf(stderr, "%s: error: stdout: cannot be written%s%s\n", program, errno ? ": " : "",
                    errno ? strerror(errno) : "");
        status = status ? status : LOST;
    }
    return status == 0 && (fflush(stderr) != 0 || ferror(stderr)) ? LOST : status;
}
