# stat_formats
lines abc > f
$X/touch -d '2001-02-03 04:05:06.789' f
$X/ln -s f l
$X/stat -c '%n %s %F %a %A %h %u %U %g %G %f %t %T' f l /dev/null
$X/stat -c '%y %Y %X %x' f
$X/stat -L -c '%N %s' l
$X/stat -c '[%10s] [%-10s] [%010s] %%' f
$X/stat -c %F .
: > e
$X/stat -c %F e
$X/stat none

# stat_default
lines abc > f
$X/stat f | $X/grep -v Birth | $X/sort | $X/env sed 's/[0-9][0-9]*/N/g; s/  */ /g'
$X/stat /dev/null | $X/grep File

# stat_system
$X/stat -f -c '%T %s %S %l' /dev/shm
$X/stat -f none
