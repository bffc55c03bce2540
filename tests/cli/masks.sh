# Pictures with masks: a class at each pixel, from PNG files beside them; read, looked at, checked, trained.
"$B/make_shapes" --masks shapes --train 24 --test 8
sed '/conv[2-4]:/d' "$ROOT/examples/segmentation/masks.net" >small.net
plan() { sed "$2" small.net >$1.net; expect 0 netc $1.net -o $1.plan; }
plan masks ''

expect 0 netrun masks.plan --train shapes --epochs 2 --runs runs --json --threads 2
says out '"event":"start",.*"samples":24,'
grep -o '"loss":[0-9.]*' out >two
expect 0 netrun masks.plan --train shapes --epochs 2 --runs single --json --threads 1
cmp two <(grep -o '"loss":[0-9.]*' out) || fail "the masks depend on the threads"
expect 0 netrun masks.plan --test shapes
says out '^test loss [01]\.[0-9]+ .*8 samples'
expect 0 netrun masks.plan --predict shapes/test/images/000001.jpg --json
says out '"logits":'
expect 0 netrun masks.plan --data shapes --predict 3 --json

# The answer as a mask: the largest of the classes at each place, in a PNG that is a mask of data again.
expect 0 netrun masks.plan --predict shapes/test/images/000001.jpg --output mask.png
says out '^mask.png: the mask of shapes/test/images/000001.jpg, 32 x 32'
sed -n 's/^ *\([0-9]\) *\([0-9.]*\) %.*/\1 \2/p' out >shares
mkdir -p again/images again/masks && cp mask.png again/images/1.png && cp mask.png again/masks/1.png
expect 0 netrun --inspect again
sed -n '/^class/,/^$/s/^ *\([0-9]\) *\([0-9.]*\) %.*/\1 \2/p' out >read_again
cmp shares read_again || fail "another mask is read than was written: $(cat shares read_again)"
expect 0 netrun masks.plan --predict shapes/test/images/000001.jpg --json
sed 's/.*"logits":{"values":\[//; s/\].*//' out | tr , '\n' | awk '
    { v[NR - 1] = $1 }
    END { for (e = 0; e < 1024; e++) { b = 0; for (k = 1; k < 4; k++) if (v[k * 1024 + e] > v[b * 1024 + e]) b = k; n[b]++ }
          for (k = 0; k < 4; k++) if (n[k]) printf "%d %.2f\n", k, n[k] / 10.24 }' >counted_shares
cmp shares counted_shares || fail "another mask than the answers': $(cat shares counted_shares)"
expect 2 netrun masks.plan --predict shapes/test/images --output mask.png
says err 'a mask is of one sample, and 8 are asked for'
cp -r shapes/test/images own
expect 2 netrun masks.plan --predict own/000000.png --output own/000000.png
says err 'this file is read here, and would be lost'
expect 0 netrun masks.plan --train shapes --epochs 1 --set data.holdout=0.25 --json
says out '"samples":18,"holdout":6,'

# What is there; a sheet has each picture beside its mask.
expect 0 netrun --inspect shapes --output sheet.png
says out '^pictures with masks'
says out '^train +24 samples +u8\[3, 64, 64\] +mask u8\[64, 64\]$'
says out '^ +0 +[67][0-9]\.[0-9]+ %$'
says out '^ +255 +[0-9]\.[0-9]+ % +ignored$'
says out '^sheet.png: the first 24 pictures, each with its mask beside it$'
expect 0 netrun --inspect shapes --json
says out '"mask_classes": \['

# One folder, without a test set; a folder within images/.
mkdir -p one deep/train/images/a deep/train/masks/a
cp -r shapes/train/* one
expect 0 netrun masks.plan --train one --epochs 1
mv shapes/train/images/00000* deep/train/images/a
mv shapes/train/masks/00000* deep/train/masks/a
expect 0 netrun masks.plan --train deep --epochs 1 --json
says out '"samples":10,'
mv deep/train/images/a/* shapes/train/images
mv deep/train/masks/a/* shapes/train/masks

# All sets have masks, or none has.
lacks() { # FOLDER MESSAGE
    expect 4 netrun --inspect "$1"
    says err "^netrun: error: $1/test: $2; expected one kind\$"
}
"$B/make_shapes" plain --train 2 --test 1
cp -r shapes some && rm -r some/test/masks
lacks some 'not images/ and masks/, as the training set has them'
rm -r some/test && cp -r plain/test some/test
lacks some 'not images/ and masks/, as the training set has them'
rm -r plain/test && cp -r shapes/test plain/test
lacks plain 'images/ and masks/, but the training set is a folder for each class'

# What does not go together says what to write.
plan asis 's/Resize(32, 32), //'
expect 4 netrun asis.plan --train shapes
says err 'shapes/train/images/000000.png: its samples are 3x[0-9]+x[0-9]+, but input `picture` of the network is 3x32x32; `data \{ transform = \[Resize\(32, 32\), ...\] \}` makes pictures so'
plan few 's/class\[4,/class[3,/; s/Conv(4, kernel = 1)/Conv(3, kernel = 1)/'
expect 4 netrun few.plan --train shapes
says err 'shapes/train/masks/0000[0-9]+.png: class 3 at row [0-9]+, column [0-9]+; expected 0 to 2, or 255 where there is none'
plan one_class 's/class\[4, 32, 32\]/class[4]/; s/-> conv5: .*/-> Flatten -> fc1: Linear(4)/'
expect 4 netrun one_class.plan --train shapes
says err 'shapes/train/images/000000.png: these are masks, but target `mask` of the network is one class a sample; `class\[4, 32, 32\]` is a mask'
"$B/make_shapes" classes --train 2 --test 1
expect 4 netrun masks.plan --train classes
says err 'these are one class a sample, but target `mask` of the network is a mask'

