# A table, CSV or TSV: columns by name, classes by name, what is wrong by file, line and column.
"$B/make_tables" made
expect 0 netc "$ROOT/examples/table/iris.net" -o iris.plan
expect 0 netrun iris.plan --train made/iris --epochs 8 --runs runs --json
says out '"event":"start",.*"samples":120,'
expect 0 netrun iris.plan --test made/iris
says out '^2 virginica '

# The order of the columns, the separator, quotes, line ends and a byte order mark are nothing that the network sees.
mkdir odd
{
    printf '\357\273\277'
    awk -F, 'BEGIN { OFS = ";"; ORS = "\r\n" } { print $5, "\"" $4 "\"", $3 " ", $2, $1; if (NR == 3) print "" }' made/iris/test.csv
} >odd/test.csv
answers() { netrun iris.plan --data "$1" --predict test --json 2>/dev/null | grep -o '"true":[^}]*'; }
answers made/iris >one
answers odd >other
[ -s one ] && cmp one other || fail "another order of the columns makes other answers"
rm odd/test.csv
tr , '\t' <made/iris/test.csv | gzip >odd/test.tsv.gz
answers odd >other
cmp one other || fail "tabs make other answers"

# Whoever trains on with weights has their columns and classes; other classes are taught.
mkdir turned taught
for set in train test; do
    awk -F, 'BEGIN { OFS = "," } { print $5, $4, $3, $2, $1 }' made/iris/$set.csv >turned/$set.csv
    sed 's/setosa/white/' made/iris/$set.csv >taught/$set.csv
