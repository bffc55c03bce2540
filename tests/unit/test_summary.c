/* What netc tells of a model: counts against those of PyTorch and thop, fates of layers, JSON and DOT. */
#include "compiled.h"
#include "netc/layers.h"

#include <jansson.h>

/* Not inlined, or gcc 12 takes the text for the variable that pointed to it. */
static __attribute__((noinline)) char *printed(void print(const struct compilation *c, FILE *out),
                                               const struct compilation *c)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print(c, out);
    fclose(out);
    return text;
}

static void print_summary(const struct compilation *c, FILE *out)
{
    summary(c, FLOPS_MACS, out);
}

static void print_thop(const struct compilation *c, FILE *out)
{
    summary(c, FLOPS_THOP, out);
}

static void print_train_dot(const struct compilation *c, FILE *out)
{
    print_kernels_dot(c->graph[PHASE_TRAIN], out);
}

static const struct layer *find(const struct layer *list, int n, const char *path)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(list[i].path, path))
            return &list[i];
    fail_msg("no layer %s", path);
    return NULL;
}

/* ---- counts ---- */

static void test_counts(void **state)
{
    (void)state;
    json_error_t e;
    json_t *all = json_load_file("tests/expect/counts.json", JSON_REJECT_DUPLICATES, &e), *want;
    const char *name;
    assert_non_null(all);
    json_object_foreach(all, name, want)
    {
        struct compilation *c = compiled_model(name);
        int n;
        const struct layer *list = layers_of(c, &n);
        int64_t params = 0, macs = 0, thop = 0;
        for (int i = 0; i < n; i++) {
            params += list[i].params;
            macs += list[i].macs;
            thop += layer_flops(list, i, FLOPS_THOP);
        }
        assert_int_equal(params, json_integer_value(json_object_get(want, "params")));
        assert_int_equal(params, c->plan->params);
        assert_int_equal(macs, json_integer_value(json_object_get(want, "macs")));
        assert_int_equal(macs, c->plan->macs);
        assert_int_equal(thop, json_integer_value(json_object_get(want, "thop")));
        compiled_free(c);
    }
    json_decref(all);
}

/* ---- fates ---- */

static void test_fates(void **state)
{
    (void)state;
    struct compilation *c = compiled_model("mnist_cnn");
    int n;
    const struct layer *list = layers_of(c, &n), *conv = find(list, n, "conv1"), *pool = find(list, n, "maxpool_2");
    assert_string_equal(conv->label, "Conv 3x3");
    assert_string_equal(conv->fate, "kernel + ReLU + MaxPool 2");
    assert_int_equal(find(list, n, "relu_1")->line, conv - list);
    assert_string_equal(pool->fate, "fused into conv1");
    assert_int_equal(pool->line, pool - list);
    assert_int_equal(conv->kept, 0);
    assert_int_equal(pool->kept, 16 * 14 * 14 * (4 + 1)); /* values, and places of the winners */
    assert_string_equal(find(list, n, "flatten_5")->fate, "view, no copy");
    const struct layer *drop = find(list, n, "dropout_7");
    assert_true(drop->trains && !drop->predicts);
    assert_int_equal(drop->line, find(list, n, "fc1") - list);
    assert_int_equal(find(list, n, "image")->number, 0);
    assert_int_equal(find(list, n, "fc2")->number, 11);
    compiled_free(c);
}

static const char branches[] = "net branches\n"
                               "input image : f32[2, 4, 4]\n"
                               "target kind : class[3]\n"
                               "block twice_and_a_name_that_is_longer_than_any_column(n) {\n"
                               "    input x\n"
                               "    y = Concat(x -> ReLU, x -> Conv(n, kernel = 1) -> BatchNorm) -> act: LeakyReLU\n"
                               "    z = y + y\n"
                               "    output z\n"
                               "}\n"
                               "x = image + image -> a: repeat(2, twice_and_a_name_that_is_longer_than_any_column(2))\n"
                               "logits = x -> AvgPool(2) -> GlobalAvgPool -> Flatten -> Linear(3)\n"
                               "probs = logits -> Softmax\n"
                               "output probs\n"
                               "train {\n"
                               "    loss = CrossEntropy(logits, kind)\n"
                               "    optimizer = SGD(lr = 0.1)\n"
                               "}\n";

static struct compilation *compiled_branches(const char *file)
{
    return compiled(strdup(branches), file);
}

static void test_branches(void **state)
{
    (void)state;
    struct compilation *c = compiled_branches("b.net");
    int n, adds = 0;
    const struct layer *list = layers_of(c, &n), *soft = find(list, n, "softmax_4");
    for (int i = 0; i < n; i++) {
        adds += !strcmp(list[i].label, "Add");
        assert_true(list[i].line <= i && list[list[i].line].line == list[i].line);
    }
    assert_int_equal(adds, 3);
    assert_string_equal(find(list, n, "+")->label, "Add");
    assert_string_equal(find(list, n, "a.0.+")->label, "Add");
    assert_int_equal(find(list, n, "a.1.+")->out->loc.line, find(list, n, "a.0.+")->out->loc.line);
    assert_true(soft->predicts && !soft->trains);
    assert_ptr_equal(soft, &list[n - 1]);
    compiled_free(c);
}

/* ---- what is printed ---- */

