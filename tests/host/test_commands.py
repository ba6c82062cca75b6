"""The commands: what they print, and with what status they end.

A case is a few lines of shell in an empty directory; $X is the folder of the commands. It is run

    on the host with the host's own commands    the oracle, unless the case says itself what it expects
    on the host with ours                       the same files as in the machine, byte for byte
    in the machine with ours                    all cases in one boot

Standard output and the status must be the same in all three, and of ours the messages too.
"""

import functools
import os
import re
import shlex
import shutil
import subprocess

import pytest

from support import BUILD, ROOT, Verdict, run

COMMANDS = """cat cp date echo env false grep head hexdump id kill ls ln mkdir mkfifo mv ps pwd rm rmdir sleep sort
    stat sync tail tee time touch true tty uname wc yes poweroff""".split()

PRELUDE = """export LC_ALL=C TZ=UTC0; umask 022
lines() { printf '%s\\n' "$@"; }
numbers() { i=$1; while [ $i -le $2 ]; do echo $i; i=$((i+1)); done; }
"""

# Odd names: a newline, a blank, a leading hyphen, bytes that are no UTF-8, and one as long as names can be.
ODD = r"""odd() { printf 'two\nlines'; echo; }; NL=$(odd); LONG=$(printf '%0255d' 7); BAD=$(printf 'b\377\200d')
$X/touch -- "$NL" 'a b' -r "$BAD" "$LONG" '*'"""

