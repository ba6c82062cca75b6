x=dir/file.tar.gz
echo ${x%.*} ${x%%.*} ${x%.zip} ${x%/*}
echo "${x%"gz"}" ${x%?}
p='*.gz'; echo ${x%$p} ${x%"$p"}
