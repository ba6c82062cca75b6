# tee
lines a b | $X/tee f g
$X/cat f g
lines c | $X/tee -a f
$X/cat f
lines x | $X/tee none/x y
echo $?
$X/cat y
lines z | $X/tee /dev/full w
echo $?
$X/cat w
