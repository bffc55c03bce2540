/* others_weights.c: the table of other programs' weights: how they are told, and how they become safetensors. */
#include "others_weights.h"

#include "regular_file.h"
#include "base/base.h"

#include <string.h>

static bool has(const char *start, size_t n, const char *word)
{
    return start && memmem(start, n, word, strlen(word));
}

static bool is_zip(const char *start, size_t n)
{
    return n > 4 && !memcmp(start, "PK\3\4", 4);
}

/* An archive around data.pkl, or before PyTorch 1.6 a pickle of protocol 2. */
static bool is_torch(const char *start, size_t n)
{
    return (is_zip(start, n) && has(start, n, "data.pkl")) || (n > 3 && !memcmp(start, "\x80\2\x8a", 3));
}

static bool is_npz(const char *start, size_t n)
{
    return is_zip(start, n) && has(start, n, ".npy");
}

static bool is_keras(const char *start, size_t n)
{
    return is_zip(start, n) && has(start, n, "keras_version");
}

static bool is_hdf5(const char *start, size_t n)
{
    return n > 8 && !memcmp(start, "\x89HDF\r\n\x1a\n", 8);
}

static bool is_gguf(const char *start, size_t n)
{
    return n > 4 && !memcmp(start, "GGUF", 4);
}

/* A protobuf whose first field is ir_version, a small number, behind which comes another field of ModelProto (onnx.proto). */
static bool is_onnx(const char *start, size_t n)
{
    return n > 4 && start[0] == 0x08 && start[1] > 0 && start[1] < 32 &&
           memchr("\x12\x1a\x22\x32\x3a\x42", start[2], 6);
}

static const char *const keras_help[] = {
    "save its arrays by safetensors.numpy.save_file under the names of `netc --summary`: kernels of Dense turned to out x in, "
    "those of Conv2D to out x in x height x width",
    NULL};

#define SAVED "\"weights.safetensors\")"

static const struct {
    bool (*is)(const char *start, size_t n);
    struct others_weights weights;
} rows[] = {
    {is_torch,
     {"was written by torch.save",
      (const char *const[]){
          "convert it once, in Python:", "import torch; from safetensors.torch import save_file",
          "state = torch.load(\"%s\", map_location=\"cpu\", weights_only=True)",
          "save_file({name: value.clone(memory_format=torch.contiguous_format) for name, value in state.items()}, " SAVED,
          NULL}}},
    {is_npz,
     {"is a NumPy archive (.npz)",
      (const char *const[]){"convert it once, in Python:", "import numpy; from safetensors.numpy import save_file",
                            "arrays = numpy.load(\"%s\")",
                            "save_file({name: numpy.ascontiguousarray(arrays[name]) for name in arrays.files}, " SAVED,
                            NULL}}},
    {is_onnx,
     {"is an ONNX model",
      (const char *const[]){
          "its weights, in Python; `--map OLD=NEW` where names differ:",
          "import onnx; from safetensors.numpy import save_file", "model = onnx.load(\"%s\")",
          "save_file({t.name: onnx.numpy_helper.to_array(t).copy() for t in model.graph.initializer}, " SAVED, NULL}}},
    {is_keras, {"is a Keras model", keras_help}},
    {is_hdf5, {"is an HDF5 file, as Keras writes them", keras_help}},
    {is_gguf,
     {"is a GGUF file, whose weights are packed",
      (const char *const[]){"take the model's safetensors, from which such files are made", NULL}}},
};

const struct others_weights *others_weights_of(const char *path)
{
    char start[4096];
    const size_t n = regular_start(path, start, sizeof start);
    for (int i = 0; i < COUNT(rows); i++)
        if (rows[i].is(start, n))
            return &rows[i].weights;
    return NULL;
}

void others_weights_help(const struct others_weights *f, const char *path, FILE *out)
{
    for (const char *const *line = f->help; *line; line++) {
        const char *at = strstr(*line, "%s");
        fputs(line == f->help ? "  = help: " : "        ", out);
        if (at)
            fprintf(out, "%.*s%s%s\n", (int)(at - *line), *line, path, at + 2);
        else
            fprintf(out, "%s\n", *line);
    }
}
