times | wc -l | tr -d ' '
