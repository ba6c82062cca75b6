# touch_times
$X/touch f
$X/touch -t 200102030405.06 f
$X/stat -c '%X %Y' f
$X/touch -a -d @1000000000 f
$X/stat -c '%X %Y' f
$X/touch -m -d '2020-01-02 03:04:05' f
$X/stat -c '%X %Y' f
$X/touch -r f g
$X/stat -c '%X %Y' g
$X/touch -t 6901020304 f
$X/stat -c %Y f
$X/touch -t 6801020304 f
$X/stat -c %Y f

# touch_missing
$X/touch -c none
$X/ls
$X/touch a/b
$X/touch -r none f
$X/touch -t 123 f
$X/touch -t 209913010000 f
$X/ls
$X/touch

# touch_link
$X/touch f
$X/ln -s f l
$X/touch -h -d @1000 l
$X/stat -c '%Y %n' l
$X/ln -s new n
$X/touch n
$X/ls
