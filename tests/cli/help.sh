# Help, manual page and completion of both programs.
for program in "$NETC" "$NETRUN"; do
    name=$(basename "$program")
    expect 0 "$program" --help
    says out '^Examples:'
    expect 0 "$program" --help=all
    expect 0 "$program" --help=man
    says out '^\.TH'
    expect 0 "$program" --help=completion
    bash -n out || fail "$name: completion is no shell"
    "$program" --help=completion >"$name.bash"
    expect 0 "$program" --version
    says out "^$name [0-9]"
done

# completes 'WORD...' EXPECTED: what the shell offers for the last word of netrun's command line.
completes() {
    local wanted=$2
    (
        set +u
        . ./netrun.bash
        read -ra COMP_WORDS <<<"$1"
        [ "${1% }" = "$1" ] || COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _netrun
        printf '%s\n' "${COMPREPLY[@]}" | sort -u | paste -sd ' '
    ) >out
    [ "$(cat out)" = "$wanted" ] || fail "completion of '$1' is '$(cat out)', not '$wanted'"
}
mkdir -p runs/mlp-1 runs/mlp-2 runs/empty-1 other/xor-1 data
touch runs/mlp-{1,2}/last.safetensors other/xor-1/last.safetensors file.safetensors
completes 'netrun --resume ' 'last runs/mlp-1 runs/mlp-2'
completes 'netrun --resume la' last
completes 'netrun --resume runs/mlp-2' runs/mlp-2
completes 'netrun --runs other --resume o' other/xor-1
completes 'netrun --runs = other --resume = ' 'last other/xor-1'
completes 'netrun x.plan --test data --weights runs/' 'runs/empty-1 runs/mlp-1 runs/mlp-2'
completes 'netrun x.plan --test data --weights b' best
completes 'netrun x.plan --test data --weights f' file.safetensors
completes 'netrun x.plan --batch a' auto
completes 'netrun x.plan --device c' 'cpu cuda'
completes 'netrun x.plan --train d' data
completes 'netrun x.plan --predict f' file.safetensors
completes 'netrun x.plan --predict t' test
completes 'netrun --res' --resume
