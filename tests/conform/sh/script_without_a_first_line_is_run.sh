echo 'echo script $1' > s; chmod +x s; ./s arg; echo $?; rm s
