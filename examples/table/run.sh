#!/bin/sh
# Trains on tables, CSV as a spreadsheet writes it. Seconds. Needs `make`; EPOCHS=1 makes it shorter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
rm -rf tables
cp "$here"/*.net .

epochs=${EPOCHS:-20}
say make_tables tables
say head -n 3 tables/iris/train.csv
say netc iris.net -o iris.plan
say netrun iris.plan --train tables/iris --epochs "$epochs"
say netrun iris.plan --test tables/iris
printf 'petal_length,petal_width,sepal_length,sepal_width\n1.4,0.2,5.0,3.3\n' >new.csv
say cat new.csv
say netrun iris.plan --predict new.csv

say head -n 3 tables/titanic/train.csv
say netc titanic.net -o titanic.plan
say netrun titanic.plan --train tables/titanic --epochs "$epochs"
say netrun titanic.plan --test tables/titanic

say head -n 3 tables/housing/housing.csv
say netc housing.net -o housing.plan
say netrun housing.plan --train tables/housing --epochs "$epochs"
head -n 3 tables/housing/housing.csv >some.csv
say netrun housing.plan --predict some.csv
