# netc --schedule draws what the optimizer's numbers do, over the steps.
sed '/schedule/d; s/^    optimizer.*/    optimizer = SGD(lr = 0.05, momentum = 0.9)\n    schedule = OneCycle\n    decay_schedule = Constant/; s/^    epochs.*/    epochs = 20/' "$ROOT/models/xor.net" >x.net
expect 0 netc x.net --schedule=50
[ "$(grep -c '20 epochs of 50 steps' out)" = 3 ] || fail "three drawings"
says out 'learning rate'
says out '^ *0\.05│'
says out '^ *2e-07│'
says out '^ *0\.95│.*⠉'
says out '^ *0\.85│'
says out '0 +999$'
sed '/schedule/d' x.net >y.net
expect 0 netc y.net --schedule
[ "$(grep -c '20 epochs of 100 steps' out)" = 1 ] || fail "one drawing"
expect 0 netc x.net --schedule=50 --schedule=rates.svg
[ ! -s out ] || fail "drawn on the terminal as well"
[ "$(grep -c '<path class="curve' rates.svg)" = 3 ] || fail "three curves"
says rates.svg '20 epochs of 50 steps'
says rates.svg '<title>momentum</title>'
says rates.svg '^<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 840"'
expect 0 netc x.net --schedule=- --schedule=50
cmp out rates.svg || fail "other curves on stdout"
expect 4 netc x.net --schedule=none/rates.svg
expect 2 netc y.net --schedule=0
says err 'steps of an epoch'
expect 2 netc y.net --schedule --check
