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
$(B)/gpu/none/libcuda.so.1:
	@mkdir -p $(@D)
	$(Q)$(CC) -shared -Wl,-soname,libcuda.so.1 -o $@ -x c /dev/null
$(B)/gpu/counted/libcuda.so.1: tests/gpu/counted.c $(B)/gpu/none/libcuda.so.1 $(B)/flags
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(FLAGS) -fPIC -fvisibility=hidden -shared -Wl,-soname,libcuda-counted.so -Wl,--no-as-needed -o $@ $< \
	    $(B)/gpu/none/libcuda.so.1 -ldl

.PHONY: gpu-tools check-gpu bench-gpu
gpu-tools: all $(GPU_TOOLS) $(B)/tests/test_cuda_ops $(B)/tests/test_cuda_train
check-gpu: gpu-tools
	@B=$(B) tests/gpu/run $(ONLY)
bench-gpu: gpu-tools
	@B=$(B) bench/gpu
