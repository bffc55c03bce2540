/* Makes three small tables with the layouts of well-known ones, so that whoever has a table of his own can see how it has to lie:
 * iris (four numbers, a class by name), titanic (text, names in quotes, missing values) and housing (a value to estimate; one file).
 * What stands there is drawn, and means nothing. Deterministic: a row depends on the seed and its number. */
#include "base/base.h"
#include "base/philox.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- random numbers ---- */

struct random {
    uint32_t key[2], counter[4], word[4];
    int used;
};

static double uniform(struct random *r)
{
    if (r->used == 0) {
        philox4x32(r->counter, r->key, r->word);
        r->counter[0]++;
    }
    const double u = (double)philox_unit(r->word[r->used]);
    r->used = (r->used + 1) % 4;
    return u;
}

static double between(struct random *r, double low, double high)
{
    return low + (high - low) * uniform(r);
}

/* Box and Muller, Annals of Mathematical Statistics 29, 1958. */
static double normal(struct random *r, double mean, double deviation)
{
    const double radius = sqrt(-2 * log(1 - uniform(r))), angle = 6.283185307179586 * uniform(r);
    return mean + deviation * radius * cos(angle);
}

static int whole(struct random *r, int n)
{
    return (int)(uniform(r) * n);
}

/* ---- the tables: a head, and a row ---- */

static void iris(FILE *out, struct random *r, int i)
{
    static const char *const name[] = {"setosa", "versicolor", "virginica"};
    static const double mean[3][4] = {{5.0, 3.4, 1.5, 0.25}, {5.9, 2.8, 4.3, 1.3}, {6.6, 3.0, 5.5, 2.0}},
                        deviation[3][4] = {{0.35, 0.38, 0.17, 0.1}, {0.5, 0.3, 0.47, 0.2}, {0.6, 0.3, 0.55, 0.27}};
    for (int k = 0; k < 4; k++)
        fprintf(out, "%.1f,", fmax(0.1, normal(r, mean[i % 3][k], deviation[i % 3][k])));
    fprintf(out, "%s\n", name[i % 3]);
}

/* Women, children and the first class are saved more often, as they were. */
static void titanic(FILE *out, struct random *r, int i)
{
    static const char *const family[] = {"Almond", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Hazel", "Juniper"},
                             *const port[] = {"S", "S", "S", "C", "Q"};
    const int class = 1 + whole(r, 3), woman = whole(r, 5) < 2, beside = whole(r, 3), parents = whole(r, 3);
    const double age = fabs(normal(r, 38 - 4 * class, 13)), fare = exp(normal(r, 5 - 0.9 * class, 0.4));
    const double chance = 0.8 - 1.1 * (class - 1) + 2.6 * woman - 0.03 * age;
    fprintf(out, "%d,%d,%d,\"%s, %s. \"\"%c\"\"\",%s,", i + 1, uniform(r) < 1 / (1 + exp(-chance)), class,
            family[whole(r, COUNT(family))], woman ? "Mrs" : "Mr", 'A' + i % 26, woman ? "female" : "male");
    if (whole(r, 5))
        fprintf(out, "%.0f", age);
    fprintf(out, ",%d,%d,%d,%.2f,", beside, parents, 100000 + whole(r, 900000), fare);
    if (class == 1)
        fprintf(out, "%c%d", 'A' + whole(r, 5), 1 + whole(r, 120));
    fprintf(out, ",%s\n", whole(r, 60) ? port[whole(r, COUNT(port))] : "");
}

/* Far from the coast it is cheap; columns of very different size. */
static void housing(FILE *out, struct random *r, int i)
{
    (void)i;
    const double income = exp(normal(r, 1.2, 0.45)), age = 1 + whole(r, 52), rooms = fabs(normal(r, 5.4, 1.1)) + 1;
    const double people = exp(normal(r, 7, 0.6)), each = 1.5 + fabs(normal(r, 1.4, 0.6));
    const double latitude = between(r, 32.5, 42), inland = fabs(normal(r, 0, 1.2));
    const double longitude = -124.5 + (42 - latitude) * 0.75 + inland;
    const double value = 0.6 + 0.42 * income + 0.006 * age - 0.35 * (each - 2.5) - 0.45 * inland + normal(r, 0, 0.3);
    fprintf(out, "%.4f,%.0f,%.4f,%.4f,%.0f,%.4f,%.2f,%.2f,%.3f\n", income, age, rooms, rooms / 5 + 0.05 * uniform(r),
            people, each, latitude, longitude, fmin(5, fmax(0.15, value)));
}

/* clang-format off */
static const struct table {
    const char *folder, *file[2], *head;
    int rows[2];
    void (*row)(FILE *out, struct random *r, int i);
} tables[] = {
    {"iris", {"train.csv", "test.csv"}, "sepal_length,sepal_width,petal_length,petal_width,species", {120, 30}, iris},
    {"titanic", {"train.csv", "test.csv"}, "PassengerId,Survived,Pclass,Name,Sex,Age,SibSp,Parch,Ticket,Fare,Cabin,Embarked", {600, 200}, titanic},
    {"housing", {"housing.csv"}, "MedInc,HouseAge,AveRooms,AveBedrms,Population,AveOccup,Latitude,Longitude,MedHouseVal", {1000}, housing},
};
/* clang-format on */

static bool folder_made(const char *path)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST;
}

static bool make_file(const struct table *t, int k, uint32_t seed, const char *path)
{
    FILE *out = fopen(path, "w");
    if (!out)
        return false;
    fprintf(out, "%s\n", t->head);
    for (int i = 0; i < t->rows[k]; i++) {
        struct random r = {.key = {seed, (uint32_t)(t - tables)}, .counter = {0, (uint32_t)i, (uint32_t)k}};
        t->row(out, &r, i);
    }
    const bool good = !ferror(out);
    return fclose(out) == 0 && good;
}

/* Those of one folder; by the file SYNTHETIC netrun knows that they are drawn. */
static bool make_table(const struct table *t, const char *folder, uint32_t seed, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", folder, t->folder);
    if (!folder_made(path))
        return false;
    snprintf(path, size, "%s/%s/SYNTHETIC", folder, t->folder);
    FILE *mark = fopen(path, "w");
    if (!mark || fputs("A table drawn by make_tables: do not compare results.\n", mark) < 0 || fclose(mark) != 0)
        return false;
    for (int k = 0; k < 2 && t->file[k]; k++) {
        snprintf(path, size, "%s/%s/%s", folder, t->folder, t->file[k]);
        if (!make_file(t, k, seed, path))
            return false;
    }
    return true;
}

static const char usage[] =
    "usage: make_tables DIR [SEED]\n"
    "\n"
    "Draws DIR/iris, DIR/titanic and DIR/housing: small tables, CSV, with the layouts of those of these names.\n";

int main(int argc, char **argv)
{
    char path[4096], *end = "";
    const bool help = argc == 2 && strcmp(argv[1], "--help") == 0;
    const unsigned long seed = argc == 3 ? strtoul(argv[2], &end, 10) : 1;
    if (help || argc < 2 || argc > 3 || *argv[1] == '-' || *end || seed > UINT32_MAX) {
        fputs(usage, help ? stdout : stderr);
        return help ? 0 : 2;
    }
    snprintf(path, sizeof path, "%s", argv[1]);
    bool good = folder_made(path);
    for (int i = 0; good && i < COUNT(tables); i++)
        good = make_table(&tables[i], argv[1], (uint32_t)seed, path, sizeof path);
    if (good)
        return 0;
    fprintf(stderr, "make_tables: %s: %s\n", path, errno ? strerror(errno) : "cannot be written");
    return 4;
}
