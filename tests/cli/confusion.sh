# --test of a classifier: the table is that of --predict test; matrix, classes and pairs are what the table says, counted by awk.
data=$(digits)
cp -r "$data" named
printf '%s\n' zero one two three four five six seven eight nine >named/classes.txt
plan mlp
expect 0 netrun mlp.plan --train named --epochs 1
on() {
    expect 0 netrun mlp.plan --device "$1" --predict test --data named --output predicted.csv
    expect 0 netrun mlp.plan --device "$1" --test named --output tested.csv
    cmp tested.csv predicted.csv || fail "another table"
    says out '^tested.csv: 500 samples'
    sed -n '/^test loss/,$p' out >text
    expect 0 netrun mlp.plan --device "$1" --test named --output -
    cmp out tested.csv || fail "another table on stdout"
    says err '^test loss'
    says err '^most confused'
    expect 0 netrun mlp.plan --device "$1" --test named
    cmp out text || fail "--output changes what is said"
    awk -F , -v names="$(paste -sd ' ' named/classes.txt)" '
        NR == 1 { for (i = 1; i <= NF; i++) { if ($i == "true") t = i; if ($i == "class") c = i }; next }
        { n[$t, $c]++; row[$t]++; column[$c]++ }
        END {
            split(names, name, " ")
            for (t = 0; t < 10; t++) {
                line = sprintf("%-7s", t " " name[t + 1])
                for (c = 0; c < 10; c++)
                    line = line sprintf(" %2s", (t, c) in n ? n[t, c] : ".")
                print line
            }
            for (t = 0; t < 10; t++)
                printf "%-7s%9.2f %%%9.2f %%%9.2f %%%10d\n", t " " name[t + 1], 100 * n[t, t] / column[t], 100 * n[t, t] / row[t],
                    200 * n[t, t] / (row[t] + column[t]), row[t]
        }' tested.csv >counted
    grep '^[0-9] [a-z]* .*[.%0-9]$' text | sed '/  [0-9] [a-z]* .*%$/d' | diff - counted || fail "counted otherwise"
    [ "$(sed -n '/^most confused/,$p' text | wc -l)" = 7 ] || fail "not five pairs"
    expect 0 netrun mlp.plan --device "$1" --test named --quiet
    [ "$(wc -l <out)" = 1 ] || fail "--quiet says more than a line"
    expect 0 netrun mlp.plan --device "$1" --test named --json
    "$B/tests/json_check" <out >count
    says out '"confusion":\{"precision":.*"name":"nine".*"matrix":\[\[.*"pairs":\[\{"true":'
    says err '^most confused'
}
for device in cpu cuda; do
    if here $device; then on $device; fi
done

# The weights keep the names. Too few are no names.
expect 0 netrun mlp.plan --test "$data" --device cpu
says out "^9 nine "
head -n 9 named/classes.txt >nine
cp nine named/classes.txt
expect 4 netrun mlp.plan --test named --device cpu
says err 'named/classes.txt: 9 names, but the classes are 0 to 9; expected one for each'

# What is read is not written.
cp mlp.plan copy.plan
expect 2 netrun copy.plan --test "$data" --output copy.plan
says err 'would be lost'
cmp mlp.plan copy.plan

# A network that tells no classes apart has a table of its values.
plan xor
expect 0 netrun xor.plan --train --epochs 1 --device cpu
expect 0 netrun xor.plan --test --device cpu --output xor.csv
says xor.csv '^sample,true,y$'
[ "$(wc -l <xor.csv)" = 5 ] || fail "not four samples"
! grep -q confused out || fail "classes where there are none"
