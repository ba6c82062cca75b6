# head_counts
numbers 1 20 > f
$X/head f
$X/head -n 3 f
$X/head -3 f
$X/head -c 5 f
$X/head -n -17 f
$X/head -c -40 f
$X/head -n 0 f
$X/head -c 1k f | $X/wc -c

# head_titles
lines a > f
lines b > g
$X/head -n1 f g
$X/head -q f g
$X/head -v f
$X/head f none g
$X/head < f

# head_leaves_the_rest
numbers 1 9 > f; { $X/head -n 2; echo
$X/cat; } < f

# head_bad
$X/head -n x f
$X/head -n -x f

# head_stops
$X/yes | $X/head -n 2
