# bench/speed.py beside peers that only say how long they took, so nothing is asserted about time; the pictures of what it wrote.
python=$(command -v python3) || skip "needs python3"
mkdir data
ln -s "$(digits)" data/mnist

cat >peer.py <<'E2'
import sys, time
name = sys.argv[2]
if name == "broken":
    sys.exit("a reason")
print("ready", flush=True)
for line in sys.stdin:
    if name == "late":
        time.sleep(60)
    print(*[int(line.split()[-1]) * {"quick": 100.0, "slow": 200.0, "half": 50.0}[name]] * (1 if "loss" in line else 5), flush=True)
E2
cat >bench.py <<'E2'
import os, sys
here, root = os.environ["HERE"], os.environ["ROOT"]
sys.dont_write_bytecode = True
sys.path.insert(0, f"{root}/bench")
import peers, scaling, speed
def row(name, package="json", precision="fp32", images=True):
    return name, peers.Peer(name, f"{name} words", f"{here}/peer.py", package, precision, images, {})
rows = [row("absent", "no_such_package"), row("slow", images=False), row("quick"), row("half", precision="bf16"), row("late"), row("broken")]
peers.PEERS.clear()
peers.PEERS.update(rows)
scaling.AXES["width"] = scaling.AXES["width"]._replace(values=(16, 48))
(scaling if sys.argv[1] == "--axes" else speed).main()
E2
bench() { (cd "$ROOT" && HERE=$here DATA=$here/data "$python" "$here/bench.py" "$@"); }
here=$PWD

# Sides that are not there are named; the best peer is one of netrun's precision.
expect 0 bench --models strided_cnn --rounds 1 --threads 1,2 --limit 4 --out "$here/x.tsv"
says out '^# left out  absent: no_such_package is not installed$'
says out '^# left out  strided_cnn, threads 2, late: took longer than 4 s$'
says out '^# left out  strided_cnn, threads 1, broken: a reason$'
says out '^# slow      slow words$'
grep -v '^#' x.tsv >table
cut -f 1,2,3,4,5,6 table >sides
printf '%s\n' "model threads batch steps side precision" \
    "strided_cnn "{1,2}" 64 5 "{"netrun fp32","slow fp32","quick fp32","half bf16"} | tr ' ' '\t' | cmp - sides || fail "other rows: $(cat sides)"
awk -F '\t' '$5 == "netrun" { ours = $7; if ($10 != 1 || $8 > $7) exit 1 }
    $5 == "quick" && ($7 != 100000 || $10 < 100000 / ours * 0.99 || $10 > 100000 / ours * 1.01) { exit 1 }' table || fail "ratios: $(cat table)"
says x.tsv '^# \| strided_cnn \| 2 \| [0-9.]+ \| [0-9.]+ \| quick 100000.000 \| [*][*][0-9.]+[*][*] \| quick 100000.000 \| [*][*][0-9.]+[*][*] \|$'

# Networks without convolutions have fewer peers; asked for losses, it measures nothing.
expect 0 bench --models mlp --threads 2 --losses 7 --peers slow,quick,half
printf 'mlp\t2\tslow\t1400.0000\n' | cmp - out
expect 2 bench --peers slow,fast
says err 'no peer fast; there are absent, slow, quick'

# A size that grows, on noise; where a peer is faster is said.
expect 0 bench --axes width --threads 1 --rounds 1 --peers slow,half --out "$here/grown.tsv"
grep -v '^#' grown.tsv | cut -f 1,2,3,5,7 | tail -n +2 >sides
for width in 16 48; do
    printf "width\t$width\tmlp_of_width:width=$width\t64\t%s\n" netrun slow
done | cmp - sides || fail "other rows: $(cat sides)"
says grown.tsv '^# 2 sizes, 0 of them with a peer faster by more than 3 %, by best times$'
says grown.svg '>width of the hidden layers<'
expect 2 bench --axes width,height
says err 'no height; there are batch, width, depth, side'

# The kernels and what the machine can do, as a picture each.
says x-kernels.tsv '^strided_cnn	1	multiply_adds		peak	1	[0-9.e+]+	$'
says x-kernels.tsv '^strided_cnn	2	train[0-9]+_conv2_conv	conv2	forward	[0-9.e-]+	[0-9.e+]+	[0-9.e+]+$'
rm -f x.svg x-kernels-strided_cnn.svg
expect 0 "$python" -B "$ROOT/bench/plot.py" x.tsv x-kernels.tsv
for file in x x-kernels-strided_cnn; do
    "$python" -c 'import sys, xml.dom.minidom as d; d.parse(sys.argv[1])' $file.svg || fail "$file.svg is no XML"
done
says x.svg '>ms a step<'
says x.svg '>half<'
says x-kernels-strided_cnn.svg '>flops per byte<'
says x-kernels-strided_cnn.svg '>conv2_conv<'
echo 'a	b' >other.tsv
expect 1 "$python" -B "$ROOT/bench/plot.py" other.tsv
says err '^bench: other.tsv: no results of bench/run, '
