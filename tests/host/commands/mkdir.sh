# mkdir_plain
$X/mkdir a b
$X/ls
$X/mkdir a
$X/mkdir x/y
$X/mkdir -p x/y/z x/y
$X/ls -R x
: > f
$X/mkdir -p f
$X/mkdir -p f/g
$X/mkdir ''

# mkdir_modes
$X/mkdir -m 700 a
$X/mkdir -m u=rwx,g=rx,o= b
$X/mkdir -m a-w c
$X/mkdir -m 1777 d
$X/mkdir -m g+s,o=g e
$X/mkdir -p -m 711 g/h
umask 077
$X/mkdir -p i/j
$X/mkdir -m +x k
$X/stat -c '%a %n' a b c d e g g/h i i/j k

# mkdir_parents_under_umask
umask 777
$X/mkdir -p a/b
$X/stat -c %a a a/b

# mkdir_odd
ODD
$X/mkdir -- "$NL$NL" -x "${LONG}8"
echo $?
$X/ls -d -- -x
