! true; echo $?
! false; echo $?
! true | false; echo $?
if ! false; then echo yes; fi
