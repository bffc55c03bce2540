# Pictures are decoded once: what the transforms leave of them is kept, and what has changed is decoded again.
export XDG_CACHE_HOME=$PWD/cache
"$B/make_shapes" shapes --train 40 --test 10
flat() { { printf 'P6 40 40 255\n'; head -c 4800 /dev/zero | tr '\0' "$1"; } >shapes/train/circle/flat.ppm; }
flat a
sed 's/Resize(32, 32)/CenterCrop(32)/' "$ROOT/examples/own_pictures/shapes.net" >crop.net
cp "$ROOT/examples/own_pictures/shapes.net" .
for net in shapes crop; do expect 0 netc $net.net -o $net.plan; done
# trains NAME READ DECODED: so many files were read and decoded; the weights are those of NAME, where there are any yet.
trains() {
    local last
    expect 0 netrun shapes.plan --train shapes --epochs 1 --runs runs -v
    says err "^netrun: shapes: [0-9]* pictures, of which $2 were read and $3 decoded; the others are in the cache$"
    last=runs/$(ls runs | sort -V | tail -n 1)/last.safetensors
    [ -e "$1" ] || cp "$last" "$1"
    cmp "$last" "$1" || fail "$1: not what it was"
}
kept() { ls cache/netrun/*.pictures; }

# Of what was written just now a change might not show yet: for that it is looked into.
trains whole 151 151
trains whole '[0-9]+' 0
sleep 3.2
trains whole '[0-9]+' 0
trains whole 0 0

# What is touched, or named otherwise, is known by its content; what has another is decoded, though size and time be the same.
touch shapes/train/square/000007.jpg
trains whole 1 0
mv shapes/train/circle/000002.png shapes/train/circle/000002.picture
trains whole '[12]' 0
cp -p shapes/train/circle/flat.ppm a.ppm
flat b
touch -r a.ppm shapes/train/circle/flat.ppm
trains other '[123]' 1
cmp -s whole other && fail "the other picture was not trained"
rm shapes/train/circle/flat.ppm
trains fewer '[012]' 0
flat a
trains whole '[123]' 1
cp shapes/train/square/000007.jpg kept.jpg
truncate -s 300 shapes/train/square/000007.jpg
expect 4 netrun shapes.plan --train shapes --epochs 1
says err 'shapes/train/square/000007.jpg: damaged JPEG'
expect 0 netrun shapes.plan --train shapes --epochs 1 --skip-damaged
says err '1 damaged picture is left out'
cp kept.jpg shapes/train/square/000007.jpg
trains whole '[0-9]+' '[01]'

# What is damaged, cut off or another's is not believed.
sleep 3.2
trains whole '[0-9]+' 0
trains whole 0 0
cp "$(kept)" good
size=$(stat -c %s good)
put() { printf "$1" | dd of=bad bs=1 seek="$2" conv=notrunc status=none; }
cut() { truncate -s "$1" bad; }
damage() { cp good bad && "$@" && cat bad >"$(kept)"; }
damage put XXX $((size - 2000))
trains whole 1 1
damage cut $((size - 4000))
trains whole 2 2
damage put NRPICS 0
trains whole 151 151
for what in 'put \377 10' 'put \377 30' 'put \377\377\377\377\377\377\377\177 40' 'put \377 50' 'put \377 90' 'cut 500' 'cut 0'; do
    damage $what
    trains whole 151 151
done
chmod g+w "$(kept)"
trains whole 151 151

# Other transforms are another entry.
expect 0 netrun crop.plan --train shapes --epochs 1 -v
says err '151 were read and 151 decoded'
trains whole 0 0
[ "$(kept | wc -l)" = 2 ] || fail "not two entries: $(kept)"

# Where no transform settles the size, nothing is kept.
rm "$(kept | head -n 1)" "$(kept | tail -n 1)"
mkdir -p flat/{a,b}
cp a.ppm flat/a && cp a.ppm flat/b
sed 's/Resize(32, 32), //; s/f32\[3, 32, 32\]/f32[3, 40, 40]/' shapes.net >asis.net
expect 0 netc asis.net -o asis.plan
expect 0 netrun asis.plan --train flat --epochs 1
[ -z "$(find cache -name '*.pictures')" ] || fail "kept without a size of its own"

# Three at once, and where nothing can be kept.
for i in 1 2 3; do
    netrun shapes.plan --train shapes --epochs 1 --runs at$i >out$i 2>err$i &
done
for job in $(jobs -p); do
    wait "$job" || fail "one of three failed: $(cat err?)"
done
for i in 1 2 3; do cmp at$i/shapes-1/last.safetensors whole || fail "run $i differs"; done
trains whole 0 0
expect 0 env -u XDG_CACHE_HOME HOME=/dev/null/home "$NETRUN" shapes.plan --train shapes --epochs 1 --runs bare
cmp bare/shapes-1/last.safetensors whole
[ -z "$(find cache -name 'build-*')" ] || fail "something is left over"
