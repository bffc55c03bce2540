# Resuming takes what beginning takes, call by call, and ends with the same bits.
plan mlp
folder=$(digits)
set -- mlp.plan "$folder" --batch "$(pick 64 32)"
counted fresh cuda "$@" --steps "$(pick 400 8)" --runs fresh.runs >/dev/null
cuda "$@" --steps "$(pick 200 4)" --runs runs >/dev/null
counted resumed netrun --resume runs/mlp-1 --device cuda --json --progress none --steps "$(pick 400 8)" >/dev/null
diff <(grep -v launches fresh) <(grep -v launches resumed) >&2 || fail "other calls"
cmp fresh.runs/mlp-1/last.safetensors runs/mlp-1/last.safetensors >&2 || fail "other bits"
echo "$(grep '^alloc' resumed | cut -d: -f1) in both, the same $(grep -vc launches resumed) calls, the same bits"
