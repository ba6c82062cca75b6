# grep_lines
lines apple banana cherry > f
$X/grep an f
echo $?
$X/grep -v an f
$X/grep zz f

# grep_status
lines a > f
$X/grep a f none
echo $?
$X/grep -q a f none
echo $?
$X/grep -s a none
echo $?
$X/grep z none f
echo $?
$X/grep '[' f
echo $?

# grep_counts
lines a b a > f
$X/grep -c a f
$X/grep -cv a f f
$X/grep -n a f
$X/grep -b a f
$X/grep -m1 a f
$X/grep -m0 a f

# grep_names
lines a > f
lines b > g
$X/grep -l a f g
$X/grep -L a f g
$X/grep a f g
$X/grep -h a f g
$X/grep -H a f
$X/grep a - < f
$X/grep -H a < f

# grep_only
lines 'foo bar foobar' > f
$X/grep -o 'foo[a-z]*' f
$X/grep -on 'o' f
$X/grep -ob bar f
$X/grep -o x f
$X/grep -o '' f

# grep_words
lines 'foo bar' foobar 'a_b' 'bar foo' > f
$X/grep -w foo f
$X/grep -ow 'fo*' f
$X/grep -w a f
$X/grep -wx 'foo bar' f
$X/grep -w '' f

# grep_whole
lines a ab '' > f
$X/grep -x a f
$X/grep -xE 'a|ab' f
$X/grep -xn '' f
$X/grep -xF ab f

# grep_fixed
lines 'a.b' 'axb' 'a*b' '[x]' '\' > f
$X/grep -F a.b f
$X/grep -F 'a*' f
$X/grep -F '[x' f
$X/grep -F '\' f
$X/grep -Fi A. f

# grep_many
lines a b c > f
$X/grep -e a -e c f
$X/grep 'a
b' f
lines b c > p
$X/grep -f p f
: > e
$X/grep -f e f
echo $?

# grep_case
lines Ab aB cd > f
$X/grep -i ab f
$X/grep -ic '[A-B]' f
$X/grep -iv AB f

# grep_extended
lines aab abab 'a+b' 'x{2}' xx '(y)' > f
$X/grep -E 'a+b' f
$X/grep -E '(ab){2}' f
$X/grep -E 'x{2}' f
$X/grep 'x\{2\}' f
$X/grep 'a+b' f
$X/grep '(y)' f
$X/grep -E '\(y\)|^xx$' f

# grep_back
lines abab abba aa > f
$X/grep '\(a\)\1' f
$X/grep '\(.\)\(.\)\2\1' f

# grep_context
numbers 1 20 > f
$X/grep -A1 5 f
$X/grep -B2 9 f
$X/grep -nC1 '1[05]' f
$X/grep -A1 -m1 1 f
$X/grep -c -A3 5 f

# grep_no_newline
printf 'a\nb' > f
$X/grep b f
$X/grep -c '' f

# grep_binary
printf 'a\0b\nc\n' > f
$X/grep b f
$X/grep -a b f | $X/hexdump -C
$X/grep -c b f
$X/grep -I b f
$X/grep -ao 'a.b' f | $X/hexdump -C

# grep_tree
$X/mkdir -p d/e
lines x > d/e/f
lines y > d/g
$X/ln -s e d/l
$X/grep -r x d
$X/grep -rh x d
$X/grep -rl '' d | $X/sort
$X/grep -R x d | $X/sort
cd d
$X/grep -r x

# grep_odd
ODD
lines a > "$NL"
lines a > "$BAD"
$X/grep -l a -- "$NL" "$BAD" 'a b'
printf 'a\377b\n' | $X/grep -c 'a.b'

# grep_long_line
$X/yes abcdefghij | $X/head -n 3000 | $X/env tr -d '\n' > f
echo x >> f
$X/grep -c 'j*x' f
$X/grep -o 'jx' f

# grep_directory
$X/grep x .
echo $?
