# The packer alone, on the problems of PLACEMENT.
[ "$PLACEMENT" ] || { echo "needs PLACEMENT"; skip "set PLACEMENT to a folder of id,lower,upper,size files"; }
for file in "$PLACEMENT"/*.csv; do
    expect 0 netc --place "$file"
    says err 'gap'
    awk -F, 'NR > 1 { n++; lower[n] = $2; upper[n] = $3; size[n] = $4; at[n] = $5 }
             END { for (i = 1; i <= n; i++) for (k = i + 1; k <= n; k++)
                       if (lower[i] < upper[k] && lower[k] < upper[i] && at[i] < at[k] + size[k] && at[k] < at[i] + size[i]) exit 1 }' out ||
        fail "$file: two buffers overlap"
done