# Cases that the host's commands judge, one on a line; NAME: script. What differs by file system is not shown.
JUDGED = r"""
cat_files: lines a b > f; lines c > g; $X/cat f - g < f
cat_missing_goes_on: lines a > f; $X/cat none f
cat_directory: $X/cat .
cat_numbers: printf 'a\n\n\n\nb\tc\177\001\200\n' > f; $X/cat -n f; $X/cat -bsA f; $X/cat -E f; $X/cat -vt f
cat_own_output: lines a > f; $X/cat f >> f; $X/cat f
cat_closed_input: $X/cat <&-
cat_closed_output: lines a > f; $X/cat f >&-
cat_odd: ODD; $X/cat -- -r "$NL" "$BAD" "$LONG" 'a b'
cp_file: lines a > f; $X/cp f g; $X/cat g; $X/cp f none/g
cp_into: lines a > f; lines b > g; $X/mkdir d; $X/cp f g d; $X/ls d
cp_onto_itself: lines a > f; $X/ln f g; $X/ln -s f l; $X/cp f f; $X/cp f g; $X/cp f l; $X/cat f
cp_directory_refused: $X/mkdir d; $X/cp d e; $X/ls
cp_tree: $X/mkdir -p d/e; lines a > d/e/f; $X/ln -s e d/l; $X/mkfifo d/p; $X/cp -R d t; $X/ls -R t; $X/stat -c '%F %N' t/l t/p
cp_tree_twice: $X/mkdir d t; lines a > d/f; $X/cp -r d t; lines b > d/f; $X/cp -r d t; $X/cat t/d/f
cp_into_itself: $X/mkdir d; lines a > d/f; $X/cp -R d d; $X/cat d/f
cp_preserves: lines a > f; $X/touch -d '2001-02-03 04:05:06' f; $X/chmod 2>/dev/null; $X/cp -p f g; $X/stat -c '%a %Y %u %g' g
cp_mode: lines a > f; $X/mkdir -m 500 d; $X/cp -R d e; $X/cp -Rp d g; $X/stat -c %a e g; $X/mkfifo -m 640 p; $X/cp -R p q; $X/stat -c '%a %F' q
cp_archive_keeps_links: $X/mkdir d; lines a > d/f; $X/ln d/f d/g; $X/cp -a d e; $X/stat -c %h e/f; $X/cp -R d h; $X/stat -c %h h/f
cp_follow: $X/mkdir d; lines a > d/f; $X/ln -s f d/l; $X/ln -s d k; $X/cp -RL d e; $X/stat -c %F e/l; $X/cp -RH k h; $X/stat -c %F h h/l; $X/cp -RP k p; $X/stat -c %F p
cp_link_loop: $X/mkdir d; $X/ln -s ../d d/l; $X/ln -s m m; $X/cp -RL d e; $X/cp m n
cp_no_replace: lines a > f; lines b > g; $X/cp -n f g; $X/cat g; echo n | $X/cp -i f g; $X/cat g; echo y | $X/cp -i f g; $X/cat g
cp_update: lines a > f; lines b > g; $X/touch -t 200001010000 f; $X/cp -u f g; $X/cat g; $X/cp -u g f; $X/cat f
cp_file_over_directory: lines a > f; $X/mkdir -p d/f e; $X/cp f d; $X/cp -R e f
cp_many_needs_directory: lines a > f; $X/cp f f g
cp_odd: ODD; $X/mkdir d; $X/cp -- * d 2>/dev/null; $X/ls d
cp_deep: p=d; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do p=$p/directory; done; $X/mkdir -p $p; lines a > $p/f; $X/cp -R d e; $X/cat e${p#d}/f
date_of_second: $X/date -u -d @1700000000 '+%Y-%m-%d %H:%M:%S %a %b %j %U %u %s %y %e %I %p %Z %%'
date_default: $X/date -d @0; $X/date -u -d @951827696.25 +%N; $X/date -R -d @951827696; $X/date -I -d @951827696
date_parse: for t in 2024-02-29 '2024-02-29 13:14' 2024-02-29T13:14:15 '2024-02-29 13:14:15+01:30' '2024-02-29 13:14:15Z' @-1; do $X/date -u -d "$t" '+%F %T'; done
date_bad: $X/date -d 2023-02-29; $X/date -d rubbish; $X/date -d 2024-13-01
date_of_file: $X/touch -t 200102030405.06 f; $X/date -r f +%F_%T; $X/date -r none
echo_words: $X/echo a 'b  c' d; $X/echo; $X/echo -n x; $X/echo -nope; $X/echo -- -n; $X/echo - a
echo_escapes: $X/echo -e 'a\tb\\c\0101\x41\101\e[\q\0' | $X/hexdump -C; $X/echo -e 'a\cb' c; $X/echo -E 'a\tb'; $X/echo 'a\n'; $X/echo -ne 'a\n'; $X/echo -e 'x\'
env_print: $X/env -i A=b C='d e' $X/env; $X/env -i; $X/env - A=1; A=1 B=2 $X/env -u A -i B=3
env_runs: $X/env -i A=b $X/echo x; A=b $X/env -u A $X/env | $X/grep ^A=; $X/env A=1 B=2 $X/env -i $X/env
env_status: $X/env none; echo $?; $X/env /; echo $?; $X/env $X/false; echo $?; $X/env -u; echo $?; $X/env -u = 2>/dev/null; echo $?
false: $X/false; echo $?; $X/false -x --help >/dev/null; echo $?
true: $X/true; echo $?; $X/true -x a
grep_lines: lines apple banana cherry > f; $X/grep an f; echo $?; $X/grep -v an f; $X/grep zz f
grep_status: lines a > f; $X/grep a f none; echo $?; $X/grep -q a f none; echo $?; $X/grep -s a none; echo $?; $X/grep z none f; echo $?; $X/grep '[' f; echo $?
grep_counts: lines a b a > f; $X/grep -c a f; $X/grep -cv a f f; $X/grep -n a f; $X/grep -b a f; $X/grep -m1 a f; $X/grep -m0 a f
grep_names: lines a > f; lines b > g; $X/grep -l a f g; $X/grep -L a f g; $X/grep a f g; $X/grep -h a f g; $X/grep -H a f; $X/grep a - < f; $X/grep -H a < f
grep_only: lines 'foo bar foobar' > f; $X/grep -o 'foo[a-z]*' f; $X/grep -on 'o' f; $X/grep -ob bar f; $X/grep -o x f; $X/grep -o '' f
grep_words: lines 'foo bar' foobar 'a_b' 'bar foo' > f; $X/grep -w foo f; $X/grep -ow 'fo*' f; $X/grep -w a f; $X/grep -wx 'foo bar' f; $X/grep -w '' f
grep_whole: lines a ab '' > f; $X/grep -x a f; $X/grep -xE 'a|ab' f; $X/grep -xn '' f; $X/grep -xF ab f
grep_fixed: lines 'a.b' 'axb' 'a*b' '[x]' '\' > f; $X/grep -F a.b f; $X/grep -F 'a*' f; $X/grep -F '[x' f; $X/grep -F '\' f; $X/grep -Fi A. f
grep_many: lines a b c > f; $X/grep -e a -e c f; $X/grep 'a
b' f; lines b c > p; $X/grep -f p f; : > e; $X/grep -f e f; echo $?
grep_case: lines Ab aB cd > f; $X/grep -i ab f; $X/grep -ic '[A-B]' f; $X/grep -iv AB f
grep_extended: lines aab abab 'a+b' 'x{2}' xx '(y)' > f; $X/grep -E 'a+b' f; $X/grep -E '(ab){2}' f; $X/grep -E 'x{2}' f; $X/grep 'x\{2\}' f; $X/grep 'a+b' f; $X/grep '(y)' f; $X/grep -E '\(y\)|^xx$' f
grep_back: lines abab abba aa > f; $X/grep '\(a\)\1' f; $X/grep '\(.\)\(.\)\2\1' f
grep_context: numbers 1 20 > f; $X/grep -A1 5 f; $X/grep -B2 9 f; $X/grep -nC1 '1[05]' f; $X/grep -A1 -m1 1 f; $X/grep -c -A3 5 f
grep_no_newline: printf 'a\nb' > f; $X/grep b f; $X/grep -c '' f
grep_binary: printf 'a\0b\nc\n' > f; $X/grep b f; $X/grep -a b f | $X/hexdump -C; $X/grep -c b f; $X/grep -I b f; $X/grep -ao 'a.b' f | $X/hexdump -C
grep_tree: $X/mkdir -p d/e; lines x > d/e/f; lines y > d/g; $X/ln -s e d/l; $X/grep -r x d; $X/grep -rh x d; $X/grep -rl '' d | $X/sort; $X/grep -R x d | $X/sort; cd d; $X/grep -r x
grep_odd: ODD; lines a > "$NL"; lines a > "$BAD"; $X/grep -l a -- "$NL" "$BAD" 'a b'; printf 'a\377b\n' | $X/grep -c 'a.b'
grep_long_line: $X/yes abcdefghij | $X/head -n 3000 | $X/env tr -d '\n' > f; echo x >> f; $X/grep -c 'j*x' f; $X/grep -o 'jx' f
grep_directory: $X/grep x . ; echo $?
head_counts: numbers 1 20 > f; $X/head f; $X/head -n 3 f; $X/head -3 f; $X/head -c 5 f; $X/head -n -17 f; $X/head -c -40 f; $X/head -n 0 f; $X/head -c 1k f | $X/wc -c
head_titles: lines a > f; lines b > g; $X/head -n1 f g; $X/head -q f g; $X/head -v f; $X/head f none g; $X/head < f
head_leaves_the_rest: numbers 1 9 > f; { $X/head -n 2; echo; $X/cat; } < f
head_bad: $X/head -n x f; $X/head -n -x f
head_stops: $X/yes | $X/head -n 2
hexdump_forms: printf 'Hello\n\0\tworld\377 and more' > f; for o in -C -b -c -d -o -x -v; do $X/hexdump $o f; done; $X/hexdump f
hexdump_part: numbers 1 99 > f; $X/hexdump -C -s 10 -n 20 f; $X/hexdump -n 3 f f; $X/hexdump -C -s 280 f f; $X/hexdump -C -s 0x10 -n 4 f
hexdump_equal_lines: $X/head -c 100 /dev/zero | $X/hexdump; $X/head -c 100 /dev/zero | $X/hexdump -vC; $X/hexdump /dev/null; $X/hexdump none
id_self: $X/id -u; $X/id -un; $X/id -g; $X/id -gn; $X/id -ur; $X/id root; $X/id none
kill_lists: $X/kill -l 9; $X/kill -l TERM; $X/kill -l 15
kill_sends: $X/sleep 100 & $X/kill $!; wait $!; echo $?; $X/sleep 100 & $X/kill -9 $!; wait $!; echo $?; $X/sleep 100 & $X/kill -s HUP $!; wait $!; echo $?; $X/sleep 100 & $X/kill -USR1 $!; wait $!; echo $?; $X/kill -0 $$
kill_nobody: $X/kill 2000000000; echo $?; $X/kill x 2>/dev/null; echo $?
ln_hard: lines a > f; $X/ln f g; $X/stat -c %h f; $X/ln f g; $X/ln -f f g; $X/ln -f f f; $X/cat f; $X/ln none h
ln_symbolic: $X/ln -s none l; $X/stat -c %N l; $X/ln -s x l; $X/ln -sf y l; $X/stat -c %N l; $X/mkdir d; $X/ln -s d k; $X/ln -s a k; $X/ls d; $X/ln -sfn b k; $X/stat -c %N k
ln_into: lines a > f; lines b > g; $X/mkdir d; $X/ln f g d; $X/ls d; $X/ln -s ../f d/l; $X/ln -s ../g d; $X/ls d; $X/ln f g none
ln_follow: lines a > f; $X/ln -s f l; $X/ln -P l p; $X/ln -L l h; $X/stat -c %F p h
ls_names: $X/mkdir d; : > b; : > .h; : > d/x; $X/ls; $X/ls -a; $X/ls -A; $X/ls -1r; $X/ls b d; $X/ls -d d .; $X/ls none; $X/ls -F; $X/ls -p
ls_long: $X/mkdir d; lines abc > f; $X/ln -s f l; $X/touch -t 202001020304 f; $X/touch -t 202001020304 d; $X/mkfifo -m 600 p; $X/touch -t 201912312359 p; $X/ls -l f p; $X/ls -ln f; $X/ls -lgo f; $X/ls -lF p; $X/ls -ld d | $X/env cut -c1-10; $X/ls -L l; $X/ls -l l | $X/env sed 's/ [A-Z][a-z][a-z] .* l/ l/'
ls_order: lines a > a; lines bb > b; lines ccc > c; $X/touch -t 202001010000 b; $X/touch -t 201001010000 a; $X/touch -t 202101010000 c; $X/ls -t; $X/ls -tr; $X/ls -S; $X/ls -Sr; $X/touch -a -t 202501010000 a; $X/ls -tu; $X/ls -f | $X/sort
ls_devices: $X/ls -l /dev/null /dev/zero | $X/env sed 's/ [A-Z][a-z][a-z] .* / /'; $X/ls -lh /dev/null | $X/env cut -c1-10
ls_tree: $X/mkdir -p d/e/f; : > d/g; $X/ls -R; $X/ls -R d d/e; $X/ls -1R d
ls_sizes: $X/head -c 1500 /dev/zero > a; $X/head -c 10300 /dev/zero > b; $X/head -c 1023 /dev/zero > c; $X/ls -lh a b c | $X/env sed 's/ [A-Z][a-z][a-z] .* / /'
ls_forms: numbers 1 30 | while read n; do : > file$n; done; $X/ls -m; $X/ls -m -F | $X/wc -l; COLUMNS=40 $X/ls -x > /dev/null
ls_odd: ODD; $X/ls; $X/ls -q | $X/head -n 3; $X/ls -- -r
ls_links: $X/mkdir d; : > d/x; $X/ln -s d l; $X/ln -s none n; $X/ls l; $X/ls -d l; $X/ls -F l; $X/ls -H l; $X/ls n; $X/ls -L n; $X/ls -lL n
mkdir_plain: $X/mkdir a b; $X/ls; $X/mkdir a; $X/mkdir x/y; $X/mkdir -p x/y/z x/y; $X/ls -R x; : > f; $X/mkdir -p f; $X/mkdir -p f/g; $X/mkdir ''
mkdir_modes: $X/mkdir -m 700 a; $X/mkdir -m u=rwx,g=rx,o= b; $X/mkdir -m a-w c; $X/mkdir -m 1777 d; $X/mkdir -m g+s,o=g e; $X/mkdir -p -m 711 g/h; umask 077; $X/mkdir -p i/j; $X/mkdir -m +x k; $X/stat -c '%a %n' a b c d e g g/h i i/j k
mkdir_parents_under_umask: umask 777; $X/mkdir -p a/b; $X/stat -c %a a a/b
mkdir_odd: ODD; $X/mkdir -- "$NL$NL" -x "${LONG}8"; echo $?; $X/ls -d -- -x
mkfifo: $X/mkfifo a; $X/mkfifo -m 600 b; $X/stat -c '%F %a' a b; $X/mkfifo a; echo x > a & $X/cat a
mv_files: lines a > f; $X/mv f g; $X/ls; $X/mkdir d; $X/mv g d; $X/ls d; $X/mv none x; $X/mv d/g d/h; $X/ls d; $X/mv d e; $X/ls
mv_replaces: lines a > f; lines b > g; $X/mv -n f g; $X/cat g; echo n | $X/mv -i f g; $X/cat g; $X/mv f g; $X/cat g; $X/ls
mv_itself: lines a > f; $X/mv f f; $X/ln f g; $X/mv f g; $X/ls; $X/mkdir d; $X/mv d d; $X/mv d d/e; $X/ls
mv_kinds: lines a > f; $X/mkdir d; $X/mkdir -p e/f e/d/x; $X/mv f e; $X/mv d e; $X/ls
mv_many: lines a > f; lines b > g; $X/mkdir d; $X/mv f g d; $X/ls d; $X/mv d/f d/g none
mv_across: S=/dev/shm/commands.$$; $X/mkdir $S d; lines a > f; $X/touch -t 200101010000 f; $X/ln f d/g; $X/ln -s x d/l; $X/mkfifo d/p; $X/mv f d $S; $X/ls; (cd $S; $X/ls . d); $X/cat $S/f; $X/stat -c %Y $S/f; lines b > f; $X/mv $S/f .; $X/cat f; $X/mkdir e; $X/mv e $S/d; $X/ls $S/d; $X/mkdir $S/full $S/full/x full; $X/mv full $S; $X/rm -rf $S
mv_odd: ODD; $X/mkdir d; $X/mv -- -r "$NL" "$BAD" 'a b' "$LONG" d; $X/ls d
pwd: $X/mkdir d; $X/ln -s d l; cd d; X=$X; [ "$($X/pwd -P)" = "$(pwd -P)" ]; echo $?; cd ../l; p=$(PWD=$(pwd -L) $X/pwd -L); echo ${p##*/}; p=$(PWD=/nonsense $X/pwd); echo ${p##*/}; p=$(PWD=$PWD/../l $X/pwd -L); echo ${p##*/}
pwd_removed: $X/mkdir d; cd d; $X/rmdir ../d; $X/pwd
rm_files: : > f; : > g; $X/rm f; $X/ls; $X/rm none; $X/rm -f none; $X/rm -f; $X/mkdir d; $X/rm d; $X/rm -f d; $X/rm -d d; $X/ls
rm_tree: $X/mkdir -p d/e/f; : > d/g; : > d/e/h; $X/rm -r d; $X/ls; $X/mkdir d e; : > d/x; $X/rm -rf d e none; $X/ls
rm_follows_no_links: $X/mkdir d e; : > d/x; $X/ln -s ../d e/l; $X/ln -s d k; $X/rm -r e k; $X/ls d
rm_refuses: : > f; $X/mkdir d; $X/rm -rf . .. d/. d/.. /; $X/ls
rm_asks: : > f; : > g; echo n | $X/rm -i f; lines y n | $X/rm -i f g; $X/ls; $X/mkdir d; : > d/x; lines y y y | $X/rm -ri d; $X/ls
rm_odd: ODD; $X/rm -- -r "$NL" "$BAD" "$LONG" 'a b'; $X/ls
rm_deep: n=1; (while [ $n -lt 300 ]; do $X/mkdir directory && cd -P directory || exit; n=$((n+1)); done); $X/rm -r directory; $X/ls
rmdir: $X/mkdir -p a/b/c d; $X/rmdir a; $X/rmdir a/b/c d; $X/ls; $X/rmdir -p a/b/; $X/ls; $X/rmdir none; : > f; $X/rmdir f
sleep: $X/sleep 0.01 0; echo $?; $X/sleep 0s 0m 0h 0d; $X/sleep x; echo $?; $X/sleep 1y; $X/sleep; $X/sleep -- -1
sort_whole: lines b a C B a > f; $X/sort f; $X/sort -f f; $X/sort -r f; $X/sort -u f; $X/sort -fu f; $X/sort f f; $X/sort < f; $X/sort none; echo $?
sort_numbers: lines 10 9 -1 1.5 1.25 007 abc '' ' 3' 1e3 > f; $X/sort -n f; $X/sort -nr f; $X/sort -nu f
sort_keys: lines 'a 3 x' 'b 1 y' 'c 2 x' 'a 2 y' > f; $X/sort -k2 f; $X/sort -k2,2n f; $X/sort -k3,3 -k1,1r f; $X/sort -k1,1 -s f; $X/sort -k1.1,1.1 -k2nr f; $X/sort -r -k3,3 f
sort_separated: lines a:3:x b:10:y c:2:z :1: > f; $X/sort -t: -k2n f; $X/sort -t : -k2,2 f; $X/sort -t: -k3r f; $X/sort -t: -k2.2 f
sort_blanks: lines '  b' ' a' 'c' '	d' > f; $X/sort f; $X/sort -b f; $X/sort -k1b,1 f; $X/sort -d f; lines 'x  b' 'x a' > g; $X/sort -k2 g; $X/sort -k2b g; $X/sort -b -k2.1,2.1 g
sort_letters: lines a-c ab a.b 'a b' A.C > f; $X/sort -d f; $X/sort -df f; $X/sort -i f; $X/sort -f f
sort_output: lines b a > f; $X/sort -o f f; $X/cat f; $X/sort -o none/x f; echo $?; $X/sort -m f f
sort_check: lines a b > f; $X/sort -c f; echo $?; lines b a > g; $X/sort -c g; echo $?; $X/sort -C g; echo $?; lines a a > h; $X/sort -cu h; echo $?; $X/sort -rc g
sort_no_newline: printf 'b\na' > f; $X/sort f; printf 'a\0c\na\0b\n' | $X/sort | $X/hexdump -C
sort_stable: lines 'b 1' 'a 1' 'c 0' > f; $X/sort -s -k2,2 f; $X/sort -k2,2 f; $X/sort -u -k2,2 f
sort_bad: $X/sort -k x f 2>/dev/null; echo $?; $X/sort -t ab f; echo $?; $X/sort -k0 f; echo $?; $X/sort -k 1.0 /dev/null 2>/dev/null; echo $?
sort_large: i=0; while [ $i -lt 500 ]; do echo $((i * 7919 % 1000)); i=$((i+1)); done > f; $X/sort -n f | $X/head -n 5; $X/sort f | $X/tail -n 5
stat_formats: lines abc > f; $X/touch -d '2001-02-03 04:05:06.789' f; $X/ln -s f l; $X/stat -c '%n %s %F %a %A %h %u %U %g %G %f %t %T' f l /dev/null; $X/stat -c '%y %Y %X %x' f; $X/stat -L -c '%N %s' l; $X/stat -c '[%10s] [%-10s] [%010s] %%' f; $X/stat -c %F . ; : > e; $X/stat -c %F e; $X/stat none
stat_default: lines abc > f; $X/stat f | $X/grep -v Birth | $X/sort | $X/env sed 's/[0-9][0-9]*/N/g; s/  */ /g'; $X/stat /dev/null | $X/grep File
stat_system: $X/stat -f -c '%T %s %S %l' /dev/shm; $X/stat -f none
sync: : > f; $X/sync; $X/sync f; $X/sync -d f; $X/sync none; $X/sync -f .
tail_counts: numbers 1 20 > f; $X/tail f; $X/tail -n 3 f; $X/tail -3 f; $X/tail -c 5 f; $X/tail -n +18 f; $X/tail -c +48 f; $X/tail -n 0 f; $X/tail -n +0 f | $X/wc -l; $X/tail -n 100 f | $X/wc -l
tail_of_pipe: numbers 1 20 | $X/tail -n 3; numbers 1 20 | $X/tail -c 4; numbers 1 20 | $X/tail -n +19; numbers 1 20 | $X/tail -c +50; printf 'a\nb' | $X/tail -n 1
tail_large: $X/yes 0123456789abcdef | $X/head -n 20000 > f; $X/tail -n 9000 f | $X/wc; $X/cat f | $X/tail -n 9000 | $X/wc; $X/tail -c 200000 f | $X/wc -c; $X/cat f | $X/tail -c 200000 | $X/wc -c
tail_titles: lines a > f; lines b > g; $X/tail -n1 f g; $X/tail -q f g; $X/tail -v f; $X/tail f none g; $X/tail < f
tail_no_newline: printf 'a\nb\nc' > f; $X/tail -n 2 f; $X/tail -n 1 f; printf '\n\n' > g; $X/tail -n 1 g | $X/hexdump -C; $X/tail /dev/null
tail_from_the_middle: numbers 1 9 > f; { read a; read b; $X/tail -n +2; } < f | $X/wc -l
tee: lines a b | $X/tee f g; $X/cat f g; lines c | $X/tee -a f; $X/cat f; lines x | $X/tee none/x y; echo $?; $X/cat y; lines z | $X/tee /dev/full w; echo $?; $X/cat w
touch_times: $X/touch f; $X/touch -t 200102030405.06 f; $X/stat -c '%X %Y' f; $X/touch -a -d @1000000000 f; $X/stat -c '%X %Y' f; $X/touch -m -d '2020-01-02 03:04:05' f; $X/stat -c '%X %Y' f; $X/touch -r f g; $X/stat -c '%X %Y' g; $X/touch -t 6901020304 f; $X/stat -c %Y f; $X/touch -t 6801020304 f; $X/stat -c %Y f
touch_missing: $X/touch -c none; $X/ls; $X/touch a/b; $X/touch -r none f; $X/touch -t 123 f; $X/touch -t 209913010000 f; $X/ls; $X/touch
touch_link: $X/touch f; $X/ln -s f l; $X/touch -h -d @1000 l; $X/stat -c '%Y %n' l; $X/ln -s new n; $X/touch n; $X/ls
tty: $X/tty < /dev/null; echo $?; $X/tty -s < /dev/null; echo $?; $X/tty x; echo $?
uname: [ "$($X/uname)" = "$($X/uname -s)" ]; echo $?; $X/uname -m; $X/uname -sm; $X/uname -p; $X/uname x 2>/dev/null; echo $?
wc_counts: printf 'one two\n\nthree\tfour  five' > f; $X/wc f; $X/wc -l f; $X/wc -w f; $X/wc -c f; $X/wc -lc f; $X/wc < f; $X/wc f f; $X/wc -L f; $X/wc -wl f none; $X/wc - < f; printf 'a\tb\n' | $X/wc -L
wc_of_pipe: lines a b | $X/wc; lines a b | $X/wc -l; : | $X/wc; $X/wc /dev/null; $X/wc .
wc_odd: ODD; $X/wc -c -- 'a b' -r "$BAD"; printf 'a\0b\n' | $X/wc
yes: $X/yes | $X/head -n 3; $X/yes a b | $X/head -n 2; $X/yes -- -x | $X/head -n 1
"""

