/* A small model around any word of the language, made from the table of words alone. Include after harness.h. */
#ifndef WORD_MODEL_H
#define WORD_MODEL_H

/* `Word(a = 1, ...)` with every required argument, and argument `which` (-1: none) as `value`. */
static inline void call_text(const struct word *w, int which, const char *value, char *to, size_t size)
{
    size_t n = (size_t)snprintf(to, size, "%s(", w->name);
    const char *comma = "";
    for (int i = 0; i < MAX_WORD_ARGS && w->arg[i].name; i++) {
        const struct arg *a = &w->arg[i];
        char number[32];
        double plain = a->min == 0 && a->max == 0 ? 1 : fmin(fmax(1, a->min), a->max);
        snprintf(number, sizeof number, "%.17g", plain);
        if (a->type == ARG_VALUE)
            snprintf(number, sizeof number, "%s", !strcmp(a->name, "target") ? "goal" : "y");
        if (a->type == ARG_TEXT || a->type == ARG_TEXTS)
            snprintf(number, sizeof number, "\"%s\"", a->choice ? a->choice[0] : "file");
        if (a->type == ARG_CLASSES)
            snprintf(number, sizeof number, "[1, 1, 1]");
        if (i != which && !a->required)
            continue;
        n += (size_t)snprintf(to + n, size - n, "%s%s = %s", comma, a->name, i == which ? value : number);
        comma = ", ";
    }
    snprintf(to + n, size - n, ")");
}

/* A small model with the word in its place. */
static inline char *model_with(const struct word *w, const char *call, const char *x)
{
    static const char *const plain[] = {
        [WORD_LAYER] = "Tanh",       [WORD_LOSS] = "MSE(y, goal)",  [WORD_OPTIMIZER] = "SGD(lr = 0.1, momentum = 0.5)",
        [WORD_SCHEDULE] = "Cosine",  [WORD_TRANSFORM] = "Scale(1)", [WORD_METRIC] = "Accuracy",
        [WORD_SAVE] = "best",        [WORD_STOP] = "patience(3)",   [WORD_CLIP] = "norm(1)",
        [WORD_SOURCE] = "\"train\"", [WORD_AUGMENT] = "RandomFlip",
    };
    const char *part[WORD_KINDS], *metrics = "";
    char *text = calloc(1, 4096), list[256];
    bool classes = (w->kind == WORD_METRIC && !w->values) || w->kind == WORD_AUGMENT || w->kind == WORD_SAMPLING ||
                   !strcmp(w->name, "CrossEntropy");
    assert_non_null(text);
    for (int k = 0; k < WORD_KINDS; k++)
        part[k] = k == (int)w->kind ? call : plain[k];
    if (classes || w->kind == WORD_METRIC) {
        snprintf(list, sizeof list, "    metrics = [%s]\n", part[WORD_METRIC]);
        metrics = list;
    }
    if (classes && w->kind != WORD_LOSS)
        part[WORD_LOSS] = "CrossEntropy(y, goal)";
    bool joins = w->kind == WORD_LAYER && w->nvalue < 0;
    snprintf(
        text, 4096,
        "net word\ninput image : %s\ntarget goal : %s\n%s\nz = %s%s\n"
        "y = z -> Flatten -> Linear(3)\noutput y\n"
        "data {\n    train = %s\n    transform = [%s]\n    augment = [%s]\n%s%s\n}\n"
        "train {\n    loss = %s\n    optimizer = %s\n    schedule = %s\n    save = %s\n    stop = %s\n    clip = %s\n    batch = 4\n%s}\n",
        w->picture                ? "f32[144]"
        : w->kind == WORD_AUGMENT ? "f32[3, 6, 6]"
                                  : "f32[4, 6, 6]",
        classes  ? "class[3]"
        : w->use ? "f32[3] from [\"p\", \"q\", \"r\"]"
                 : "f32[3]",
        x, joins ? "" : "x -> ", joins ? "Concat(x, x)" : part[WORD_LAYER], part[WORD_SOURCE], part[WORD_TRANSFORM],
        w->picture ? "" : part[WORD_AUGMENT], w->kind == WORD_SAMPLING ? "    sampling = " : "",
        w->kind == WORD_SAMPLING ? call : "", part[WORD_LOSS], part[WORD_OPTIMIZER], part[WORD_SCHEDULE],
        part[WORD_SAVE], part[WORD_STOP], part[WORD_CLIP], metrics);
    return text;
}

#endif
