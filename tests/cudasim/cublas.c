int cublas_placeholder;
