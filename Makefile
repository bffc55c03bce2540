# make            both programs, in build/
# make check      the tests           make demo     data, training, result
# make deps       installs what is missing (apt-get), or prints the line that would
# make install    PREFIX=/usr/local DESTDIR=
# make bless      rewrites golden files; read the diff
# make bench      speed beside PyTorch   make bench-train   accuracy over seeds
# SANITIZE=address,undefined or thread builds another tree beside build/

CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
DATA ?=
B := build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))
comma := ,
export DATA

WARN := -Wall -Wextra $(WERROR)
FLAGS = -std=gnu11 -D_GNU_SOURCE $(WARN) $(CFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer) \
        -Icompiler -Iruntime -I$(B) -MMD -MP
LIBS_NETC = -lxxhash -lm
LIBS_NETRUN = $(LIBS_NETC) -lz -lpng -ljansson -ldl -lpthread
LINK = $(CC) $(CFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))

OPS := $(sort $(wildcard compiler/ops/*.c))
LIB := $(filter-out compiler/main.c,$(wildcard compiler/*.c)) $(OPS)
RUN := $(filter-out runtime/main.c,$(wildcard runtime/*.c))
LIB_O := $(LIB:%.c=$(B)/%.o) $(B)/net.tab.o $(B)/net.lex.o
RUN_O := $(RUN:%.c=$(B)/%.o)
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
TOOLS := $(B)/make_digits $(B)/tests/mutate

.PHONY: all check deps demo data install uninstall clean bless unit
all: $(B)/netc $(B)/netrun $(B)/make_digits

$(B)/netc: $(B)/compiler/main.o $(B)/libnetc.a
	$(LINK) -o $@ $^ $(LIBS_NETC)
$(B)/netrun: $(B)/runtime/main.o $(B)/libnetrun.a $(B)/libnetc.a
	$(LINK) -o $@ $^ $(LIBS_NETRUN)
$(B)/make_digits: $(B)/tools/make_digits.o $(B)/libnetrun.a $(B)/libnetc.a
	$(LINK) -o $@ $^ $(LIBS_NETRUN)
$(B)/libnetc.a: $(LIB_O)
	rm -f $@ && ar rcs $@ $^
$(B)/libnetrun.a: $(RUN_O)
	rm -f $@ && ar rcs $@ $^

# The list of ops is the list of files; the prelude of emitted kernels is embedded as text.
$(B)/oplist.h: $(OPS) Makefile
	@mkdir -p $(B)
	printf 'MODULE(%s)\n' $(notdir $(basename $(OPS))) > $@
$(B)/prelude.inc: compiler/philox.h compiler/prelude.c.txt
	@mkdir -p $(B)
	cat $^ | od -An -v -tx1 | sed 's/ \(..\)/0x\1,/g' > $@
$(B)/compiler/ops.o: $(B)/oplist.h
$(B)/compiler/emit.o: $(B)/prelude.inc

$(B)/net.tab.c $(B)/net.tab.h &: grammar/net.y
	@mkdir -p $(B)
	bison -Werror=conflicts-sr,conflicts-rr -Wcounterexamples -Wno-other -o $(B)/net.tab.c --header=$(B)/net.tab.h $<
$(B)/net.lex.c $(B)/net.lex.h &: grammar/net.l
	@mkdir -p $(B)
	flex -o $(B)/net.lex.c --header-file=$(B)/net.lex.h $<
$(B)/net.tab.o $(B)/net.lex.o: $(B)/%.o: $(B)/%.c $(B)/net.tab.h $(B)/net.lex.h
	$(CC) $(FLAGS) -Igrammar -Wno-sign-compare -Wno-unused-function -c -o $@ $<

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -c -o $@ $<

$(B)/tests/mutate: $(B)/tests/mutate.o $(B)/libnetc.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(LIBS_NETC)
$(B)/tests/%: $(B)/tests/unit/%.o $(B)/libnetrun.a $(B)/libnetc.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ -lcmocka $(LIBS_NETRUN)

clean:
	rm -rf build build-*

-include $(shell find $(B) -name '*.d' 2>/dev/null)
