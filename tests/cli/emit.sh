# What netc prints about a model is well-formed, and the kernels compile without a warning.
for file in "$ROOT"/models/*.net; do
    expect 0 netc "$file" --emit=json
    "$B/tests/json_check" <out >/dev/null || fail "$file: not JSON"
    for what in dot dot=kernels; do
        expect 0 netc "$file" --emit=$what
        if command -v dot >/dev/null; then
            dot -Tsvg out >/dev/null 2>err || fail "$file: graphviz does not take it"
            [ ! -s err ] || fail "$file: graphviz says $(cat err)"
        else
            awk '{ n += gsub(/\{/, "{") - gsub(/\}/, "}") } NR == 2 && !/^digraph/ { exit 1 } END { exit n != 0 }' out ||
                fail "$file: not a digraph"
        fi
    done
    expect 0 netc "$file" --emit=graph
    [ -s out ]
    expect 0 netc "$file" --emit=plan
    head -n 1 out | grep -q '^netc-plan' || fail "$file: no plan"
    expect 0 netc "$file" --memory-map
    [ -s out ]
    expect 0 netc "$file" --memory-map=map.svg
    [ ! -s out ] || fail "$file: the picture is not all"
    python=$(command -v python3) && { "$python" -c 'import sys, xml.dom.minidom as d; d.parse(sys.argv[1])' map.svg || fail "$file: no XML"; }
    expect 0 netc "$file" --memory-map=-
    cmp out map.svg
    expect 0 netc "$file" --emit=c
    mv out kernels.c
    "${CC:-cc}" -std=gnu11 -Wall -Werror -Wno-psabi -Wno-unused -fsyntax-only kernels.c 2>err || fail "$file: kernels do not compile"
done

# The page in front, updates as the paper has them, and operands that share their bytes.
expect 0 netc "$ROOT/models/mlp.net" --emit=c --plain
says out '^// How to read this'
says out '^ *m = beta1 [*] m [+] host1 [*] [(]g [+] decay [*] p[)];'
says out 'const V host1 = vec[(]word[(]a, [0-9]+[)][)]; +/[*] [{]1 - beta1[}] [*]/'
says out 't4_adam = a->t\[4\]; +/[*] the bytes of t0_parameters [*]/'
expect 0 netc "$ROOT/models/mlp.net" --emit=cuda
says out '^// How to read this'
says out ' [*]t4_adam, +/[*] the bytes of t0_parameters [*]/'
