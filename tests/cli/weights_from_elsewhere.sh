# Weights of a PyTorch Sequential, in other precisions and under other names: tests/oracle/weights.py.
cat >net.net <<'END'
net two
input  x : f32[3]
target t : f32[2]
y = x -> fc1: Linear(4) -> ReLU -> fc2: Linear(2)
output y
train {
    loss      = MSE(y, t)
    optimizer = SGD(lr = 0.1)
}
END
expect 0 netc net.net -o net.plan
weights=$ROOT/tests/expect/weights

while read -r type a b; do
    expect 0 netrun net.plan --predict "$weights/x.npy" --json --weights "$weights/$type.safetensors" --map 0=fc1 --map 2=fc2
    says err "$type.safetensors: ${type^^} values, read as F32"
    sed -n 's/.*"values":\[\([^]]*\).*/\1/p' out | tr , ' ' >got
    awk -v a="$a" -v b="$b" '{ d = $1 - a; e = $2 - b; exit !(NF == 2 && d * d < 1e-12 && e * e < 1e-12) }' got ||
        fail "$type: $(cat got), not $a $b"
done <"$weights/outputs.txt"

# The same names in a file; one tensor at a time.
printf '# layers\n\n 0=fc1 \n2.weight=fc2.weight\n2.bias=fc2.bias\n' >names.txt
expect 0 netrun net.plan --predict "$weights/x.npy" --weights "$weights/f64.safetensors" --map names.txt

# Without them: both lists beside each other, what is nearest, and what to type.
expect 4 netrun net.plan --predict "$weights/x.npy" --weights "$weights/f64.safetensors"
says err '^    in the file +in the network$'
says err '^  ~ 0\.weight  F64 4x3  fc1\.weight  4x3$'
says err '^  ~ 2\.bias  F64 2 +fc2\.bias  2$'
says err '^  = help: if those beside each other are the same: --map 0=fc1 --map 2=fc2$'
sed 's/Linear(4)/Linear(5)/' net.net >wider.net
expect 0 netc wider.net -o wider.plan
expect 4 netrun wider.plan --predict "$weights/x.npy" --weights "$weights/f64.safetensors" --map 0=fc1 --map 2=fc2
says err '^  ! 0\.weight  F64 4x3  fc1\.weight  5x3$'

# What would change nothing, or two things at once.
expect 2 netrun net.plan --predict "$weights/x.npy" --weights "$weights/f64.safetensors" --map 0=fc1 --map 2=fc2 --map 7=fc3
says err '--map 7=fc3: .*f64\.safetensors has no `7`'
expect 2 netrun net.plan --predict "$weights/x.npy" --weights "$weights/f64.safetensors" --map 0=fc1 --map 0=fc2
says err '`0` has a new name already: fc1'
expect 2 netrun net.plan --predict "$weights/x.npy" --weights "$weights/f64.safetensors" --map nothing
says err '--map nothing: expected OLD=NEW, or a file of such lines'

# torch.save's own files: the recipe, with the file's name in it.
printf 'PK\003\004................archive/data.pkl' >net.pth
printf '\200\002\212\012l\374\234F' >old.pt
for file in net.pth old.pt; do
    expect 4 netrun net.plan --predict "$weights/x.npy" --weights $file
    says err "$file: was written by torch.save"
    says err "state = torch.load\(\"$file\", map_location=\"cpu\", weights_only=True\)"
done

# Others' files, each by its name and with what is to be done, not as broken safetensors.
foreign() { # FILE WHAT HELP, bytes on stdin
    cat >"$1"
    expect 4 netrun net.plan --predict "$weights/x.npy" --weights "$1"
    says err "$1: $2; netrun reads safetensors"
    says err "$3"
}
printf 'PK\003\004................fc1.weight.npy' | foreign arrays.npz 'is a NumPy archive .*' 'numpy.load\("arrays.npz"\)'
printf 'PK\003\004........metadata.json{"keras_version": "3.0"}' | foreign net.keras 'is a Keras model' 'kernels of Dense turned to out x in'
printf '\211HDF\r\n\032\n\0\0\0\0' | foreign net.h5 'is an HDF5 file.*' 'safetensors.numpy.save_file'
printf '\010\007\022\007pytorch\032\0051.9.0' | foreign net.onnx 'is an ONNX model' 'onnx.load\("net.onnx"\)'
printf 'GGUF\003\0\0\0' | foreign net.gguf 'is a GGUF file.*' 'safetensors, from which'