# Cases that the host's commands can't judge: what ours print.
OWN = {
    "every_command_is_there": ("for c in " + " ".join(COMMANDS) + "; do [ -x $X/$c ] || echo $c; done", "", 0),
    "time": ("$X/time -p $X/sleep 0.2 2>e; $X/grep -c '^real 0\\.[2-9]' e; $X/grep -Ec '^(user|sys) [0-9]+\\.[0-9]{2}$' e;"
             "$X/time $X/false 2>e; echo $?; $X/grep -c 'real.0m00\\.' e; $X/time none 2>/dev/null; echo $?;"
             "$X/time / 2>/dev/null; echo $?; $X/time $X/env sh -c 'kill -9 $$' 2>/dev/null; echo $?",
             "1\n2\n1\n1\n127\n126\n137\n", 0),
    "ps": ("$X/ps -o pid=,ppid= -p $$ | $X/env awk \"{ print \\$1 == $$ }\"; $X/ps -p $$ -o comm= -o pid=X | $X/wc -l;"
           "$X/sleep 50 & p=$!; $X/ps -A -o args | $X/grep -c 'sleep 50$'; $X/ps -ef | $X/grep -c 'sleep 50$';"
           "$X/ps -p $p -o stat= | $X/env cut -c1; kill $p; $X/ps -p 99999999 > /dev/null; echo $?;"
           "$X/ps -o nonsense 2>/dev/null; echo $?; $X/ps aux | $X/head -n 1 | $X/env tr -s ' '",
           "1\n2\n1\n1\nS\n1\n1\nUSER PID %CPU VSZ RSS TTY STAT START TIME COMMAND\n", 0),
    "tail_follows": (": > f; $X/tail -n 0 -f f > o & p=$!; $X/sleep 0.3; echo one >> f; $X/sleep 1.5; echo two >> f;"
                     "$X/sleep 1.5; : > f; $X/sleep 1.5; echo three >> f; $X/sleep 1.5; kill $p; $X/cat o",
                     "one\ntwo\nthree\n", 0),
    "tail_follows_fast": (": > f; $X/tail -f f > o & p=$!; $X/sleep 0.5; echo one >> f; i=0;"
                          "while [ ! -s o ] && [ $i -lt 100 ]; do $X/sleep 0.1; i=$((i+1)); done; kill $p; $X/cat o",
                          "one\n", 0),
    "rm_keeps_what_a_link_leads_to": ("$X/mkdir d; : > d/x; $X/ln -s d l; $X/rm -rf l/; echo $?; $X/ls d", "1\nx\n", 0),
    "cp_full": ("$X/cp /dev/zero /dev/full; echo $?; lines a | $X/cat > /dev/full; echo $?", "1\n1\n", 0),
    "rm_tree_deeper_than_a_path": (
        "d=$($X/head -c 200 /dev/zero | $X/env tr '\\0' d); n=0; "
        "(while [ $n -lt 60 ]; do $X/mkdir $d && cd -P ./$d 2>/dev/null || exit; n=$((n+1)); done; : > f);"
        "$X/rm -r $d; echo $?; $X/ls", "0\n", 0),
    "names_on_a_terminal": ("ODD; $X/ls -q | $X/head -n 2", "*\n-r\n", 0),
}

