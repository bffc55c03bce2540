/* names.c: the names of PyTorch, Keras, Caffe and Darknet for what is called otherwise here. */
#include "build.h"

#include <ctype.h>
#include <string.h>

static const struct foreign table[] = {
    { FOREIGN_LAYER, "Conv1d", "Conv", NULL },
    { FOREIGN_LAYER, "Conv2d", "Conv", NULL },
    { FOREIGN_LAYER, "Convolution", "Conv", NULL },
    { FOREIGN_LAYER, "Convolution2D", "Conv", NULL },
    { FOREIGN_LAYER, "Convolutional", "Conv", NULL },
    { FOREIGN_LAYER, "DepthwiseConv2D", "Conv", "give `groups` the number of input channels" },
    { FOREIGN_LAYER, "Dense", "Linear", NULL },
    { FOREIGN_LAYER, "InnerProduct", "Linear", NULL },
    { FOREIGN_LAYER, "FullyConnected", "Linear", NULL },
    { FOREIGN_LAYER, "Connected", "Linear", NULL },
    { FOREIGN_LAYER, "FC", "Linear", NULL },
    { FOREIGN_LAYER, "Affine", "Linear", NULL },
    { FOREIGN_LAYER, "MaxPool2d", "MaxPool", NULL },
    { FOREIGN_LAYER, "MaxPooling", "MaxPool", NULL },
    { FOREIGN_LAYER, "MaxPooling2D", "MaxPool", NULL },
    { FOREIGN_LAYER, "AvgPool2d", "AvgPool", NULL },
    { FOREIGN_LAYER, "AveragePool", "AvgPool", NULL },
    { FOREIGN_LAYER, "AveragePooling2D", "AvgPool", NULL },
    { FOREIGN_LAYER, "Pooling", "MaxPool", "or `AvgPool`" },
    { FOREIGN_LAYER, "GlobalMaxPooling2D", "GlobalMaxPool", NULL },
    { FOREIGN_LAYER, "AdaptiveMaxPool2d", "GlobalMaxPool", NULL },
    { FOREIGN_LAYER, "GlobalAveragePooling2D", "GlobalAvgPool", NULL },
    { FOREIGN_LAYER, "AdaptiveAvgPool2d", "GlobalAvgPool", NULL },
    { FOREIGN_LAYER, "BatchNorm1d", "BatchNorm", NULL },
    { FOREIGN_LAYER, "BatchNorm2d", "BatchNorm", NULL },
    { FOREIGN_LAYER, "BatchNormalization", "BatchNorm", NULL },
    { FOREIGN_LAYER, "Dropout1d", "Dropout", NULL },
    { FOREIGN_LAYER, "Dropout2d", "Dropout", "ours drops single values, not channels" },
    { FOREIGN_LAYER, "Concatenate", "Concat", NULL },
    { FOREIGN_LAYER, "Cat", "Concat", NULL },
    { FOREIGN_LAYER, "Route", "Concat", NULL },
    { FOREIGN_LAYER, "Add", NULL, "values are added with `a + b`" },
    { FOREIGN_LAYER, "Eltwise", NULL, "values are added with `a + b`" },
    { FOREIGN_LAYER, "Shortcut", NULL, "values are added with `a + b`" },
    { FOREIGN_LAYER, "Sequential", NULL, "layers follow each other with `->`; a group of them is a `block`" },
    { FOREIGN_LAYER, "Identity", NULL, "leave it out" },
    { FOREIGN_LAYER, "Reshape", "Flatten", "shapes change only by `Flatten`" },
    { FOREIGN_LAYER, "View", "Flatten", "shapes change only by `Flatten`" },
    { FOREIGN_LAYER, "Activation", NULL, "an activation is a layer of its own: `-> ReLU`" },
    { FOREIGN_LAYER, "Logistic", "Sigmoid", NULL },
    { FOREIGN_LAYER, "HyperbolicTangent", "Tanh", NULL },
    { FOREIGN_LAYER, "Leaky", "LeakyReLU", NULL },
    { FOREIGN_LAYER, "LogSoftmax", NULL, "`CrossEntropy` takes logits; `Softmax` gives probabilities" },

    { FOREIGN_LOSS, "CrossEntropyLoss", "CrossEntropy", NULL },
    { FOREIGN_LOSS, "CategoricalCrossentropy", "CrossEntropy", "it takes logits and a class" },
    { FOREIGN_LOSS, "SparseCategoricalCrossentropy", "CrossEntropy", "it takes logits" },
    { FOREIGN_LOSS, "SoftmaxWithLoss", "CrossEntropy", NULL },
    { FOREIGN_LOSS, "NLLLoss", "CrossEntropy", "it takes logits; leave out `LogSoftmax`" },
    { FOREIGN_LOSS, "BCELoss", "CrossEntropy", "with a target of two classes" },
    { FOREIGN_LOSS, "BCEWithLogitsLoss", "CrossEntropy", "with a target of two classes" },
    { FOREIGN_LOSS, "MSELoss", "MSE", NULL },
    { FOREIGN_LOSS, "MeanSquaredError", "MSE", NULL },
    { FOREIGN_LOSS, "EuclideanLoss", "MSE", NULL },
    { FOREIGN_LOSS, "L2Loss", "MSE", NULL },

    { FOREIGN_OPTIMIZER, "Momentum", "SGD", "give it `momentum = 0.9`" },
    { FOREIGN_OPTIMIZER, "Nesterov", "SGD", "give it `momentum = 0.9, nesterov = true`" },
    { FOREIGN_OPTIMIZER, "GradientDescent", "SGD", NULL },
    { FOREIGN_OPTIMIZER, "RMSprop", NULL, "`Adam` is the nearest to it here" },
    { FOREIGN_OPTIMIZER, "Adagrad", NULL, "`Adam` is the nearest to it here" },
    { FOREIGN_OPTIMIZER, "Adadelta", NULL, "`Adam` is the nearest to it here" },

    { FOREIGN_SCHEDULE, "StepLR", "Step", NULL },
    { FOREIGN_SCHEDULE, "StepDecay", "Step", NULL },
    { FOREIGN_SCHEDULE, "ExponentialLR", "Step", "with `every = 1`" },
    { FOREIGN_SCHEDULE, "CosineAnnealingLR", "Cosine", NULL },
    { FOREIGN_SCHEDULE, "CosineDecay", "Cosine", NULL },
    { FOREIGN_SCHEDULE, "OneCycleLR", "Cosine", "with `warmup`" },
    { FOREIGN_SCHEDULE, "LinearLR", NULL, "warm-up is an argument of every schedule: `Cosine(warmup = 500)`" },

    { FOREIGN_TRANSFORM, "ToTensor", "Scale", "`Scale(1/255)` brings bytes to 0..1" },
    { FOREIGN_TRANSFORM, "Rescaling", "Scale", "`Scale(1/255)` brings bytes to 0..1" },
    { FOREIGN_TRANSFORM, "Rescale", "Scale", NULL },
    { FOREIGN_TRANSFORM, "Normalization", "Normalize", NULL },
    { FOREIGN_TRANSFORM, "Standardize", "Normalize", NULL },

    { FOREIGN_METRIC, "acc", "Accuracy", NULL },
    { FOREIGN_METRIC, "CategoricalAccuracy", "Accuracy", NULL },
    { FOREIGN_METRIC, "SparseCategoricalAccuracy", "Accuracy", NULL },
    { FOREIGN_METRIC, "TopKCategoricalAccuracy", "TopK", NULL },
    { FOREIGN_METRIC, "Top5", "TopK", "`TopK(5)`" },

    { FOREIGN_ARG, "kernel_size", "kernel", NULL },
    { FOREIGN_ARG, "pool_size", "kernel", NULL },
    { FOREIGN_ARG, "ksize", "kernel", NULL },
    { FOREIGN_ARG, "size", "kernel", NULL },
    { FOREIGN_ARG, "padding", "pad", NULL },
    { FOREIGN_ARG, "strides", "stride", NULL },
    { FOREIGN_ARG, "dilation_rate", "dilation", NULL },
    { FOREIGN_ARG, "group", "groups", NULL },
    { FOREIGN_ARG, "use_bias", "bias", NULL },
    { FOREIGN_ARG, "bias_term", "bias", NULL },
    { FOREIGN_ARG, "out_channels", "channels", NULL },
    { FOREIGN_ARG, "filters", "channels", NULL },
    { FOREIGN_ARG, "num_output", "channels", NULL },
    { FOREIGN_ARG, "num_output", "features", NULL },
    { FOREIGN_ARG, "out_features", "features", NULL },
    { FOREIGN_ARG, "units", "features", NULL },
    { FOREIGN_ARG, "in_channels", NULL, "the layer takes it from its input; leave it out" },
    { FOREIGN_ARG, "in_features", NULL, "the layer takes it from its input; leave it out" },
    { FOREIGN_ARG, "input_shape", NULL, "the layer takes it from its input; leave it out" },
    { FOREIGN_ARG, "num_features", NULL, "the layer takes it from its input; leave it out" },
    { FOREIGN_ARG, "activation", NULL, "an activation is a layer of its own: `-> ReLU`" },
    { FOREIGN_ARG, "inplace", NULL, "the compiler finds out itself what can be done in place; leave it out" },
    { FOREIGN_ARG, "device", NULL, "no line of a .net file names a device" },
    { FOREIGN_ARG, "negative_slope", "slope", NULL },
    { FOREIGN_ARG, "alpha", "slope", NULL },
    { FOREIGN_ARG, "rate", "p", NULL },
    { FOREIGN_ARG, "dropout_ratio", "p", NULL },
    { FOREIGN_ARG, "probability", "p", NULL },
    { FOREIGN_ARG, "epsilon", "eps", NULL },
    { FOREIGN_ARG, "learning_rate", "lr", NULL },
    { FOREIGN_ARG, "base_lr", "lr", NULL },
    { FOREIGN_ARG, "weight_decay", "decay", NULL },
    { FOREIGN_ARG, "beta_1", "betas", "both in one list: `betas = [0.9, 0.999]`" },
    { FOREIGN_ARG, "beta_2", "betas", "both in one list: `betas = [0.9, 0.999]`" },
    { FOREIGN_ARG, "label_smoothing", "smoothing", NULL },
    { FOREIGN_ARG, "step_size", "every", NULL },
    { FOREIGN_ARG, "stepsize", "every", NULL },
    { FOREIGN_ARG, "eta_min", "final", NULL },
    { FOREIGN_ARG, "warmup_steps", "warmup", NULL },
    { FOREIGN_ARG, "variance", "std", "the standard deviation, not its square" },

    { FOREIGN_KEY, "batch_size", "batch", NULL },
    { FOREIGN_KEY, "test_batch_size", "evaluation_batch", NULL },
    { FOREIGN_KEY, "eval_batch", "evaluation_batch", NULL },
    { FOREIGN_KEY, "num_epochs", "epochs", NULL },
    { FOREIGN_KEY, "max_epochs", "epochs", NULL },
    { FOREIGN_KEY, "max_iter", "epochs", NULL },
    { FOREIGN_KEY, "optim", "optimizer", NULL },
    { FOREIGN_KEY, "optimiser", "optimizer", NULL },
    { FOREIGN_KEY, "solver", "optimizer", NULL },
    { FOREIGN_KEY, "criterion", "loss", NULL },
    { FOREIGN_KEY, "scheduler", "schedule", NULL },
    { FOREIGN_KEY, "lr_policy", "schedule", NULL },
    { FOREIGN_KEY, "lr_scheduler", "schedule", NULL },
    { FOREIGN_KEY, "lr", "optimizer.lr", "the learning rate belongs to the optimizer: `optimizer = Adam(lr = 1e-3)`" },
    { FOREIGN_KEY, "learning_rate", "optimizer.lr",
      "the learning rate belongs to the optimizer: `optimizer = Adam(lr = 1e-3)`" },
    { FOREIGN_KEY, "random_seed", "seed", NULL },
    { FOREIGN_KEY, "manual_seed", "seed", NULL },
    { FOREIGN_KEY, "preprocess", "transform", NULL },
    { FOREIGN_KEY, "device", NULL, "no line of a .net file names a device: `netrun --device` does" },
    { FOREIGN_KEY, "path", NULL, "the data are given to netrun: `netrun FILE.plan --train FOLDER`" },

    { FOREIGN_TYPE, "float", "f32", NULL },
    { FOREIGN_TYPE, "float32", "f32", NULL },
    { FOREIGN_TYPE, "double", "f32", NULL },
    { FOREIGN_TYPE, "tensor", "f32", NULL },
    { FOREIGN_TYPE, "int", "class", "a class is a number from 0 up: `class[10]`" },
    { FOREIGN_TYPE, "int64", "class", "a class is a number from 0 up: `class[10]`" },
    { FOREIGN_TYPE, "long", "class", "a class is a number from 0 up: `class[10]`" },
    { FOREIGN_TYPE, "label", "class", "a class is a number from 0 up: `class[10]`" },
    { FOREIGN_TYPE, "categorical", "class", NULL },
};

static bool alike(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "_");
        b += strspn(b, "_");
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
    }
}

const struct foreign *foreign_find(enum foreign_kind k, const char *name, const struct word *owner)
{
    for (int i = 0; i < COUNT(table); i++) {
        const struct foreign *f = &table[i];
        if (f->kind == k && alike(f->name, name) && (!owner || !f->ours || arg_index(owner, f->ours) >= 0))
            return f;
    }
    return NULL;
}
