cd() { echo no; }; cd /; command cd /; command pwd
command nonexistent_one 2>/dev/null; echo $?; command false; echo $?
