for x in abc a b xyz '' '*' 'a b' -; do
    case $x in
    a) echo A ;;
    a*|z) echo a-something ;;
    [b-d]) echo b to d ;;
    '') echo empty ;;
    "*") echo star ;;
    *y*) echo has y ;;
    (*\ *) echo blank ;;
    *) echo other
    esac
done
case x in y) ;; esac; echo $?
case a in [!a]) echo no ;; [[:alpha:]]) echo alpha ;; esac