done
for folder in made/iris turned; do
    expect 0 netrun iris.plan --train $folder --epochs 2 --weights runs/iris-1 --runs on-${folder%/*}
done
cmp on-{made,turned}/iris-1/last.safetensors || fail "another order of the columns trains other weights"
expect 0 netrun iris.plan --train made/iris --epochs 1 --runs on-made
expect 0 netrun --resume on-made/iris-2 --epochs 2 --train turned --runs on-made
expect 0 netrun iris.plan --train taught --epochs 1 --weights runs/iris-1 --runs on-taught
expect 0 netrun iris.plan --test taught --runs on-taught
says out '^2 white '
expect 4 netrun iris.plan --test made/iris --runs on-taught
says err '"setosa" is no class; the classes are "versicolor", "virginica", "white"$'

# Rows are called by their lines; without a target they are answered alike.
cut -d, -f1-4 made/iris/test.csv >new.csv
expect 0 netrun iris.plan --predict new.csv --json
says out '"sample":"new.csv:2",.*"outputs":.*"name":"(setosa|versicolor|virginica)"'
grep -o '"outputs":[^}]*' out >other
grep -o '"outputs":[^}]*' one | cmp - other || fail "rows without a target are answered otherwise"
expect 0 netrun iris.plan --predict made/iris/test.csv 0 --data made/iris --output table.csv
[ "$(wc -l <table.csv)" = 32 ] || fail "table.csv has other lines than 32"
says table.csv '^made/iris/test.csv:31,data,2,'
expect 2 netrun iris.plan --predict new.csv --output new.csv

# A class of numbers; several targets that are values, one of them of 0 and 1.
sed '2,$s/setosa$/0/; s/versicolor$/1/; s/virginica$/2/' made/iris/train.csv >odd/train.csv
rm odd/test.tsv.gz
expect 0 netrun iris.plan --train odd --epochs 1
sed 's/target .*/target species : f32[2] from ["petal_width", "species"]/; s/f32\[4\]/f32[3]/; s/CrossEntropy/MSE/; s/Linear(3)/Linear(2)/; /metrics/d' \
    "$ROOT/examples/table/iris.net" >two.net
expect 0 netc two.net -o two.plan
expect 0 netrun two.plan --train odd --epochs 2
expect 0 netrun two.plan --predict odd/train.csv
says out '^odd/train.csv:3: logits = -?[0-9.e-]+ -?[0-9.e-]+ \(it is [0-9.]+ 1\)$'

# Text as categories, and columns that are left out.
with() { sed "s/^train {/data {\n    transform = [$2]\n}\n\ntrain {/; s/f32\[4\]/f32[$1]/" "$ROOT/examples/table/iris.net" >with.net; expect 0 netc with.net -o with.plan; }
mkdir text
awk -F, 'BEGIN { OFS = "," } { print $1, $2, NR == 1 ? "colour" : NR % 3 ? "blue" : "", $3, $4, $5, NR == 1 ? "note" : "none" }' made/iris/train.csv >text/train.csv
with 6 'OneHot(\"colour\", [\"blue\", \"\"]), Drop(\"note\")'
expect 0 netrun with.plan --train text --epochs 2
expect 0 netrun with.plan --predict text/train.csv
sed '1s/note/other/; 5s/blue/red/' text/train.csv >wrong.csv
expect 4 netrun with.plan --predict wrong.csv
says err 'wrong.csv: column "other" is none of the inputs that were learnt, "sepal_length", "sepal_width", "colour",'
sed '5s/blue/red/' text/train.csv >wrong.csv
expect 4 netrun with.plan --predict wrong.csv
says err 'wrong.csv:5: column "colour": "red" is none of the values of OneHot, "blue", ""'
with 4 'Drop([\"note\", \"colours\"])'
expect 4 netrun with.plan --train text
says err 'text/train.csv: no column "colours"; its columns are "sepal_length", .*"colour"'
with 5 'Drop(\"note\")'
expect 4 netrun with.plan --train text
says err 'text/train.csv:2: column "colour": "blue" is no number; `data \{ transform = \[OneHot\("colour", \["blue", ""\]\)\] \}`'

# What is damaged is named.
refused() { # SED MESSAGE
    sed "$1" made/iris/train.csv >odd/train.csv
    expect 4 netrun iris.plan --train odd
    says err "^netrun: error: odd/train.csv$2"
}
refused '4s/,/,,/' ':4: 6 fields in a row; expected 5, as in the first$'
refused '4s/^[^,]*,/,/' ':4: column "sepal_length": a value is missing;'
refused '4s/^[^,]*,/NA,/' ':4: column "sepal_length": a value is missing;'
refused '4s/,[^,]*$/,/' ':4: column "species": the target is missing$'
refused '4s/^[^,]*,/1e39,/' ':4: column "sepal_length": 1e39 does not fit into 32 bits$'
refused '4s/^[^,]*,/0x10,/' ':4: column "sepal_length": "0x10" is no number;'
refused '4s/,/,"/' ':4: a quote is never closed; it began field 2$'
refused '4s/^\([^,]*\),/"\1"5,/' ':4: text behind the closing quote of field 1;'
refused '1s/sepal_width/petal_width/' ': two columns are called "petal_width"$'
refused '1s/species/kind/' ': no column "species", which is the target; its columns are '
refused '1,$s/^[^,]*,//' ': its samples are 3, but input `flower` of the network is 4; its inputs are "sepal_width", "petal_length", "petal_width"'
refused '4s/,[^,]*$/,rose/' ': 4 labels, "rose", "setosa", "versicolor", "virginica"; expected as many as there are classes, 3, or whole numbers from 0 to 2; "rose" in line 4 is the rarest$'
refused '2,$d' ': no row behind the names of the columns$'
refused '1,$d' ': empty; expected a row with the names of the columns$'
printf 'a\0b\n' >odd/train.csv
expect 4 netrun iris.plan --train odd
says err 'byte 1 is 0; expected text: CSV or TSV$'
cp -r made/iris strange
sed -i '3s/versicolor/rose/' strange/test.csv
expect 4 netrun iris.plan --train strange
says err 'strange/test.csv:3: "rose" is no class; the classes are "setosa", "versicolor", "virginica"$'

# A table and a network that knows nothing of it; and the other way round.
expect 0 netc "$ROOT/models/mlp.net" -o mlp.plan
expect 4 netrun mlp.plan --train made/iris
says err 'made/iris/train.csv: a table, of which the network names no column; write for example `target y : class\[3\] from "species"`$'
"$B/make_digits" digits --train 30 --test 10 >/dev/null
expect 4 netrun iris.plan --train digits
says err 'IDX; expected a table, CSV or TSV, as the target of the network is from one$'
# Beside other data it is none.
cp made/iris/train.csv digits
expect 0 netrun mlp.plan --train digits --epochs 1

# `from` is a name like any other.
sed 's/fc1:/from:/; s/logits/from/g' "$ROOT/examples/table/iris.net" >from.net
expect 0 netc from.net -o from.plan
says from.plan ' from\.weight '

# What is in the columns of a table, for who has to say what they are.
expect 0 netrun --inspect made/titanic
says out '^made/titanic/train.csv: 600 rows, 12 columns$'
says out '^  Sex +0  2 texts: "female", "male"$'
says out '^  Age +[1-9][0-9]*  numbers from '
says out '^  Name +0  more than 8 texts, such as '
mkdir few
{ echo eight,nine,y; for i in 1 2 3 4 5 6 7 8 9; do echo "e$((i % 8)),n$i,$i"; done; } >few/train.csv
expect 0 netrun --inspect few
says out '^  eight +0  8 texts: "e1", '
says out '^  nine +0  more than 8 texts, such as "n1"$'
expect 4 netrun --inspect odd