# What each command prints something with, into a full device.
FULL = {
    "cat": "cat f", "cp": "cp -v f g", "date": "date", "echo": "echo x", "env": "env", "grep": "grep a f", "head": "head f",
    "hexdump": "hexdump f", "id": "id", "kill": "kill -l", "ls": "ls", "ln": "ln -v f g", "mkdir": "mkdir -v d",
    "mv": "mv -v f g", "ps": "ps -A", "pwd": "pwd", "rm": "rm -v f", "rmdir": "rmdir -v e", "sort": "sort f",
    "stat": "stat f", "tail": "tail f", "tee": "tee < f", "tty": "tty", "uname": "uname", "wc": "wc f", "yes": "yes",
}
FAILURE = {"env": 125, "grep": 2, "sort": 2, "ls": 2, "tty": 3}
USAGE_STATUS = {"env": 125, "time": 125, "grep": 2, "sort": 2, "tty": 2}
NO_OPTIONS = ("echo", "true", "false", "yes")

for name, command in FULL.items():
    for where, redirection, reason in (("full", "> /dev/full", "No space left on device"), ("closed", ">&-", "Bad file desc")):
        OWN[f"{name}_into_{where}"] = (f"lines a > f; $X/mkdir e; $X/{command} 2>err {redirection}; echo $?; "
                                       f"$X/grep -Ec '^{name}: .*({reason}|write error)' err", f"{FAILURE.get(name, 1)}\n1\n", 0)
