# pwd
$X/mkdir d
$X/ln -s d l
cd d; X=$X
[ "$($X/pwd -P)" = "$(pwd -P)" ]
echo $?
cd ../l
p=$(PWD=$(pwd -L) $X/pwd -L)
echo ${p##*/}
p=$(PWD=/nonsense $X/pwd)
echo ${p##*/}
p=$(PWD=$PWD/../l $X/pwd -L)
echo ${p##*/}

# pwd_removed
$X/mkdir d
cd d
$X/rmdir ../d
$X/pwd
