/* What another processor does in between: the word "meanwhile". A part of tcp_script_run.h. */

static void listen_meanwhile(void)
{
    do_disconnect(NULL);
    do_listen((char *[]){NULL});
}

static void call_meanwhile(void)
{
    do_disconnect(NULL);
    tcp_connect(&conn->c, PEER, PEER_PORT + 1);
}

static void move_meanwhile(void)
{
    tcp_disconnect(&listener->c);
    tcp_listen(&listener->c, 5);
}

static void drop_meanwhile(void)
{
    tcp_stop_listening(&listener->c);
}

/*
 * Between finding and locking the connection that the next segment is for its owner begins something else with it:
 * "listen"; "call" somebody else; or, a listener whose port was not chosen, "move" to another. "drop": while a listener
 * takes the next call another thread, which has ended it before, still drops its calls.
 */
static bool do_meanwhile(char **words)
{
    host_meanwhile = is(words[0], "listen") ? listen_meanwhile
                     : is(words[0], "call") ? call_meanwhile
                     : is(words[0], "move") ? move_meanwhile
                                            : drop_meanwhile;
    if (host_meanwhile == drop_meanwhile) {
        host_inside = &listener->c.lock;
        host_before = &stack.lock;
    }
    return true;
}
