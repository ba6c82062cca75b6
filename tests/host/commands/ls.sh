# ls_names
$X/mkdir d
: > b
: > .h
: > d/x
$X/ls
$X/ls -a
$X/ls -A
$X/ls -1r
$X/ls b d
$X/ls -d d .
$X/ls none
$X/ls -F
$X/ls -p

# ls_long
$X/mkdir d
lines abc > f
$X/ln -s f l
$X/touch -t 202001020304 f
$X/touch -t 202001020304 d
$X/mkfifo -m 600 p
$X/touch -t 201912312359 p
$X/ls -l f p
$X/ls -ln f
$X/ls -lgo f
$X/ls -lF p
$X/ls -ld d | $X/env cut -c1-10
$X/ls -L l
$X/ls -l l | $X/env sed 's/ [A-Z][a-z][a-z] .* l/ l/'

# ls_order
lines a > a
lines bb > b
lines ccc > c
$X/touch -t 202001010000 b
$X/touch -t 201001010000 a
$X/touch -t 202101010000 c
$X/ls -t
$X/ls -tr
$X/ls -S
$X/ls -Sr
$X/touch -a -t 202501010000 a
$X/ls -tu
$X/ls -f | $X/sort

# ls_devices
$X/ls -l /dev/null /dev/zero | $X/env sed 's/ [A-Z][a-z][a-z] .* / /'
$X/ls -lh /dev/null | $X/env cut -c1-10

# ls_tree
$X/mkdir -p d/e/f
: > d/g
$X/ls -R
$X/ls -R d d/e
$X/ls -1R d

# ls_sizes
$X/head -c 1500 /dev/zero > a
$X/head -c 10300 /dev/zero > b
$X/head -c 1023 /dev/zero > c
$X/ls -lh a b c | $X/env sed 's/ [A-Z][a-z][a-z] .* / /'

# ls_forms
numbers 1 30 | while read n; do : > file$n; done
$X/ls -m
$X/ls -m -F | $X/wc -l; COLUMNS=40 $X/ls -x > /dev/null

# ls_odd
ODD
$X/ls
$X/ls -q | $X/head -n 3
$X/ls -- -r

# ls_links
$X/mkdir d
: > d/x
$X/ln -s d l
$X/ln -s none n
$X/ls l
$X/ls -d l
$X/ls -F l
$X/ls -H l
$X/ls n
$X/ls -L n
$X/ls -lL n

# ls_hides_what_does_not_print
ODD
$X/ls -q | $X/head -n 2
#> *
#> -r
