# mv_files
lines a > f
$X/mv f g
$X/ls
$X/mkdir d
$X/mv g d
$X/ls d
$X/mv none x
$X/mv d/g d/h
$X/ls d
$X/mv d e
$X/ls

# mv_replaces
lines a > f
lines b > g
$X/mv -n f g
$X/cat g
echo n | $X/mv -i f g
$X/cat g
$X/mv f g
$X/cat g
$X/ls

# mv_itself
lines a > f
$X/mv f f
$X/ln f g
$X/mv f g
$X/ls
$X/mkdir d
$X/mv d d
$X/mv d d/e
$X/ls

# mv_kinds
lines a > f
$X/mkdir d
$X/mkdir -p e/f e/d/x
$X/mv f e
$X/mv d e
$X/ls

# mv_many
lines a > f
lines b > g
$X/mkdir d
$X/mv f g d
$X/ls d
$X/mv d/f d/g none

# mv_across
S=/dev/shm/commands.$$
$X/mkdir $S d
lines a > f
$X/touch -t 200101010000 f
$X/ln f d/g
$X/ln -s x d/l
$X/mkfifo d/p
$X/mv f d $S
$X/ls; (cd $S
$X/ls . d)
$X/cat $S/f
$X/stat -c %Y $S/f
lines b > f
$X/mv $S/f .
$X/cat f
$X/mkdir e
$X/mv e $S/d
$X/ls $S/d
$X/mkdir $S/full $S/full/x full
$X/mv full $S 2>&1 | $X/grep -c 'Directory not empty'
$X/rm -rf $S

# mv_odd
ODD
$X/mkdir d
$X/mv -- -r "$NL" "$BAD" 'a b' "$LONG" d
$X/ls d
