# A folder of sounds for each class: WAV and FLAC of any lengths, brought to the network's by transforms.
"$B/make_tones" tones --train 20 --test 6
plan() { sed "s/Crop(4000), Pad(4000)/$2/; s/f32\[1, 1, 4000\]/f32[$3]/" "$ROOT/examples/keyword_spotting/words.net" >$1.net; expect 0 netc $1.net -o $1.plan; }
plan words 'Crop(4000), Pad(4000)' '1, 1, 4000'
expect 0 netrun words.plan --train tones --epochs 2 --runs runs --json --threads 2
says out '"event":"start",.*"samples":80,'
says out '"event":"epoch".*"test":.*"n":24'

# One sound is answered as it was in the test set, by its word.
expect 0 netrun words.plan --predict tones/test/down/000001.flac tones/test/twice/000000.wav --json
grep -o '"probabilities":[^]]*' out >alone
expect 0 netrun words.plan --data tones --predict test --json
grep -o '"probabilities":[^]]*' out | sed -n '2p;13p' >among
[ -s alone ] && cmp alone among || fail "a sound alone is answered otherwise"
expect 0 netrun words.plan --predict tones/test/down
says out '^tones/test/down/000000.wav: logits = class [0-3] (down|flat|twice|up)'

# What is there.
expect 0 netrun --inspect tones
says out '^sounds   104 of 1 channel, 8000 values a second, 2[0-9]+ to 5[0-9]+ values \(0\.3[0-9]* s to 0\.[67][0-9]* s\); here the middle 2[0-9]+ of each$'
says out '^train +80 samples +f32\[1, 1, 2[0-9]+\]'
expect 0 netrun --inspect tones --json
says out '"rate": 8000,'
expect 4 netrun --inspect tones --output sheet.png
says err 'these samples are no images'

# An input [C, T] is as good for what convolves nothing, and so is a vector.
sed -i.all '/conv[1-4]:/d' words.net
for shape in '1, 4000' 4000 '1, 1, 4000'; do
    sed "s/f32\[1, 1, 4000\]/f32[$shape]/" words.net >flat.net
    expect 0 netc flat.net -o flat.plan
    expect 0 netrun flat.plan --train tones --epochs 1 --runs flat
done
cmp <(grep -o '"loss":[^,]*' flat/words-1/metrics.jsonl) <(grep -o '"loss":[^,]*' flat/words-3/metrics.jsonl) || fail "the shape of the input changes the sounds"
expect 0 netrun flat.plan --predict tones/test/up/000000.wav --runs flat
mv words.net.all words.net

# What does not go together says what to write.
plan asis '' '1, 1, 4000'
expect 4 netrun asis.plan --train tones
says err 'tones/train/down/000000.wav: its samples are 1x1x[0-9]+, but input `sound` of the network is 1x1x4000; `data \{ transform = \[Crop\(4000\), Pad\(4000\), ...\] \}` makes sounds so'
plan cropped 'Crop(4000)' '1, 1, 4000'
expect 4 netrun cropped.plan --train tones
says err 'tones/train/down/0000[0-9]*\.(wav|flac): .*Crop\(4000\), Pad\(4000\)'
plan padded 'Pad(4000)' '1, 1, 4000'
expect 4 netrun padded.plan --train tones
says err 'tones/train/down/0000[0-9]*\.(wav|flac): the sound is [45][0-9]+ values long \(0\.[0-9]+ s\), and is longer than Pad leaves: put Crop before it'
sed 's/Crop(4000), Pad(4000)/Resize(1, 4000)/' words.net >resized.net
expect 0 netc resized.net -o resized.plan
expect 4 netrun resized.plan --train tones
says err 'tones/train/down/000000.wav: the sound is .*, and its transforms are for pictures: sounds have `Crop` and `Pad`'
"$B/make_shapes" shapes --train 2 --test 1
expect 4 netrun words.plan --train shapes
says err 'shapes/train/circle/000000.png: the picture is .*, and its transforms are for sounds: pictures have `Resize` and `CenterCrop`'
cp shapes/train/circle/000000.png tones/train/up
expect 4 netrun words.plan --train tones
says err 'tones/train/up/000000.png: pictures, but beside it are sounds; expected one data set'
rm tones/train/up/000000.png

