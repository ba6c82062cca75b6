sh -c 'set -e; false; echo no'; echo $?
(set -e; false || true; ! true; if false; then :; fi; while false; do :; done; echo alive; (exit 3); echo no); echo $?
(set -e; f() { false; echo no; }; f; echo no); echo $?
(set -e; f() { false; echo yes; }; f || echo no; f && echo and)
(set -e; false | true; echo pipe; x=$(false); echo no); echo $?
