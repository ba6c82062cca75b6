printf "cat <<A; cat <<B" > f; sh ./f; echo $?; echo "$(cat <<A)"; rm f
sh -c "cat <<A
body"; echo $?
cat <<A
the text ends without the delimiter
