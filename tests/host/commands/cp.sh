# cp_file
lines a > f
$X/cp f g
$X/cat g
$X/cp f none/g

# cp_into
lines a > f
lines b > g
$X/mkdir d
$X/cp f g d
$X/ls d

# cp_onto_itself
lines a > f
$X/ln f g
$X/ln -s f l
$X/cp f f
$X/cp f g
$X/cp f l
$X/cat f

# cp_directory_refused
$X/mkdir d
$X/cp d e
$X/ls

# cp_tree
$X/mkdir -p d/e
lines a > d/e/f
$X/ln -s e d/l
$X/mkfifo d/p
$X/cp -R d t
$X/ls -R t
$X/stat -c '%F %N' t/l t/p

# cp_tree_twice
$X/mkdir d t
lines a > d/f
$X/cp -r d t
lines b > d/f
$X/cp -r d t
$X/cat t/d/f

# cp_into_itself
$X/mkdir d
lines a > d/f
$X/cp -R d d
$X/cat d/f

# cp_preserves
lines a > f
$X/touch -d '2001-02-03 04:05:06' f
$X/chmod 2>/dev/null
$X/cp -p f g
$X/stat -c '%a %Y %u %g' g

# cp_mode
lines a > f
$X/mkdir -m 500 d
$X/cp -R d e
$X/cp -Rp d g
$X/stat -c %a e g
$X/mkfifo -m 640 p
$X/cp -R p q
$X/stat -c '%a %F' q

# cp_archive_keeps_links
$X/mkdir d
lines a > d/f
$X/ln d/f d/g
$X/cp -a d e
$X/stat -c %h e/f
$X/cp -R d h
$X/stat -c %h h/f

# cp_follow
$X/mkdir d
lines a > d/f
$X/ln -s f d/l
$X/ln -s d k
$X/cp -RL d e
$X/stat -c %F e/l
$X/cp -RH k h
$X/stat -c %F h h/l
$X/cp -RP k p
$X/stat -c %F p

# cp_link_loop
$X/mkdir d
$X/ln -s ../d d/l
$X/ln -s m m
$X/cp -RL d e
$X/cp m n

# cp_no_replace
lines a > f
lines b > g
$X/cp -n f g
$X/cat g
echo n | $X/cp -i f g
$X/cat g
echo y | $X/cp -i f g
$X/cat g

# cp_update
lines a > f
lines b > g
$X/touch -t 200001010000 f
$X/cp -u f g
$X/cat g
$X/cp -u g f
$X/cat f

# cp_file_over_directory
lines a > f
$X/mkdir -p d/f e
$X/cp f d
$X/cp -R e f

# cp_many_needs_directory
lines a > f
$X/cp f f g

# cp_odd
ODD
$X/mkdir d
$X/cp -- * d 2>/dev/null
$X/ls d

# cp_deep
p=d
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do p=$p/directory; done
$X/mkdir -p $p
lines a > $p/f
$X/cp -R d e
$X/cat e${p#d}/f

# cp_into_a_full_device
$X/cp /dev/zero /dev/full
echo $?
#> 1
