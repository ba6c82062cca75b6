printf 'add 3\nadd 4\nprint\n# remark\nsub\n' | {
    sum=0
    while read command number; do
        case $command in
        add) sum=$((sum + number)) ;;
        print)
            echo $sum
            ;;
        '#'*) continue ;;
        *) echo "what is $command?"; break ;;
        esac
    done
    echo left with $sum
}