/* Every row has its text where the heading has its column, whatever the names. */
static void test_table(void **state)
{
    (void)state;
    struct compilation *c = compiled_model("resnet20");
    char *plain = printed(print_summary, c), *thop = printed(print_thop, c);
    assert_non_null(strstr(plain, "40,813,184"));
    assert_null(strstr(plain, "thop"));
    assert_non_null(strstr(thop, "rule of thop >= 0.1\n"));
    assert_non_null(strstr(thop, "41,620,160"));
    assert_non_null(strstr(plain, "272,474"));
    const char *head = strstr(plain, "\n\n") + 2;
    size_t how = (size_t)(strstr(head, "how") - head);
    for (const char *line = strchr(head, '\n') + 1; *line != '\n'; line = strchr(line, '\n') + 1) {
        size_t length = strcspn(line, "\n");
        assert_true(length < how || (line[how - 1] == ' ' && line[how] != ' '));
        assert_true(line[length - 1] != ' ');
    }
    free(plain);
    free(thop);
    compiled_free(c);
}

static void test_json(void **state)
{
    (void)state;
    struct compilation *c = compiled_branches("quote\" back\\slash \n \xc3\xa9 \xff.net");
    char *text = printed(print_json, c);
    json_error_t e;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &e);
    if (!root)
        fail_msg("line %d: %s", e.line, e.text);
    assert_string_equal(json_string_value(json_object_get(root, "file")),
                        "quote\" back\\slash \n \xc3\xa9 \xef\xbf\xbd.net");
    assert_int_equal(json_integer_value(json_object_get(root, "params")), c->plan->params);
    assert_int_equal(json_array_size(json_object_get(root, "tensors")), c->plan->ntensor);
    assert_int_equal(json_object_size(json_object_get(root, "settings")), c->plan->nsetting);
    json_t *phases = json_object_get(root, "phases"), *first = json_array_get(phases, 0);
    assert_int_equal(json_array_size(phases), 2 * PHASE_COUNT);
    assert_int_equal(json_integer_value(json_object_get(first, "per_row")), c->plan->schedule[0].per_row);
    assert_int_equal(json_array_size(json_object_get(first, "kernels")), c->plan->schedule[0].last_kernel);
    json_decref(root);
    free(text);
    compiled_free(c);
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

static void test_dot(void **state)
{
    (void)state;
    struct compilation *c = compiled_branches("b.net");
    struct graph *g = c->graph[PHASE_TRAIN];
    g->node[0]->layer = "a\"b\\c";
    char *text = printed(print_train_dot, c);
    assert_non_null(strstr(text, "a\\\"b\\\\c"));
    assert_int_equal(count(text, "subgraph cluster_"), g->ngroup);
    for (int k = 0; k < g->nnode; k++) {
        char name[32];
        snprintf(name, sizeof name, "    n%d [", k);
        assert_int_equal(count(text, name), 1);
    }
    assert_int_equal(count(text, "{"), count(text, "}"));
    free(text);
    compiled_free(c);
}

/* Operands of each layer, once a use, be the value laid out anew in between or not. */
static void test_operands(void **state)
{
    (void)state;
    struct compilation *c = compiled_branches("b.net");
    int n;
    const struct layer *list = layers_of(c, &n), *sum = find(list, n, "+"), *joined = find(list, n, "a.0.concat_2");
    const struct layer *twice = find(list, n, "a.0.+"), *soft = find(list, n, "softmax_4");
    assert_int_equal(sum->nfrom, 2);
    assert_true(list[sum->from[0]].input && list[sum->from[1]].input);
    assert_int_equal(joined->nfrom, 2);
    assert_string_equal(list[joined->from[0]].path, "a.0.relu_1");
    assert_string_equal(list[joined->from[1]].path, "a.0.batchnorm_2");
    assert_int_equal(twice->nfrom, 2);
    assert_ptr_equal(&list[twice->from[0]], find(list, n, "a.0.act"));
    assert_int_equal(find(list, n, "a.0.batchnorm_2")->nfrom, 1); /* though several of its nodes read it */
    assert_int_equal(soft->nfrom, 1);
    assert_int_equal(list[soft->from[0]].kind, OP_CONTRACT);
    assert_string_equal(soft->outputs, "probs");
    for (int i = 0; i < n; i++)
        for (int k = 0; k < list[i].nfrom; k++)
            assert_in_range(list[i].from[k], 0, i - 1);
    compiled_free(c);
}

static void test_dot_layers(void **state)
{
    (void)state;
    struct compilation *c = compiled_branches("b.net");
    int n, edges = 0;
    const struct layer *list = layers_of(c, &n);
    char *text = printed(print_layers_dot, c);
    for (int i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "  l%d [", i);
        assert_int_equal(count(text, name), 1);
        edges += list[i].nfrom;
    }
    assert_int_equal(count(text, " -> "), edges + 1); /* and to the output */
    assert_int_equal(count(text, "shape=circle"), 3);
    assert_int_equal(count(text, "subgraph"), 3); /* a, a.0, a.1 */
    assert_non_null(strstr(text, "l0 -> l1 [label=\" 2x4x4\""));
    assert_non_null(strstr(text, "<b>batchnorm_2</b>  BatchNorm<br/>"));
    assert_non_null(strstr(text, "3, 21 parameters"));
    assert_non_null(strstr(text, "3, prediction only"));
    assert_non_null(strstr(text, "<b>probs</b>  output"));
    assert_int_equal(count(text, "{"), count(text, "}"));
    free(text);
    compiled_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),   cmocka_unit_test(test_fates),      cmocka_unit_test(test_branches),
        cmocka_unit_test(test_table),    cmocka_unit_test(test_json),       cmocka_unit_test(test_dot),
        cmocka_unit_test(test_operands), cmocka_unit_test(test_dot_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
