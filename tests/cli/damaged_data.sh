# Damaged data: exit 4, the file, a byte offset, what was expected.
data=$(digits)
plan mlp
for damage in short magic long count; do
    mkdir $damage
    cp "$data"/*-ubyte* $damage/
    chmod u+w $damage/*
    gunzip -q $damage/*.gz 2>/dev/null || true
    file=$damage/train-images-idx3-ubyte
    case $damage in
    short) truncate -s 100000 $file ;;
    long) printf 'more' >>$file ;;
    magic) printf 'XXXX' | dd of=$file conv=notrunc status=none ;;
    count) printf '\377\377\377\377' | dd of=$file bs=1 seek=4 conv=notrunc status=none ;;
    esac
    expect 4 netrun mlp.plan --train $damage --epochs 1
    says err "train-images"
    [ $damage = magic ] || says err '[0-9]'
done

# What a packed file announces is compared with the network before a GiB is unpacked.
mkdir huge
{ printf '\0\0\10\3\0\0\0\1\0\0\200\0\0\0\200\0'; head -c 1100000 /dev/urandom; } | gzip -1 >huge/train-images-idx3-ubyte.gz
printf '\0\0\10\1\0\0\0\1\3' | gzip >huge/train-labels-idx1-ubyte.gz
[ -e mlp.plan ] || plan mlp
expect 4 netrun mlp.plan --train huge
says err 'huge/train-images-idx3-ubyte.gz: its samples are 1x32768x32768, but input `image` of the network is '
