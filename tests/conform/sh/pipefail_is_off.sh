false | true; echo $?; (exit 3) | cat; echo $?
