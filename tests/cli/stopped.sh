# A terminal or a pipe that goes away ends a run as Ctrl-C does: no finished epoch is lost, and it resumes to the same bits.
data=$(digits)
plan mlp
train="mlp.plan --train $data --batch 20"

# in_background OPTIONS...: starts a long training in runs/; its events come through the pipe `events`.
in_background() {
    rm -rf runs events
    mkfifo events
    "$@" "$NETRUN" --threads 1 $train --epochs 100000 --json >events 2>err &
    child=$!
    exec 3<events
    read -r start <&3
    epoch=""
    until [[ $epoch = *'"event":"epoch"'* ]]; do read -r epoch <&3 || fail "no epoch"; done
    [[ $epoch = *'"epoch":1,'* ]] || fail "the first epoch is $epoch"
}

# kept: what metrics.jsonl and the checkpoint tell is the same number of epochs; the run resumes as if it had never stopped.
kept() {
    local told
    told=$(grep -c '"event":"epoch"' runs/mlp-1/metrics.jsonl)
    grep -aoq "\"epoch\":\"$told\"" runs/mlp-1/last.safetensors || fail "$1: $told epochs were told, the checkpoint has others"
    expect 0 netrun $train --epochs "$told" --runs whole_$1
    cmp runs/mlp-1/best.safetensors "whole_$1/mlp-1/best.safetensors" || fail "$1: other weights"
}

in_background env
exec 3<&-                                        # nobody reads any more, and the training goes on
until grep -q 'Broken pipe' err; do kill -0 $child || fail "a dead pipe ended the training"; sleep 0.05; done
told=$(grep -c '"event":"epoch"' runs/mlp-1/metrics.jsonl)
until [ "$(grep -c '"event":"epoch"' runs/mlp-1/metrics.jsonl)" -gt $((told + 1)) ]; do
    kill -0 $child || fail "a dead pipe ended the training"
    sleep 0.05
done
kill -TERM $child
status=0
wait $child || status=$?
[ $status = 143 ] || fail "a dead pipe and SIGTERM gave $status, not 143"
kept pipe

in_background env
kill -HUP $child
cat <&3 >out
status=0
wait $child || status=$?
exec 3<&-
[ $status = 129 ] || fail "SIGHUP gave $status, not 129"
says out '"status":"interrupted"'
kept hangup

in_background nohup
kill -HUP $child
for _ in 2 3; do
    epoch=""
    until [[ $epoch = *'"event":"epoch"'* ]]; do read -r epoch <&3 || fail "nohup: the signal ended the training"; done
done
kill -TERM $child
cat <&3 >out
status=0
wait $child || status=$?
exec 3<&-
[ $status = 143 ] || fail "SIGTERM gave $status, not 143"
kept nohup
