true && echo a || echo b
false && echo a || echo b
false || true && echo c
true || echo no && echo d
false && echo x; echo $?
