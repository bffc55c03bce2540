/* options_help.c: what --help says beside the options. */
#include "options.h"

#include <stddef.h>

const struct option_example netrun_examples[] = {
    {"netrun mnist.plan --train data/", "train; writes runs/mnist_cnn-1/"},
    {"netrun mnist.net --train data/", "compiles and trains"},
    {"netrun mnist.plan --train data/ --epochs 3", "the same with other settings"},
    {"netrun mnist.plan --test data/", "test the newest run's best weights"},
    {"netrun mnist.plan --predict seven.png", "class and probabilities of an image"},
    {"netrun mnist.plan --predict 7 --data data/", "the same for image 7 of the test set"},
    {"netrun mnist.plan --predict test --data data/ -o all.csv", "for the whole test set, as a table"},
    {"netrun mnist.net --train data/ --sweep \"seed=1,2\"", "twice, as one table"},
    {"netrun --resume last", "go on after Ctrl-C, to the same bits"},
    {"netrun --inspect data/", "what is in the data folder"},
    {"netrun --plot mnist_cnn-1 mnist_cnn-2", "curves of runs"},
    {"netrun mnist.plan --profile data/", "where the time of a training step goes"},
    {"netrun --devices", "CPU and GPUs, and why one is not used"},
    {NULL, NULL},
};

const struct option_section netrun_sections[] = {
    {"Exit status",
     "0 success, 1 the model is wrong, 2 usage, 3 does not fit the budget, 4 data or file, 5 device missing or failed,\n"
     "6 training diverged, 70 internal error, 128+n stopped by signal n (130: Ctrl-C; the checkpoint "
     "is written)\n"},
    {"Files",
     "runs/NET-N/model.plan, model.net   the network\n"
     "runs/NET-N/settings.json           what is in force: settings, seed, data, device; who started and resumed it\n"
     "runs/NET-N/summary.txt             what it was and what came of it\n"
     "runs/NET-N/metrics.jsonl           the events of --json\n"
     "runs/NET-N/metrics.csv             a row an epoch: losses, metrics, learning rate, times\n"
     "runs/NET-N/profile.json            where the time of a step went, with --profile\n"
     "runs/NET-N/last.safetensors        weights of the last checkpoint\n"
     "runs/NET-N/last.optimizer.safetensors  optimizer and position: with them enough to resume\n"
     "runs/NET-N/best.safetensors        weights of the best epoch\n"
     "runs/NET-N/curves.svg, .png, .gp   loss, metric, learning rate and time of the epochs; a script of gnuplot\n"
     "runs/NET-N/report.html             all of it to look at, in one file\n"
     "runs/NET-sweep-N/sweep.svg, .png   what came of its runs against each value\n"
     "runs/NET-sweep-N/                  sweep.json, the model, and a folder NET-N for each run of a sweep\n"},
    {"Environment", "CC               compiler of the kernels\n"
                    "XDG_CACHE_HOME   kernels and pictures are kept in its folder netrun (~/.cache)\n"
                    "TMPDIR           where they are compiled if they cannot be kept (/tmp)\n"
                    "NO_COLOR         if not empty: no colour\n"},
    {NULL, NULL},
};
