mkdir a b c; printf '#!/bin/sh\necho from a $1\n' > a/tool; sed s/a/b/ a/tool > b/tool; sed s/a/c/ a/tool > c/other
chmod +x b/tool c/other; OLD=$PATH; PATH=$PWD/a:$PWD/b:$PWD/c:$OLD
tool x; chmod +x a/tool; PATH=$PATH; tool y; other z; PATH=$PWD/c:$OLD; tool 2>/dev/null; echo $?
cd b; ./tool here; PATH=:$OLD; tool empty; cd ..; PATH=$OLD; a/tool slash
chmod -x a/tool; a/tool 2>/dev/null; echo $?; rm -r a b c
