# Arrays of NumPy as data sets, from the archives that it wrote (tests/oracle/arrays.py).
mkdir keras all
cp "$ROOT/tests/arrays/keras.npz" keras
cp "$ROOT/tests/arrays/types.npz" all
model() { # NAME INPUT TARGET OUTPUTS DATA LOSS
    cat >$1.net <<END
net $1
input  x : $2
target y : $3
out = x -> Flatten -> Linear($4)
output out
data { $5
}
train {
    loss      = $6
    optimizer = SGD(lr = 0.001)
    epochs    = 2
}
END
    expect 0 netc $1.net -o $1.plan
}

# Keras' four arrays: training set and test set.
model keras 'f32[1, 2, 3]' 'class[4]' 4 '' 'CrossEntropy(out, y)'
expect 0 netrun keras.plan --train keras --json
says out '"event":"start",.*"samples":5,'
says out '"event":"epoch".*"test":.*"n":3'
expect 0 netrun --inspect keras
says out "^NumPy's archive$"
says out '^train  5 samples  u8\[1, 2, 3\]  class\[4\] as u8$'
expect 2 netrun keras.plan --predict test --data keras --output keras/keras.npz
says err 'keras/keras.npz: this file is read here, and would be lost'
model files 'f32[1, 2, 3]' 'class[4]' 4 'train = "keras.npz"' 'CrossEntropy(out, y)'
expect 0 netrun files.plan --train keras --json
! grep -q '"test":' out || fail "a test set that nobody named"

# Others by their names; integers as classes, and as values where the target is these.
model classes 'f32[3]' 'class[3]' 3 'train = npz("types.npz", "x_i2_big", y = "y_column")
    test = npz("types.npz", "x_f8_little", "y_u8_big")' 'CrossEntropy(out, y)'
expect 0 netrun classes.plan --train all --json
says out '"event":"epoch".*"test":.*"n":6'
model several 'f32[3]' 'f32[3]' 3 'train = npz("types.npz", "x_b1", "y_several")' 'MSE(out, y)'
expect 0 netrun several.plan --train all
model value 'f32[3]' 'f32[1]' 1 'train = npz("types.npz", "x_b1", "y_i4_little")' 'MSE(out, y)'
expect 0 netrun value.plan --train all
model last 'f32[3, 4, 5]' 'class[2]' 2 'train = npz("types.npz", "x_last", "y_b1")' 'CrossEntropy(out, y)'
expect 0 netrun last.plan --train all
expect 4 netrun last.plan --train all --set data.train.channels=first
says err 'all/types.npz:x_last.npy: its samples are 4x5x3, but input `x` of the network is 3x4x5'
expect 2 netrun last.plan --train all --set data.train.channels=middle
says err '`data.train.channels` is "auto", "first" or "last", not `middle`'
expect 4 netrun classes.plan --train all --set data.test.y=y_several
says err 'all/types.npz:y_several.npy: class labels of rank 2; expected rank 1'
expect 4 netrun keras.plan --train all
says err 'all/types.npz: no array `x_train` among x_u1_little, '
