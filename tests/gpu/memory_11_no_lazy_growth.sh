# Code is loaded before the arena is taken: after the first runs of every phase as much is free as before.
plan resnet20
plan mlp
figures=$("$TOOLS/armed" bytes "$(pick resnet20 mlp).plan" 64) || fail "$figures"
more=$(sed 's/.*first runs \([0-9]*\) more.*/\1/' <<<"$figures")
[ "$more" = 0 ] || fail "$more bytes more"
echo "modules $(sed 's/.*modules \([0-9]*\);.*/\1/' <<<"$figures") bytes before arming, 0 more after the first runs"