# Files that are missing, of another size, or no masks.
mv shapes/train/masks/000003.png kept.png
expect 4 netrun masks.plan --train shapes
says err 'shapes/train/images/000003.jpg: its mask is missing; expected shapes/train/masks/000003.png'
cp shapes/train/masks/000004.png shapes/train/masks/000003.png
expect 4 netrun masks.plan --train shapes
says err 'shapes/train/masks/000003.png: the mask is [0-9]+ wide and [0-9]+ high, but shapes/train/images/000003.jpg is [0-9]+ and [0-9]+'
cp shapes/train/images/000004.png shapes/train/masks/000003.png
expect 4 netrun masks.plan --train shapes
says err 'shapes/train/masks/000003.png: a mask is a grey or palette PNG of at most 8 bits, whose values are classes; this one is in colour'
head -c 200 kept.png >shapes/train/masks/000003.png
expect 4 netrun masks.plan --train shapes
says err 'shapes/train/masks/000003.png: damaged PNG: '
expect 0 netrun masks.plan --train shapes --epochs 1 --skip-damaged --json
says err '^netrun: shapes: 1 damaged picture is left out; the first: shapes/train/masks/000003.png: damaged PNG: '
says out '"samples":23,'

# With a damaged picture besides, each mask stays with its picture: as if neither file was there.
cp shapes/train/images/000006.png kept6.png
head -c 200 kept6.png >shapes/train/images/000006.png
cp -r shapes without && rm without/train/images/00000[36].*
expect 0 netrun masks.plan --train without --epochs 1 --runs without-runs
for how in '' '--loaders 2'; do
    expect 0 netrun masks.plan --train shapes --epochs 1 --skip-damaged --runs skipped $how
    says err '2 damaged pictures are left out; the first: shapes/train/masks/000003.png: '
done
for run in 1 2; do
    cmp {skipped/*-$run,without-runs/*-1}/last.safetensors || fail "skipped: other pictures, or other masks"
done
mv kept6.png shapes/train/images/000006.png

# Metrics of masks: the answers of a test say the same, counted by awk, of places that have a class.
places() { awk 'BEGIN { for (i = 0; i < 20 * 16; i++) { v = i * 7919 % 10; print v < 9 ? (v + int(i / 16)) % 3 : 255 } }'; }
idx() { printf '\0\0\10\3\0\0\0\24\0\0\0\4\0\0\0\4'; while read -r v; do printf '%b' "\\0$(printf %o "$v")"; done; }
mkdir counted wide
for set in train t10k; do
    awk 'BEGIN { for (i = 0; i < 20 * 16; i++) print i * i * 31 % 256 }' | idx >counted/$set-images-idx3-ubyte
    places | idx >counted/$set-labels-idx1-ubyte
done
sed 's/f32\[3, 32, 32\]/f32[1, 4, 4]/; s/class\[4, 32, 32\]/class[3, 4, 4]/; s/Conv(4, kernel = 1)/Conv(3, kernel = 1)/; s/Resize(32, 32), //' small.net >counted.net
expect 0 netc counted.net -o counted.plan
expect 0 netrun counted.plan --train counted --epochs 1 --runs counts

# Masks of 32 bits are what they say: no class is below 0, or above 255.
cp counted/*images* wide
wide() { { printf '\0\0\14\3\0\0\0\24\0\0\0\4\0\0\0\4'; head -c 28 /dev/zero; printf "$1"; head -c 1248 /dev/zero; } | tee wide/train-labels-idx3 >wide/t10k-labels-idx3; }
wide '\0\0\0\377'
expect 0 netrun --inspect wide
says out '^ +255 +0\.31 %  ignored$'
for number in '\377\377\377\377 -1' '\0\0\1\2 258'; do
    wide "${number% *}"
    expect 4 netrun --inspect wide
    says err "wide/train-labels-idx3: class ${number#* } at row 1, column 3 of sample 0; expected 0 to 254, or 255 where there is none$"
done
expect 0 netrun counted.plan --test counted --runs counts --json
grep '"event":"evaluation"' out >tested
expect 0 netrun counted.plan --data counted --predict test --runs counts --json
places >truth
sed 's/.*"values":\[//; s/\].*//' out >answers
awk -F , '
    FNR == NR { truth[n++] = $1; next }
    FILENAME ~ /tested/ { split($0, part, /"(pixel_accuracy|mean_iou)":/); accuracy = part[2] + 0; iou = part[3] + 0; next }
    {
        for (e = 1; e <= 16; e++) {
            is = truth[at++]; best = 0
            for (k = 1; k < 3; k++) if ($(k * 16 + e) > $(best * 16 + e)) best = k
            if (is == 255) continue
            there[is]++; said[best]++; both[best] += best == is; right += best == is; all++
        }
    }
    END {
        for (k = 0; k < 3; k++) if (there[k] + said[k]) { sum += both[k] / (there[k] + said[k] - both[k]); classes++ }
        a = right / all - accuracy; b = sum / classes - iou
        exit !(at == 320 && a * a < 1e-12 && b * b < 1e-12)
    }' truth tested answers || fail "the answers say otherwise: $(cat tested)"
