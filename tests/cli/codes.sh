# Each code of a message is in a golden file.
"$ROOT/tests/codes"
