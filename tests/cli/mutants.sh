# Kernels of plans that a stranger could have written; see there.
"$ROOT/tests/mutations"
