# wc_counts
printf 'one two\n\nthree\tfour  five' > f
$X/wc f
$X/wc -l f
$X/wc -w f
$X/wc -c f
$X/wc -lc f
$X/wc < f
$X/wc f f
$X/wc -L f
$X/wc -wl f none
$X/wc - < f
printf 'a\tb\n' | $X/wc -L

# wc_of_pipe
lines a b | $X/wc
lines a b | $X/wc -l; : | $X/wc
$X/wc /dev/null
$X/wc .

# wc_odd
ODD
$X/wc -c -- 'a b' -r "$BAD"
printf 'a\0b\n' | $X/wc
