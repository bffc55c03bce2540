# make help lists the targets. V=1 shows the commands, B=folder builds somewhere else than in build/,
# SANITIZE=address,undefined (or thread) builds a tree of its own beside it.

comma := ,
CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
B := build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))
SET ?= mnist
DATA ?=
export DATA PLACEMENT CC

SANITIZER := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer)
# Behind what CC and CFLAGS say: NaN is looked for.
STRICT := -fno-fast-math
# A row of a table that ends early is a mistake.
WARNINGS := -Wall -Wextra -Werror=missing-field-initializers
FLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(WERROR) $(CFLAGS) $(STRICT) $(SANITIZER) -Icompiler -Iruntime -I$(B) -MMD -MP
LIBS_NETC = -lxxhash -lm
LIBS_NETRUN = $(LIBS_NETC) -lz -lpng -ljpeg -lsndfile -ljansson -ldl -lpthread
LINK = $(CC) $(CFLAGS) $(STRICT) $(SANITIZER) $(LDFLAGS)

OPS := $(sort $(wildcard compiler/ops/*.c))
FORMATS := $(sort $(wildcard runtime/data/format_*.c))
LAYOUTS := $(sort $(wildcard compiler/plan/layout_*.c))
TARGETS := $(sort $(wildcard compiler/emit/target_*.c))
LIB_O := $(patsubst %.c,$(B)/%.o,$(filter-out compiler/netc/main.c,$(wildcard compiler/*/*.c))) $(B)/net.tab.o $(B)/net.lex.o
RUN_O := $(patsubst %.c,$(B)/%.o,$(filter-out runtime/netrun/main.c,$(wildcard runtime/*/*.c)))
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
PROGRAMS := $(B)/netc $(B)/netrun $(B)/make_digits $(B)/make_shapes $(B)/make_tones $(B)/make_tables
LIBRARIES := $(B)/libnetrun.a $(B)/libnetc.a

Q := $(if $(filter 1,$(V)),,@)
say = @printf '  %-6s %s\n' $(1) $@
# Behind a step that fails where something is not installed: says so.
why = || { CFLAGS='$(CFLAGS)' tools/deps.sh --missing; exit 1; }
# lists FILE WORDS: the file is touched when the words change, so that what depends on it is made again.
lists = mkdir -p $(@D); printf '%s\n' $(1) | cmp -s - $@ || printf '%s\n' $(1) > $@

.SECONDARY:
.PHONY: all help deps data demo check fuzz check-archs check-interop unit bless replay bench bench-train install uninstall clean FORCE
all: $(PROGRAMS)

help:
	@echo 'make                 netc, netrun, make_digits, make_shapes, make_tones and make_tables, in build/'
	@echo 'make deps            installs what the build needs (apt-get), or prints the line that does'
	@echo 'make data            MNIST into data/ (SET=fashion: into data/fashion/), or drawn digits without a network'
	@echo 'make demo            data, training, result: two minutes'
	@echo 'make check           all tests (ONLY="words": those whose names have one, -word: none of these)'
	@echo '                     DATA=folder with mnist/, fashion/, cifar10/, PLACEMENT=folder: more of the tests run'
	@echo 'make unit            the programs of tests/unit alone, ONLY= as above'
	@echo 'make check-archs     every kernel of every model on every architecture that NVRTC serves: ten minutes'
	@echo 'make check-interop   what TensorBoard, pandas, matplotlib and a browser make of a run (PYTHON=, BROWSER=)'
	@echo 'make fuzz            readers of files under libFuzzer, ten minutes each (SECONDS_EACH=, ONLY=); needs clang'
	@echo 'make bless           rewrites golden files; read the diff'
	@echo 'make replay REF=x    plans every model with commit x too, and compares'
	@echo 'make sim check-sim   the simulated CUDA device and its own tests'
	@echo 'make bench           DATA=folder: speed beside PyTorch and JAX, which it installs into build/venv (12 GiB); pictures'
	@echo 'make bench-train     DATA=folder: accuracy over seeds beside PyTorch'
	@echo 'make check-gpu       on a real GPU: the same tests, memory, parity; writes a results file'
	@echo 'make bench-gpu       on a real GPU: speed and memory beside PyTorch'
	@echo 'make install         PREFIX=/usr/local DESTDIR=; make uninstall takes it away'
	@echo 'make clean           removes build/ and its sisters'
	@echo 'Options: V=1  CC=clang  WERROR=-Werror  SANITIZE=address,undefined|thread  B=folder'

# ---- programs ----

$(B)/netc: $(B)/compiler/netc/main.o $(B)/libnetc.a
	$(call say,LD)
	$(Q)$(LINK) -o $@ $^ $(LIBS_NETC)
$(B)/netrun: $(B)/runtime/netrun/main.o $(LIBRARIES)
	$(call say,LD)
	$(Q)$(LINK) -o $@ $^ $(LIBS_NETRUN)
$(B)/make_shapes $(B)/make_tones: $(B)/tools/drawing.o
$(B)/make_digits $(B)/make_shapes $(B)/make_tones $(B)/make_tables: $(B)/%: $(B)/tools/%.o $(LIBRARIES)
	$(call say,LD)
	$(Q)$(LINK) -o $@ $^ $(LIBS_NETRUN)
$(B)/libnetc.a: $(LIB_O)
$(B)/libnetrun.a: $(RUN_O)
$(LIBRARIES): $(B)/objects
	$(call say,AR)
	$(Q)rm -f $@ && ar rcs $@ $(filter %.o,$^)

# Everything is built again when the compiler or its flags change; libraries and ops, when a file comes or goes.
$(B)/flags: FORCE
	@$(call lists,'$(CC) $(FLAGS)')
$(B)/objects: FORCE
	@$(call lists,$(LIB_O) $(RUN_O))
$(B)/oplist.h: FORCE
	@$(call lists,$(patsubst %,'MODULE(%)',$(notdir $(basename $(OPS)))))
$(B)/compiler/plan/op.o: $(B)/oplist.h
$(B)/targetlist.h: FORCE
	@$(call lists,$(patsubst target_%,'TARGET(%)',$(notdir $(basename $(TARGETS)))))
$(B)/compiler/plan/target.o: $(B)/targetlist.h
$(B)/layoutlist.h: FORCE
	@$(call lists,$(patsubst layout_%,'LAYOUT(%)',$(notdir $(basename $(LAYOUTS)))))
$(B)/compiler/plan/layout.o: $(B)/layoutlist.h
$(B)/formatlist.h: FORCE
	@$(call lists,$(patsubst format_%,'FORMAT(%)',$(notdir $(basename $(FORMATS)))))
$(B)/runtime/data/survey.o: $(B)/formatlist.h

# The head of emitted kernels is compiled in as text.
PRELUDE_C := compiler/base/philox.h compiler/emit/abi.h compiler/emit/host.c.txt
$(B)/prelude.inc: $(PRELUDE_C) compiler/emit/prelude.c.txt compiler/emit/functions.c.txt compiler/emit/sum.txt
$(B)/prelude_scalar.inc: $(PRELUDE_C) compiler/emit/prelude.scalar.txt compiler/emit/sum.txt
$(B)/prelude.inc $(B)/prelude_scalar.inc:
	@mkdir -p $(@D)
	$(Q)cat $^ | od -An -v -tx1 | sed 's/ \(..\)/0x\1,/g' > $@
# NVRTC has no headers, so the types that stdint.h would bring stand in types.cu.txt.
$(B)/prelude_cuda.inc: compiler/emit/types.cu.txt compiler/base/philox.h compiler/emit/prelude.cu.txt compiler/emit/sum.txt
	@mkdir -p $(@D)
	$(Q)cat $^ | grep -v '^#include' | od -An -v -tx1 | sed 's/ \(..\)/0x\1,/g' > $@
$(B)/prelude_mma.inc: compiler/emit/mma.cu.txt
	@mkdir -p $(@D)
	$(Q)od -An -v -tx1 $^ | sed 's/ \(..\)/0x\1,/g' > $@
$(B)/peak.inc: compiler/emit/abi.h runtime/cpu/peak.c.txt
	@mkdir -p $(@D)
	$(Q)od -An -v -tx1 $^ | sed 's/ \(..\)/0x\1,/g' > $@
$(B)/runtime/cpu/peak.o: $(B)/peak.inc
$(B)/peak_cuda.inc: runtime/cuda/peak.cu.txt
	@mkdir -p $(@D)
	$(Q)od -An -v -tx1 $^ | sed 's/ \(..\)/0x\1,/g' > $@
$(B)/runtime/cuda/cuda_peak.o: $(B)/peak_cuda.inc
# It stands behind a prelude, which has philox.h.
$(B)/augment.inc: compiler/base/augment.h compiler/base/augment_colour.h compiler/base/augment_mix.h
	@mkdir -p $(@D)
	$(Q)cat $^ | grep -v '^#include' | od -An -v -tx1 | sed 's/ \(..\)/0x\1,/g' > $@
$(B)/compiler/emit/augmented.o: $(B)/augment.inc
$(B)/compiler/emit/language_c.o: $(B)/prelude.inc $(B)/prelude_scalar.inc
$(B)/compiler/emit/language_cuda.o: $(B)/prelude_cuda.inc $(B)/prelude_mma.inc

# So are style and script of the report.
$(B)/page_css.inc: runtime/report/page.css.txt
$(B)/page_js.inc: runtime/report/sort.js.txt
$(B)/page_css.inc $(B)/page_js.inc:
	@mkdir -p $(@D)
	$(Q)od -An -v -tx1 $^ | sed 's/ \(..\)/0x\1,/g' > $@
$(B)/runtime/report/page.o: $(B)/page_css.inc $(B)/page_js.inc

# A conflict in the grammar is an error.
$(B)/net.tab.c $(B)/net.tab.h &: grammar/net.y | $(B)/flags
	@mkdir -p $(@D)
	$(Q)bison -Werror=conflicts-sr,conflicts-rr -Wno-other -o $(B)/net.tab.c --header=$(B)/net.tab.h $< $(why)
$(B)/net.lex.c $(B)/net.lex.h &: grammar/net.l | $(B)/flags
	@mkdir -p $(@D)
	$(Q)flex -o $(B)/net.lex.c --header-file=$(B)/net.lex.h $< $(why)
$(B)/net.tab.o $(B)/net.lex.o: $(B)/%.o: $(B)/%.c $(B)/net.tab.h $(B)/net.lex.h $(B)/flags
	$(call say,CC)
	$(Q)$(CC) $(FLAGS) -Igrammar -c -o $@ $<

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(FLAGS) -c -o $@ $< $(why)

# ---- tests ----

$(B)/tests/mutate: $(B)/tests/mutate.o $(B)/libnetc.a
	$(call say,LD)
	$(Q)$(LINK) -o $@ $^ $(LIBS_NETC)
$(B)/tests/limits: $(B)/tests/limits.o $(B)/libnetc.a
	$(call say,LD)
	$(Q)$(LINK) -o $@ $^ $(LIBS_NETC)
$(B)/tests/json_check: $(B)/tests/json_check.o
	$(call say,LD)
	$(Q)$(LINK) -o $@ $^ -ljansson
$(B)/tests/peak: $(B)/tests/peak.o
	$(call say,LD)
	$(Q)$(LINK) -o $@ $^
$(B)/tests/lanes: $(B)/tests/lanes.o $(LIBRARIES)
	$(call say,LD)
	$(Q)$(LINK) -Wl,--wrap=jit_lanes -o $@ $^ $(LIBS_NETRUN)
$(B)/tests/%: $(B)/tests/unit/%.o $(LIBRARIES)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(LINK) -o $@ $^ -lcmocka $(LIBS_NETRUN)

# libFuzzer's targets: tests/fuzz/run builds them with clang.
$(patsubst tests/fuzz/%.c,$(B)/tests/%,$(wildcard tests/fuzz/fuzz_*.c)): $(B)/tests/%: $(B)/tests/fuzz/%.o $(LIBRARIES)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBS_NETRUN)

# The compiler whose steps are counted.
STEPS_O := $(patsubst $(B)/%,$(B)/steps/%,$(LIB_O))
STEP_FLAGS = $(FLAGS) -O0 -fno-builtin -fsanitize-coverage=trace-pc
$(B)/steps/net.tab.o $(B)/steps/net.lex.o: $(B)/steps/%.o: $(B)/%.c $(B)/net.tab.h $(B)/net.lex.h $(B)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(STEP_FLAGS) -Igrammar -c -o $@ $<
$(B)/steps/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(STEP_FLAGS) -c -o $@ $<
$(B)/steps/compiler/plan/op.o: $(B)/oplist.h
$(B)/steps/compiler/plan/target.o: $(B)/targetlist.h
$(B)/steps/compiler/plan/layout.o: $(B)/layoutlist.h
$(B)/steps/compiler/emit/augmented.o: $(B)/augment.inc
$(B)/steps/compiler/emit/language_c.o: $(B)/prelude.inc $(B)/prelude_scalar.inc
$(B)/steps/compiler/emit/language_cuda.o: $(B)/prelude_cuda.inc $(B)/prelude_mma.inc
$(B)/tests/test_steps: $(B)/tests/unit/test_steps.o $(STEPS_O)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(LINK) -Wl,--wrap=calloc,--wrap=memmove,--wrap=strchr -o $@ $^ -lcmocka $(LIBS_NETC)

# The compiler with one more layer, added as docs/adding-an-op.md tells, one more target, and one more layout with
# its ops: by a file each.
TEMPLATE_O := $(addprefix $(B)/template/,op.o target.o layout.o clip.o norules.o target_toy.o layout_pairs.o pairs.o)
$(B)/template/oplist.h: $(B)/oplist.h Makefile
	@mkdir -p $(@D)
	@{ cat $<; printf 'MODULE(%s)\n' clip norules pairs; } | sort -u > $@
$(B)/template/targetlist.h: $(B)/targetlist.h Makefile
	@mkdir -p $(@D)
	@{ cat $<; echo 'TARGET(toy)'; } > $@
$(B)/template/layoutlist.h: $(B)/layoutlist.h Makefile
	@mkdir -p $(@D)
	@{ cat $<; echo 'LAYOUT(pairs)'; } > $@
TEMPLATE_LISTS := $(addprefix $(B)/template/,oplist.h targetlist.h layoutlist.h)
$(addprefix $(B)/template/,op.o target.o layout.o): $(B)/template/%.o: compiler/plan/%.c $(TEMPLATE_LISTS) $(B)/flags
	$(Q)$(CC) -I$(B)/template $(FLAGS) -c -o $@ $<
$(B)/template/%.o: tests/template/%.c $(B)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) -c -o $@ $<
$(B)/template/netc: $(B)/compiler/netc/main.o $(TEMPLATE_O) $(B)/libnetc.a
	$(Q)$(LINK) -o $@ $^ $(LIBS_NETC)
$(B)/template/netrun: $(B)/runtime/netrun/main.o $(TEMPLATE_O) $(LIBRARIES)
	$(Q)$(LINK) -o $@ $^ $(LIBS_NETRUN)

TESTED := $(UNIT) $(addprefix $(B)/tests/,mutate limits json_check peak lanes) $(B)/template/netc $(B)/template/netrun

check: all sim $(TESTED) $(if $(SANITIZE),,gpu-tools)
	@B=$(B) tests/run $(ONLY)
unit: all sim $(UNIT)
	@B=$(B) tests/run --unit $(ONLY)
fuzz:
	@tests/fuzz/run $(ONLY)
check-archs: all $(B)/tests/test_cuda_archs
	@ARCHS=all $(B)/tests/test_cuda_archs
check-interop: all
	@tests/interop/run

bless: all
	@B=$(B) tests/run --bless $(ONLY)
replay: $(B)/netc
	@B=$(B) tests/replay.sh $(REF)
include tests/cudasim/sim.mk
include tests/gpu/gpu.mk

# `make -j2 deps check` builds nothing before everything is there.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
$(B)/flags $(SIM_OBJECTS) $(SIM_OUT)/obj/cublas.o: | deps
endif

bench: all
	bench/run
bench-train: all
	bench/train

# ---- a fresh machine ----

deps:
	@CFLAGS='$(CFLAGS)' tools/deps.sh

DATA_DIR = data$(if $(filter-out mnist,$(SET)),/$(SET))
data: $(B)/make_digits
	@MAKE_DIGITS=$(B)/make_digits tools/get_data.sh $(DATA_DIR) $(SET)

demo: all $(if $(DATA),,data)
	@B=$(B) tools/demo.sh $(if $(DATA),$(DATA)/mnist,data)

# ---- installation ----

MAN := $(DESTDIR)$(PREFIX)/share/man/man1
COMPLETION := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
SHARE := $(DESTDIR)$(PREFIX)/share/netc
DOC := $(DESTDIR)$(PREFIX)/share/doc/netc

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(MAN) $(COMPLETION) $(SHARE)/models $(DOC)
	install $(B)/netc $(B)/netrun $(DESTDIR)$(PREFIX)/bin
	install -m 644 models/*.net $(SHARE)/models
	install -m 644 README.md LICENSE docs/*.md $(DOC)
	for p in netc netrun; do $(B)/$$p --help=man > $(MAN)/$$p.1 && $(B)/$$p --help=completion > $(COMPLETION)/$$p || exit 1; done
uninstall:
	rm -f $(foreach p,netc netrun,$(DESTDIR)$(PREFIX)/bin/$p $(MAN)/$p.1 $(COMPLETION)/$p)
	rm -rf $(SHARE) $(DOC)

clean:
	rm -rf build build-*

-include $(shell find $(B) -name '*.d' 2>/dev/null)
