#!/bin/sh
# Trains on a folder of sounds for each word: whistled by make_tones, WAV and FLAC of many lengths. Half a minute. Needs `make`;
# EPOCHS=1 makes it shorter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
rm -rf tones
cp "$here/words.net" .

epochs=${EPOCHS:-10}
say make_tones tones
printf '\n$ ls tones/train tones/train/up | head -n 9\n'
ls tones/train tones/train/up | head -n 9
say netrun --inspect tones
say netc words.net -o words.plan
say netrun words.plan --train tones --epochs "$epochs"
say netrun words.plan --test tones
say netrun words.plan --predict tones/test/up/000001.flac
