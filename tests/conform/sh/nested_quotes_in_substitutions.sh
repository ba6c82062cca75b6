x='a  b'; echo "$(echo "$x")" $(echo "$x") "${x+"$x"}" "$(echo '"')" "$(echo \")"
echo "${x#"a "}" "${x%' b'}"