# wav RATE CHANNELS LENGTH: a silent one.
le() { printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24)))"; }
wav() {
    local bytes=$((2 * $2 * $3))
    printf RIFF; le $((bytes + 36)); printf 'WAVEfmt '; le 16; le $((1 | $2 << 16)); le "$1"; le $(($1 * 2 * $2))
    le $((2 * $2 | 16 << 16)); printf data; le $bytes; head -c $bytes /dev/zero
}

# Sample rates and channels are the same everywhere: among files, in training and test set, of weights and what they are asked.
cp -r tones mixed
wav 16000 1 5000 >mixed/train/flat/000007.flac
expect 4 netrun words.plan --train mixed
says err 'mixed/train/flat/000007.flac: the sound has 16000 values a second, but mixed/train/down/000000.wav has 8000; expected one sample rate'
wav 8000 2 5000 >mixed/train/flat/000007.flac
expect 4 netrun words.plan --train mixed
says err 'mixed/train/flat/000007.flac: the sound has 2 channels, but mixed/train/down/000000.wav has 1; expected as many'
rm mixed/train/flat/000007.flac
rm mixed/test/*/*
for word in down flat twice up; do wav 16000 1 5000 >mixed/test/$word/0.wav; done
expect 4 netrun words.plan --train mixed
says err 'mixed/test/down/0.wav: 16000 values a second, but mixed/train/down/000000.wav has 8000; expected one sample rate'
expect 4 netrun words.plan --predict mixed/test/up/0.wav
says err 'mixed/test/up/0.wav: 16000 values a second, but the weights runs/words-1/best.safetensors have learnt sounds of 8000; expected one sample rate'
rm -r mixed/train
cp -r mixed/test mixed/train
expect 4 netrun words.plan --test mixed
says err 'mixed/train/down/0.wav: 16000 values a second, but the weights'

# Two channels.
mkdir -p stereo/train/a stereo/train/b
for n in 1 2 3 4 5 6 7 8; do wav 8000 2 $((n * 10)) >stereo/train/a/$n.wav; wav 8000 2 $((n * 9)) >stereo/train/b/$n.wav; done
sed 's/class\[4\]/class[2]/; s/Linear(4)/Linear(2)/; s/4000/40/g; s/conv[1-4]:.*/ReLU/' words.net >two.net
for shape in '2, 1, 40' '2, 40' 80; do
    sed "s/f32\[1, 1, 40\]/f32[$shape]/" two.net >stereo.net
    expect 0 netc stereo.net -o stereo.plan
    expect 0 netrun stereo.plan --train stereo --epochs 1 --runs stereo_runs
    expect 0 netrun stereo.plan --predict stereo/train/a/3.wav --runs stereo_runs
done
expect 4 netrun stereo.plan --predict tones/test/up/000000.wav --runs stereo_runs
says err 'the sound is 40 values long after its transforms, in 1 channel; the network takes 80, in 1'

# A damaged one is named.
rm -r mixed
cp -r tones mixed
truncate -s 1000 mixed/train/flat/000002.wav mixed/train/up/000003.flac
expect 4 netrun words.plan --train mixed
says err 'mixed/train/flat/000002.wav: truncated: [0-9]+ bytes of values from byte 44, but it ends at byte 1000'
expect 0 netrun words.plan --train mixed --epochs 1 --skip-damaged --json
says err '^netrun: mixed: 2 damaged sounds are left out; the first: mixed/train/flat/000002.wav: truncated'
says out '"event":"start",.*"samples":78,'
