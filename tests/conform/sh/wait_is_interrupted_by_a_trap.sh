trap 'echo caught' USR1
sleep 5 & s=$!
(sleep 0.2; kill -USR1 $$) &
wait $s; echo $(($? > 128)); kill $s
