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
