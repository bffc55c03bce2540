# Targets that are probabilities of classes: from a table and from arrays of NumPy; learnt, tested and answered as such.
npy() { # FILE SHAPE: an array of floats, whose bytes are read
    local head="{'descr': '<f4', 'fortran_order': False, 'shape': ($2), }"
    { printf '\223NUMPY\001\000\166\000%-117s\n' "$head"; cat; } >"$1"
}
zero='\000\000\000\000' quarter='\000\000\200\076' half='\000\000\000\077' most='\000\000\100\077' one='\000\000\200\077'
model() { # NAME WIDTH DATA [FROM]
    cat >$1.net <<END
net $1
input  x : f32[2]
target share : f32[$2]${4:+ from $4}
logits = x -> fc1: Linear($2)
output logits
data { $3 }
train {
    loss      = CrossEntropy(logits, share)
    optimizer = Adam(lr = 0.05)
    epochs    = 300
    batch     = 4
}
END
    expect 0 netc $1.net -o $1.plan
}

mkdir arrays table
printf "$zero$zero$zero$one$one$zero$one$one" | npy arrays/x_train.npy '4, 2'
printf "$half$half$zero$one$quarter$most$one$zero" | npy arrays/y_train.npy '4, 2'
cp arrays/x_train.npy arrays/x_test.npy
cp arrays/y_train.npy arrays/y_test.npy
printf 'a,b,no,yes\n0,0,0.5,0.5\n0,1,0,1\n1,0,0.25,0.75\n1,1,1,0\n' | tee table/train.csv >table/test.csv

model array 2 ''
model columns 2 '' '["no", "yes"]'
expect 0 netrun array.plan --train arrays --runs a
expect 0 netrun columns.plan --train table --runs t
cmp <(tail -c 24 a/array-1/last.safetensors) <(tail -c 24 t/columns-1/last.safetensors) || fail "the table is learnt otherwise than the arrays"

# A test tells the loss and counts no classes; answers are probabilities, which add up to 1.
expect 0 netrun array.plan --test arrays --weights a/array-1/last.safetensors
says out '^test loss 0\.'
! grep -q 'precision\|accuracy' out || fail "classes are counted where there are none"
expect 0 netrun array.plan --predict test --data arrays --weights a/array-1/last.safetensors --output answers.csv
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /^logits/) at[++n] = i; next }
    { d = $at[1] + $at[2] - 1; if (d * d > 1e-10) exit 1; rows++ } END { exit n != 2 || rows != 4 }' answers.csv || fail "$(cat answers.csv)"

# Weights, smoothing and parts are those of classes.
sed 's/share)/share, smoothing = 0.1, weights = [1, 3])/' array.net >weighted.net
expect 0 netrun weighted.net --train arrays --runs w
! cmp -s w/array-1/last.safetensors a/array-1/last.safetensors || fail "weights change nothing"

# Another number of them than the network has.
model three 3 ''
expect 4 netrun three.plan --train arrays
says err 'its targets are 2, but target `share` of the network is 3'
model classes 2 ''
printf '\000\001\001\000' | { printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }"; cat; } >arrays/y_train.npy
expect 4 netrun classes.plan --train arrays
says err 'its targets are 1, but target `share` of the network is 2'
