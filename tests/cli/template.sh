# A layer that was added by a file: checked, differentiated, fused, trained.
sed 's/-> ReLU$/-> Clip(0, high = 2.5)/' "$ROOT/models/mlp.net" >clip.net
expect 1 netc clip.net
export NETC=$B/template/netc NETRUN=$B/template/netrun
expect 0 netc clip.net -o clip.plan --summary
says out 'kernel \+ Clip'
sed 's/high = 2.5/high = -1/' clip.net >wrong.net
expect 1 netc wrong.net
says err 'error\[N0404\].*low <= high'
expect 0 netrun clip.plan --train "$(digits)" --epochs 3 --json
[ "$(accuracy)" -gt 8500 ] || fail "learns nothing"
