x='a  b'; echo "$(echo "$x")" $(echo "$x") "${x+"$x"}" "$(echo '"')" "$(echo \")"
echo "${y-"a  $x"}" "${y-'b'}" ${y-'c  d'} "${x:+"$(echo "e  f")"}"
