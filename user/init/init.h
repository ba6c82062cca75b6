/* What init's parts share: init.c, run.c, which serves tools/run, network.c and terminal.c. */
#pragma once

#define RUN_FOLDER "/.run"

/* Say on standard error what failed and why (errno). */
void complain(const char *what);

/* Become the leader of a session with the console, descriptor 1, as its terminal. */
void lead_session(void);

/* Ask the terminal on descriptors 0 and 1 for its size, when the kernel doesn't know it (terminal.c). */
void learn_window_size(void);

/*
 * Have the terminal of our session as descriptors 0, 1 and 2. It is the one behind /dev/console, but under
 * that name it stops nobody who reads it in the background: job control needs the other.
 */
void open_terminal(void);

/* Have the network set up, if there is one (network.c): from now on in the background; once, and wait for it. */
void start_network(void);
void await_network(void);

/* Undo what init blocked, for a child. */
void unblock_signals(void);

/* Write everything out and do HOW, one of reboot(2)'s RB_ words. */
_Noreturn void end_machine(int how);

/* Run the one program that /.run describes, report how it ended, switch off. */
_Noreturn void run_for_tools(void);
