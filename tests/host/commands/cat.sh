# cat_files
lines a b > f
lines c > g
$X/cat f - g < f

# cat_missing_goes_on
lines a > f
$X/cat none f

# cat_directory
$X/cat .

# cat_numbers
printf 'a\n\n\n\nb\tc\177\001\200\n' > f
$X/cat -n f
$X/cat -bsA f
$X/cat -E f
$X/cat -vt f

# cat_own_output
lines a > f
$X/cat f >> f
$X/cat f

# cat_closed_input
$X/cat <&-

# cat_closed_output
lines a > f
$X/cat f >&-

# cat_odd
ODD
$X/cat -- -r "$NL" "$BAD" "$LONG" 'a b'
