# ln_hard
lines a > f
$X/ln f g
$X/stat -c %h f
$X/ln f g
$X/ln -f f g
$X/ln -f f f
$X/cat f
$X/ln none h

# ln_symbolic
$X/ln -s none l
$X/stat -c %N l
$X/ln -s x l
$X/ln -sf y l
$X/stat -c %N l
$X/mkdir d
$X/ln -s d k
$X/ln -s a k
$X/ls d
$X/ln -sfn b k
$X/stat -c %N k

# ln_into
lines a > f
lines b > g
$X/mkdir d
$X/ln f g d
$X/ls d
$X/ln -s ../f d/l
$X/ln -s ../g d
$X/ls d
$X/ln f g none

# ln_follow
lines a > f
$X/ln -s f l
$X/ln -P l p
$X/ln -L l h
$X/stat -c %F p h
