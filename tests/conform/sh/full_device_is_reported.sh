echo x > /dev/full 2>/dev/null; echo $?
{ echo y; } 2>/dev/null > /dev/full; echo $?
pwd 2>/dev/null > /dev/full; echo $?
