unset a b; c=deep
echo ${a-${b-${c}}} "${a:-"${b:-x}"}" ${a:-$(echo q)}
echo ${a:-a}b} "${a:-\}}"
