: ignored $(echo side >&2) 2>/dev/null; echo $?; true; echo $?; false; echo $?
