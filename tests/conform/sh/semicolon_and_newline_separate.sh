echo a; echo b
echo c;
true &&
    echo d
echo e |
    cat
