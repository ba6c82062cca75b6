if true; then echo a; else echo b; fi
if false; then echo a; elif true; then echo c; else echo b; fi
if false; then echo a; fi; echo $?
if true; false; then echo a; else echo b; fi
