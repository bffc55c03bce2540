# Arming and disarming gives back every byte.
# seconds: 60
plan mnist_cnn
figures=$("$TOOLS/armed" cycles mnist_cnn.plan "$(pick 512 16)" "$(pick 30 2)") || fail "$figures"
echo "$figures"
