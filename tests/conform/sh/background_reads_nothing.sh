echo typed | { cat & wait; }
echo a & wait
{ sleep 0; echo later; } & wait $!; echo first-done
