x=dir/sub/file
echo ${x#*/} ${x##*/} ${x#dir} ${x#z}
x='*a'; echo ${x#'*'} "${x#\*}"
y=aaa; echo ${y#a} ${y##a*}
