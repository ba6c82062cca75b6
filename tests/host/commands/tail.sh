# tail_counts
numbers 1 20 > f
$X/tail f
$X/tail -n 3 f
$X/tail -3 f
$X/tail -c 5 f
$X/tail -n +18 f
$X/tail -c +48 f
$X/tail -n 0 f
$X/tail -n +0 f | $X/wc -l
$X/tail -n 100 f | $X/wc -l

# tail_of_pipe
numbers 1 20 | $X/tail -n 3
numbers 1 20 | $X/tail -c 4
numbers 1 20 | $X/tail -n +19
numbers 1 20 | $X/tail -c +50
printf 'a\nb' | $X/tail -n 1

# tail_large
$X/yes 0123456789abcdef | $X/head -n 20000 > f
$X/tail -n 9000 f | $X/wc
$X/cat f | $X/tail -n 9000 | $X/wc
$X/tail -c 200000 f | $X/wc -c
$X/cat f | $X/tail -c 200000 | $X/wc -c

# tail_titles
lines a > f
lines b > g
$X/tail -n1 f g
$X/tail -q f g
$X/tail -v f
$X/tail f none g
$X/tail < f

# tail_no_newline
printf 'a\nb\nc' > f
$X/tail -n 2 f
$X/tail -n 1 f
printf '\n\n' > g
$X/tail -n 1 g | $X/hexdump -C
$X/tail /dev/null

# tail_from_the_middle
numbers 1 9 > f; { read a; read b
$X/tail -n +2; } < f | $X/wc -l

# tail_follows
: > f
$X/tail -f f > o 2> e & p=$!
echo one >> f
until_holds 'one' o
echo two >> f
until_holds 'two' o
: > f
until_holds 'shorter' e
echo three >> f
until_holds 'three' o
kill $p
$X/cat o
#> one
#> two
#> three
