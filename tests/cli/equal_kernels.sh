# Equal kernels are one function, whether layers are written out, repeated, or called otherwise: no name and no line of the model
# is part of a kernel's text. They stand in the table in front.

# code EMIT FILE: what is left without the table in front
code() { expect 0 netc "$2" --emit="$1" && grep -v '^//' out >"$2.$1" && grep -c '__global__\|^static void k' "$2.$1" >>functions; }
# deep NAME LAYERS: a network whose input is NAME
deep() { printf 'net %s\ninput %s : f32[8]\ntarget t%s : class[8]\n%b\noutput z\ntrain {\nloss = CrossEntropy(z, t%s)\noptimizer = Adam(lr = 1e-3)\n}\n' "$1" "$1" "$1" "$2" "$1"; }
deep a "z = a$(printf ' -> Linear(8) -> ReLU%.0s' $(seq 40))" >written.net
deep b "# longer\n\nblock pair {\ninput i\no = i -> fc: Linear(8) -> act: ReLU\noutput o\n}\nz = b -> repeat(40, pair)" >repeated.net
deep c "z = c$(for i in $(seq 40); do printf '\\n -> layer_%d: Linear(8) -> ReLU' $i; done)" >named.net
deep d "z = d$(printf ' -> Linear(8) -> ReLU%.0s' $(seq 4))" >short.net
# Each dropout has a stream of its own, which is no part of a kernel either.
dropped() { printf 'net o\ninput x : f32[8]\ntarget t : class[8]\nz = x%s -> Linear(8)\noutput z\ntrain {\nloss = CrossEntropy(z, t)\noptimizer = Adam(lr = 1e-3)\n}\n' \
    "$(printf ' -> Linear(8) -> ReLU -> Dropout(0.1)%.0s' $(seq "$1"))"; }
dropped 40 >drop40.net
dropped 4 >drop4.net
for target in c cuda; do
    : >functions
    for net in drop40 drop4; do code $target $net.net; done
    [ "$(sort -u functions | wc -l)" = 1 ] || fail "--emit=$target: a function for each dropout:" $(cat functions)
done

for target in c cuda; do
    : >functions
    for net in written repeated named short; do code $target $net.net; done
    for net in repeated named; do diff written.net.$target $net.net.$target >diff || fail "--emit=$target of $net.net: $(head diff)"; done
    [ "$(sort -u functions | wc -l)" = 1 ] || fail "--emit=$target: more functions for more layers:" $(cat functions)
    expect 0 netc named.net --emit=$target
    says out '^// [a-z0-9_]*train[0-9]+_layer_7_conv +k[0-9]+_conv +11 \| -> layer_7: Linear\(8\) -> ReLU$'
done
