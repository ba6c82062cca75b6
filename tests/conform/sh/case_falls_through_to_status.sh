case a in a) false;; esac; echo $?
false; case a in b) true;; esac; echo $?
x='*'; case abc in "$x") echo quoted;; $x) echo pattern;; esac
