type cd : ls if nonexistent_one 2>/dev/null | sed 's,/.*/,PATH/,'
f() { :; }; command -v f; command -v cd; command -v if; command -v nonexistent_one; echo $?
cd() { echo no; }; command cd /; command pwd; command -v ls | sed 's,/.*/,PATH/,'
command nonexistent_one 2>/dev/null; echo $?; command false; echo $?
