/* What the two halves of init share: init.c, and run.c, which serves tools/run. */
#pragma once

#define RUN_FOLDER "/.run"

/* Say on standard error what failed and why (errno). */
void complain(const char *what);

/* Become the leader of a session with the console, descriptor 1, as its terminal. */
void lead_session(void);

/* Undo what init blocked, for a child. */
void unblock_signals(void);

/* Write everything out and do HOW, one of reboot(2)'s RB_ words. */
_Noreturn void end_machine(int how);

/* Run the one program that /.run describes, report how it ended, switch off. */
_Noreturn void run_for_tools(void);
