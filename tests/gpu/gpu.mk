# Checks and measurements on a real GPU. Included by the top Makefile.
GPU_TOOLS := $(patsubst tests/gpu/%.c,$(B)/gpu/%,$(filter-out %/counted.c,$(wildcard tests/gpu/*.c))) \
             $(B)/gpu/counted/libcuda.so.1 $(B)/gpu/constants

$(B)/bench/gpu_constants.o: FLAGS += -Itests/gpu
$(B)/gpu/constants: $(B)/bench/gpu_constants.o $(LIBRARIES)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(LINK) -o $@ $^ $(LIBS_NETRUN)
$(B)/gpu/%: $(B)/tests/gpu/%.o $(LIBRARIES)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(LINK) -o $@ $^ $(LIBS_NETRUN)

# Linked to an empty library of the driver's name, which the loader replaces by the driver's.
$(B)/gpu/none/libcuda.so.1: $(B)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) -shared -Wl,-soname,libcuda.so.1 -o $@ -x c /dev/null
$(B)/gpu/counted/libcuda.so.1: tests/gpu/counted.c $(B)/gpu/none/libcuda.so.1 $(B)/flags
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(FLAGS) -fPIC -fvisibility=hidden -shared -Wl,-soname,libcuda-counted.so -Wl,--no-as-needed -o $@ $< \
	    $(B)/gpu/none/libcuda.so.1 -ldl

# A machine with a GPU may lack what the build needs. There build/ is used as it was carried, with our libraries in it.
.PHONY: gpu-tools check-gpu bench-gpu
gpu-tools: all $(GPU_TOOLS) $(B)/tests/test_cuda_ops $(B)/tests/test_cuda_train
	@mkdir -p $(B)/gpu/lib
	$(Q)ldd $(B)/netrun $(B)/tests/test_cuda_ops | awk '$$3 ~ /lib(xxhash|png|z|jansson|cmocka)/ { print $$3 }' | sort -u | \
	    xargs -I FILE cp -Lu FILE $(B)/gpu/lib/
GPU_BUILT := $(if $(and $(shell command -v flex),$(shell command -v bison)),gpu-tools)
check-gpu: $(GPU_BUILT)
	@B=$(B) tests/gpu/run $(ONLY)
bench-gpu: $(GPU_BUILT)
	@B=$(B) bench/gpu
