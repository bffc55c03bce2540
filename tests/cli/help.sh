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
    expect 0 "$program" --version
    says out "^$name [0-9]"
done
