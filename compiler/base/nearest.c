/* nearest.c: which name was meant. */
#include "base.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 40 }; /* names beyond this get no suggestion */

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Damerau-Levenshtein distance (optimal string alignment), without regard to case. Both at most LONGEST long. */
static int distance(const char *a, const char *b)
{
    int n = (int)strlen(a), m = (int)strlen(b), t[LONGEST + 1][LONGEST + 1];
    for (int i = 0; i <= n; i++)
        t[i][0] = i;
    for (int j = 0; j <= m; j++)
        t[0][j] = j;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++) {
            int p = tolower((unsigned char)a[i - 1]), q = tolower((unsigned char)b[j - 1]);
            t[i][j] = least(least(t[i - 1][j], t[i][j - 1]) + 1, t[i - 1][j - 1] + (p != q));
            if (i > 1 && j > 1 && p == tolower((unsigned char)b[j - 2]) && q == tolower((unsigned char)a[i - 2]))
                t[i][j] = least(t[i][j], t[i - 2][j - 2] + 1);
        }
    return t[n][m];
}

const char *diag_nearest(const char *name, const char *const *names, int n)
{
    size_t length = strlen(name);
    if (length > LONGEST)
        return NULL;
    int limit = length < 3 ? 1 : (int)length / 3;
    const char *best = NULL;
    for (int i = 0; i < n; i++) {
        if (strlen(names[i]) > LONGEST)
            continue;
        int x = distance(name, names[i]);
        if (x <= limit && x < (int)length && (!best || x < distance(name, best)))
            best = names[i];
    }
    return best;
}
