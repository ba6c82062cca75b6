# rm_files
: > f
: > g
$X/rm f
$X/ls
$X/rm none
$X/rm -f none
$X/rm -f
$X/mkdir d
$X/rm d
$X/rm -f d
$X/rm -d d
$X/ls

# rm_tree
$X/mkdir -p d/e/f
: > d/g
: > d/e/h
$X/rm -r d
$X/ls
$X/mkdir d e
: > d/x
$X/rm -rf d e none
$X/ls

# rm_follows_no_links
$X/mkdir d e
: > d/x
$X/ln -s ../d e/l
$X/ln -s d k
$X/rm -r e k
$X/ls d

# rm_refuses
: > f
$X/mkdir d
$X/rm -rf . .. d/. d/.. /
$X/ls

# rm_asks
: > f
: > g
echo n | $X/rm -i f
lines y n | $X/rm -i f g
$X/ls
$X/mkdir d
: > d/x
lines y y y | $X/rm -ri d
$X/ls

# rm_odd
ODD
$X/rm -- -r "$NL" "$BAD" "$LONG" 'a b'
$X/ls

# rm_deep
n=1; (while [ $n -lt 300 ]; do $X/mkdir directory && cd -P directory || exit
n=$((n+1)); done)
$X/rm -r directory
$X/ls

# rm_keeps_what_a_link_leads_to
$X/mkdir d
: > d/x
$X/ln -s d l
$X/rm -rf l/
echo $?
$X/ls d
#> 1
#> x

# rm_tree_deeper_than_a_path
d=$($X/head -c 200 /dev/zero | $X/env tr '\0' d)
n=0
(
    while [ $n -lt 60 ]
    do
        $X/mkdir $d && cd -P ./$d 2>/dev/null || exit
        n=$((n+1))
    done
    : > f
)
$X/rm -r $d
echo $?
$X/ls
#> 0
