x=hello; echo ${#x} ${#} ${#nope}
set -- a b; echo ${#} ${#1}