for name in COMMANDS:
    if name not in NO_OPTIONS:
        OWN[f"{name}_bad_option"] = (f"$X/{name} -@ 2>err </dev/null; echo $?; $X/grep -c '^usage: {name} ' err",
                                     f"{USAGE_STATUS.get(name, 1)}\n1\n", 0)

JUDGED_CASES = dict(re.findall(r"^(\w+): (.*(?:\n(?!\w+: ).+)*)", JUDGED, re.M))
SCRIPTS = {**JUDGED_CASES, **{name: case[0] for name, case in OWN.items()}}


def script_of(name):
    return PRELUDE + re.sub(r"\bODD\b", lambda _: ODD, SCRIPTS[name]) + "\n"


def on_host(name, folder, where):
    """(standard output, standard error, status) of the case with the commands in FOLDER."""
    where.mkdir()
    shell = shutil.which("dash") or "sh"
    done = subprocess.run([shell, "-c", f"X={folder}\n{script_of(name)}"], cwd=where, capture_output=True, timeout=60,
                          check=False, stdin=subprocess.DEVNULL, env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": "/"})
    return done.stdout, done.stderr, done.returncode


def oracle(name):
    """Does the host have every command that the case uses?"""
    return all(os.path.exists(f"/usr/bin/{command}") for command in re.findall(r"\$X/(\w+)", SCRIPTS[name]))


@pytest.mark.parametrize("name", JUDGED_CASES)
def test_as_the_hosts(name, tmp_path):
    if not oracle(name):
        pytest.skip("the host has no such command")
    theirs = on_host(name, "/usr/bin", tmp_path / "theirs")
    ours = on_host(name, f"{BUILD}/user", tmp_path / "ours")
    assert (ours[0], ours[2]) == (theirs[0], theirs[2]), f"{ours[1]} against {theirs[1]}"


@pytest.mark.parametrize("name", OWN)
def test_own(name, tmp_path):
    ours = on_host(name, f"{BUILD}/user", tmp_path / "ours")
    assert (ours[0].decode(), ours[2]) == OWN[name][1:], ours[1]


# In the machine: a script for each case, and one that runs them all and says what came of each.
DRIVER = """export PATH=/bin:/usr/bin HOME=/
for f in /cases/*; do
    n=${f##*/}
    mkdir /tmp/t; cd /tmp/t
    /bin/busybox ash $f >/tmp/out 2>/tmp/err </dev/null
    s=$?
    cd /; rm -rf /tmp/t
    echo "$n $s $(stat -c %s /tmp/out) $(stat -c %s /tmp/err)"; cat /tmp/out /tmp/err
done
rm /tmp/out /tmp/err
"""


@functools.cache
def in_machine(overlay):
    cases = os.path.join(overlay, "cases")
    os.makedirs(cases)
    for name in SCRIPTS:
        with open(os.path.join(cases, name), "w", encoding="utf-8") as file:
            file.write(f"X=/bin\n{script_of(name)}")
    result = run("--debug", "--leak-check", "--timeout", "400", "--overlay", overlay, "--", "/bin/busybox", "ash", "-c", DRIVER)
    result.must_have_run()
    found, rest = {}, result.out
    while rest:
        head, rest = rest.split(b"\n", 1)
        name, status, out, err = head.split()
        out, err = int(out), int(err)
        found[name.decode()] = rest[:out], rest[out:out + err], int(status)
        rest = rest[out + err:]
    return found


def plain_messages(text):
    """Without what the shell itself says, the folder of the commands, and lines with a number that differs."""
    text = text.replace(f"{BUILD}/user/".encode(), b"").replace(b"/bin/", b"")
    return [line for line in text.split(b"\n") if not re.search(rb"dash|ash:|\d{4}|Terminated|Killed|Hangup", line)]


def test_in_the_machine_as_on_the_host(tmp_path):
    inside = in_machine(str(tmp_path / "overlay"))
    problems = []
    for name in SCRIPTS:
        host = on_host(name, f"{BUILD}/user", tmp_path / name)
        if name not in inside:
            problems.append(f"{name}: did not report")
        elif inside[name][::2] != host[::2] or plain_messages(inside[name][1]) != plain_messages(host[1]):
            problems.append(f"{name}: {shlex.quote(SCRIPTS[name])}\n  host   {host}\n  inside {inside[name]}")
    if problems:
        raise Verdict("FAIL", f"{len(problems)} of {len(SCRIPTS)} cases differ:\n" + "\n".join(problems))


def test_built_with_another_library(tmp_path):
    """The same sources with musl: no warning, the same output."""
    folder = tmp_path / "musl"
    folder.mkdir()
    for name in COMMANDS:
        subprocess.run(["musl-gcc", "-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-static", "-o", folder / name,
                        os.path.join(ROOT, "user", f"{name}.c")], check=True, timeout=60)
    problems = []
    for name in SCRIPTS:
        ours = on_host(name, f"{BUILD}/user", tmp_path / f"{name}.ours")
        musl = on_host(name, folder, tmp_path / name)
        if ours[::2] != musl[::2]:
            problems.append(f"{name}: {shlex.quote(SCRIPTS[name])}\n  ours {ours}\n  musl {musl}")
    assert not problems, "\n".join(problems)
