# The simulated CUDA device: libcuda.so.1 and libcublas.so.13 for tests. Included by the top Makefile; also works alone:
#   make -f tests/cudasim/sim.mk sim check-sim
SIM_DIR     := tests/cudasim
SIM_OUT     := build/cudasim
SIM_COMPILER := $(CC)
SIM_ARCH    ?= $(if $(filter x86_64,$(shell uname -m)),-march=native,)
# The engine works on lanes of many types in one register file, hence no strict aliasing; results have to be the same on
# every machine, hence no contraction.
SIM_CFLAGS  := -std=gnu11 -O3 $(SIM_ARCH) -ffp-contract=off -fno-strict-aliasing -fno-math-errno -fPIC \
               -fvisibility=hidden -pthread -Wall -Wextra -Werror -Wno-unknown-warning-option -Wno-pass-failed \
               -I$(SIM_DIR)
SIM_SOURCES := $(filter-out %/cublas.c,$(wildcard $(SIM_DIR)/*.c))
SIM_OBJECTS := $(patsubst $(SIM_DIR)/%.c,$(SIM_OUT)/obj/%.o,$(SIM_SOURCES))
SIM_HEADERS := $(wildcard $(SIM_DIR)/*.h)
SIM_TOOLKIT := $(addprefix -isystem ,$(wildcard /usr/local/cuda/include))
SIM_TESTS   := $(patsubst $(SIM_DIR)/tests/%.c,$(SIM_OUT)/tests/%,$(wildcard $(SIM_DIR)/tests/test_*.c))

.PHONY: sim check-sim FORCE
sim: $(SIM_OUT)/libcuda.so.1 $(SIM_OUT)/libcublas.so.13

$(SIM_OUT)/obj/exec_round.o: SIM_CFLAGS += -frounding-math

$(SIM_OUT)/obj/%.o: $(SIM_DIR)/%.c $(SIM_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(SIM_COMPILER) $(SIM_CFLAGS) $(SIM_EXTRA) -c -o $@ $<

# Linked again when a file comes or goes.
$(SIM_OUT)/objects: FORCE
	@mkdir -p $(@D)
	@echo $(SIM_OBJECTS) | cmp -s - $@ || echo $(SIM_OBJECTS) > $@

$(SIM_OUT)/libcuda.so.1: $(SIM_OBJECTS) $(SIM_OUT)/objects
	$(call say,LD)
	$(Q)$(SIM_COMPILER) -shared -pthread $(SIM_EXTRA) -Wl,-soname,libcuda.so.1 -o $@ $(SIM_OBJECTS) -lm

$(SIM_OUT)/libcublas.so.13: $(SIM_OUT)/obj/cublas.o $(SIM_OUT)/libcuda.so.1
	$(call say,LD)
	$(Q)$(SIM_COMPILER) -shared $(SIM_EXTRA) -Wl,-soname,libcublas.so.13 -Wl,-rpath,'$$ORIGIN' -o $@ $^ -lm

$(SIM_OUT)/tests/%: $(SIM_DIR)/tests/%.c $(SIM_DIR)/tests/simtest.c $(SIM_DIR)/tests/simtest.h $(SIM_HEADERS) \
                    $(SIM_OUT)/libcuda.so.1 $(SIM_OUT)/libcublas.so.13
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(SIM_COMPILER) -std=gnu11 -O1 -g -Wall -Wextra -Werror $(SIM_EXTRA) -I$(SIM_DIR) $(SIM_TOOLKIT) -o $@ $< \
	    $(SIM_DIR)/tests/simtest.c \
	    -L$(SIM_OUT) -l:libcuda.so.1 -l:libcublas.so.13 -Wl,-rpath,'$$ORIGIN/..' -lm -ldl

# A test that cannot run says why and ends with 77.
check-sim: $(SIM_TESTS)
	@failed=0; for t in $(SIM_TESTS); do echo "$$(basename $$t)"; $$t; rc=$$?; \
	 if [ $$rc -ne 0 ] && [ $$rc -ne 77 ]; then failed=1; fi; done; exit $$failed
