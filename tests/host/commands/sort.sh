# sort_whole
lines b a C B a > f
$X/sort f
$X/sort -f f
$X/sort -r f
$X/sort -u f
$X/sort -fu f
$X/sort f f
$X/sort < f
$X/sort none
echo $?

# sort_numbers
lines 10 9 -1 1.5 1.25 007 abc '' ' 3' 1e3 > f
$X/sort -n f
$X/sort -nr f
$X/sort -nu f

# sort_keys
lines 'a 3 x' 'b 1 y' 'c 2 x' 'a 2 y' > f
$X/sort -k2 f
$X/sort -k2,2n f
$X/sort -k3,3 -k1,1r f
$X/sort -k1,1 -s f
$X/sort -k1.1,1.1 -k2nr f
$X/sort -r -k3,3 f

# sort_separated
lines a:3:x b:10:y c:2:z :1: > f
$X/sort -t: -k2n f
$X/sort -t : -k2,2 f
$X/sort -t: -k3r f
$X/sort -t: -k2.2 f

# sort_blanks
lines '  b' ' a' 'c' '	d' > f
$X/sort f
$X/sort -b f
$X/sort -k1b,1 f
$X/sort -d f
lines 'x  b' 'x a' > g
$X/sort -k2 g
$X/sort -k2b g
$X/sort -b -k2.1,2.1 g

# sort_letters
lines a-c ab a.b 'a b' A.C > f
$X/sort -d f
$X/sort -df f
$X/sort -i f
$X/sort -f f

# sort_output
lines b a > f
$X/sort -o f f
$X/cat f
$X/sort -o none/x f
echo $?
$X/sort -m f f

# sort_check
lines a b > f
$X/sort -c f
echo $?
lines b a > g
$X/sort -c g
echo $?
$X/sort -C g
echo $?
lines a a > h
$X/sort -cu h
echo $?
$X/sort -rc g

# sort_no_newline
printf 'b\na' > f
$X/sort f
printf 'a\0c\na\0b\n' | $X/sort | $X/hexdump -C

# sort_stable
lines 'b 1' 'a 1' 'c 0' > f
$X/sort -s -k2,2 f
$X/sort -k2,2 f
$X/sort -u -k2,2 f

# sort_bad
$X/sort -k x f 2>/dev/null
echo $?
$X/sort -t ab f
echo $?
$X/sort -k0 f
echo $?
$X/sort -k 1.0 /dev/null 2>/dev/null
echo $?

# sort_large
i=0; while [ $i -lt 500 ]; do echo $((i * 7919 % 1000))
i=$((i+1)); done > f
$X/sort -n f | $X/head -n 5
$X/sort f | $X/tail -n 5
