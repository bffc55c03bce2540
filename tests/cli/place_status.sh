# Exit statuses of --place.
printf 'id,lower,upper,size\na,0,2,10\nb,1,3,20\n' >two.csv
expect 0 netc --place two.csv
expect 0 netc --place two.csv --capacity 30
expect 3 netc --place two.csv --capacity 29
expect 4 netc --place no-such.csv
for line in 'a,0,2' 'a,2,0,5' 'a,0,2,-5' 'a,0,2,99999999999999999999' 'a,x,2,5'; do
    printf 'id,lower,upper,size\n%s\n' "$line" >bad.csv
    expect 4 netc --place bad.csv
    says err 'bad.csv'
done
